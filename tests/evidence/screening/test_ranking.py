# SPDX-License-Identifier: Apache-2.0
"""The ranking is ASReview 3's default model, deterministic, and has a stated order where it cannot be trained."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_sample_weight

from sirolens.errors import InputError
from sirolens.evidence.screening.ranking import RankingMethod, rank, rank_weighed, seeded_order
from sirolens.evidence.screening.term_weights import weigh

SOLVER = 5e-3  # liblinear stops at a relative 1e-4 and visits coordinates in another random order

WORDS = (
    "sirolimus",
    "rapamycin",
    "platelet",
    "bleeding",
    "spleen",
    "knee",
    "surgery",
    "cohort",
    "trial",
    "mouse",
    "child",
    "adult",
    "dose",
    "trough",
)
CHARACTERS = "西罗莫司血小板减少症治疗儿童成人剂量"


def invented(records: int, seed: int, *, chinese: float = 0.0) -> tuple[dict[str, str], dict[str, bool]]:
    """Texts in which relevant records use some words more often; labels of the first half."""
    stream = random.Random(seed)
    texts, labels = {}, {}
    for number in range(records):
        relevant = stream.random() < 0.15
        weights = [5 if relevant and place < 3 else 1 for place in range(len(WORDS))]
        words = stream.choices(WORDS, weights, k=40)
        if stream.random() < chinese:
            heavy = [6 if relevant and place < 4 else 1 for place in range(len(CHARACTERS))]
            words = ["".join(stream.choices(CHARACTERS, heavy, k=60))]
        texts[f"r-{number:05d}"] = " ".join(words)
        labels[f"r-{number:05d}"] = relevant
    return texts, labels


def test_scores_equal_the_formula_of_asreviews_default() -> None:
    """Oracle: scikit-learn with the settings read in ASReview 3.0.8 (elas_u4), put together independently."""
    texts, truth = invented(120, 1)
    known = dict(list(truth.items())[:60])
    ours = rank(texts, known)
    matrix = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_df=0.95).fit_transform(texts.values())
    y = np.array(list(known.values()), dtype=int)
    weight = compute_sample_weight({1: 1.0, 0: (y == 1).sum() / (9.8 * (y == 0).sum())}, y)
    theirs = LinearSVC(C=0.11, loss="squared_hinge").fit(matrix[:60], y, sample_weight=weight * 60 / weight.sum())
    expected = dict(zip(list(texts)[60:], theirs.decision_function(matrix[60:]), strict=True))
    assert ours.method is RankingMethod.SVM
    assert max(abs(expected[id_] - score) for id_, score in zip(ours.order, ours.scores, strict=True)) < SOLVER


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.integers(0, 40))
def test_the_ranking_is_a_function_of_texts_labels_and_seed_alone(seed: int, known: int) -> None:
    texts, truth = invented(40, seed % 7, chinese=0.3)
    labels = dict(list(truth.items())[:known])
    shuffled = list(texts.items())
    random.Random(seed).shuffle(shuffled)
    relabelled = dict(reversed(labels.items()))
    assert rank(dict(shuffled), relabelled, seed=3) == rank(texts, labels, seed=3)


def test_a_review_resumed_from_any_state_goes_on_as_if_it_had_not_stopped() -> None:
    texts, truth = invented(60, 5)
    labels = {next(id_ for id_ in truth if truth[id_] is value): value for value in (True, False)}
    weighed = weigh(texts)
    asked = []
    for _ in range(12):
        first = rank_weighed(weighed, labels).order[0]
        asked.append(first)
        labels[first] = truth[first]
        resumed = rank(dict(texts), dict(labels))
        assert resumed.order[0] == rank_weighed(weighed, labels).order[0]
    assert len(set(asked)) == 12


@pytest.mark.parametrize("chinese", [0.0, 1.0, 0.5], ids=["english", "chinese", "both"])
def test_relevant_records_come_early_in_either_language(chinese: float) -> None:
    texts, truth = invented(400, 2, chinese=chinese)
    ranking = rank(texts, dict(list(truth.items())[:150]))
    early = ranking.order[: len(ranking.order) // 5]
    share = sum(truth[id_] for id_ in early) / sum(truth[id_] for id_ in ranking.order)
    assert share > 0.8  # a random order finds a fifth


@pytest.mark.parametrize(
    ("labels", "question", "method"),
    [
        ({}, "", RankingMethod.SEEDED),
        ({"a": False}, "", RankingMethod.SEEDED),
        ({}, "sirolimus", RankingMethod.LIKE_QUESTION),
        ({"b": False}, "sirolimus", RankingMethod.LIKE_QUESTION),
        ({"a": True}, "knee", RankingMethod.LIKE_INCLUDED),
        ({"a": True, "b": False}, "", RankingMethod.SVM),
    ],
)
def test_without_both_classes_a_stated_order_is_used(
    labels: dict[str, bool], question: str, method: RankingMethod
) -> None:
    texts = {"a": "sirolimus in itp", "b": "the knee", "c": "knee pain", "d": "sirolimus for itp", "e": ""}
    ranking = rank(texts, labels, question=question)
    assert ranking.method is method
    assert set(ranking.order) == set(texts) - set(labels)
    said = {message.code for message in ranking.messages}
    assert "screening.records-without-words" in said
    assert (f"screening.order-{method}" in said) is (method is not RankingMethod.SVM)
    if method in (RankingMethod.LIKE_INCLUDED, RankingMethod.LIKE_QUESTION):
        assert ranking.order[0] == ("d" if "a" in labels else "a")


@pytest.mark.parametrize("texts", [{}, {"a": "", "b": ""}, {"a": "！！", "b": "x"}, {"a": "one word"}])
def test_empty_texts_are_ordered_by_the_seed(texts: dict[str, str]) -> None:
    ranking = rank(texts, {})
    assert ranking.method is RankingMethod.SEEDED
    assert ranking.order == seeded_order(tuple(texts), "ties:0")


def test_everything_decided_leaves_nothing_to_order() -> None:
    assert rank({"a": "one two", "b": "two three"}, {"a": True, "b": False}).order == ()


def test_a_decision_on_no_known_record_is_an_error() -> None:
    with pytest.raises(InputError, match="label-without-text"):
        rank({"a": "one"}, {"z": True})


def test_equal_records_are_ordered_by_the_seed_not_by_their_ids() -> None:
    texts = {f"r-{n}": "the same words" for n in range(30)} | {"x": "other text", "y": "more of it"}
    labels = {"x": True, "y": False}
    one, other = rank(texts, labels, seed=1), rank(texts, labels, seed=2)
    assert one.order != other.order
    assert one.order != tuple(sorted(one.order))
