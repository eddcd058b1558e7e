# SPDX-License-Identifier: Apache-2.0
"""Terms are cut and weighed as scikit-learn does for English, and by runs of characters for Chinese."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from sirolens.evidence.screening.term_weights import cut, weigh

SAME_SUM = 1e-12  # both scale rows to length 1; only the order of summation differs

ENGLISH = (
    "Sirolimus in immune thrombocytopenia: an invented trial of sirolimus.",
    "Invented surgery of the knee, a case series (n = 12)",
    "An invented trial of rapamycin in mice with thrombocytopenia; IL-6 and TGF-beta fell.",
    "A A a I",
    "",
)


def likeness(matrix: Any) -> np.ndarray:  # a sparse matrix, whose library has no types
    return np.asarray((matrix @ matrix.T).toarray())


def test_english_weights_equal_scikit_learns() -> None:
    """Oracle: TfidfVectorizer with ASReview 3's settings; columns are numbered otherwise, so products are compared."""
    theirs = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_df=0.95).fit_transform(ENGLISH)
    ours = weigh({str(n): text for n, text in enumerate(ENGLISH)}).matrix
    assert ours.shape == theirs.shape
    assert np.abs(likeness(ours) - likeness(theirs)).max() < SAME_SUM


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(alphabet="ab cdé9_-.", max_size=30), min_size=2, max_size=8))
def test_any_latin_text_is_weighed_as_scikit_learn_does(texts: list[str]) -> None:
    """Oracle: TfidfVectorizer; it refuses an empty vocabulary, ours has rows of zeros then."""
    ours = weigh({f"{n:02d}": text for n, text in enumerate(texts)}).matrix
    try:
        theirs = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_df=0.95).fit_transform(texts)
    except ValueError:
        assert ours.nnz == 0
        return
    assert np.abs(likeness(ours) - likeness(theirs)).max() < SAME_SUM


@pytest.mark.parametrize(
    ("text", "words", "runs"),
    [
        ("西罗莫司", [None], ["西", "罗", "莫", "司", "西罗", "罗莫", "莫司"]),
        ("IL6水平 rose", ["il6", None, "rose"], ["水", "平", "水平"]),
        ("ＩＴＰ治疗", ["itp", None], ["治", "疗", "治疗"]),
        ("铁", [None], ["铁"]),
    ],
    ids=["chinese", "mixed", "full-width", "one-character"],
)
def test_chinese_is_cut_into_runs_of_one_and_two_characters(text: str, words: list[str], runs: list[str]) -> None:
    assert cut(text) == (words, runs)


def test_no_pair_is_made_across_chinese_or_across_two_records() -> None:
    apart = weigh({"a": "alpha 和 beta", "b": "gamma delta", "c": "beta gamma"}).matrix
    together = weigh({"a": "alpha beta", "b": "gamma delta", "c": "beta gamma"}).matrix
    assert apart.shape[1] == 4 + 2 + 1  # four words, two pairs, one character
    assert together.shape[1] == 4 + 3


def test_the_weights_do_not_depend_on_the_order_of_the_records() -> None:
    texts = {str(n): text for n, text in enumerate(ENGLISH)}
    forward, backward = weigh(texts), weigh(dict(reversed(texts.items())))
    assert forward.ids == backward.ids
    assert (forward.matrix != backward.matrix).nnz == 0


def test_the_question_is_no_record() -> None:
    with_it, without = weigh({"a": "one two", "b": "two three"}, "two"), weigh({"a": "one two", "b": "two three"})
    assert (with_it.matrix != without.matrix).nnz == 0
    assert not with_it.question.any()  # "two" is in every record and tells nothing
