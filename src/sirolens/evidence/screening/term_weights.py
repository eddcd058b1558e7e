# SPDX-License-Identifier: Apache-2.0
"""What a title and abstract say, as numbers: words and word pairs for English, runs of characters for Chinese.

English text is cut as scikit-learn's ``TfidfVectorizer(ngram_range=(1, 2))`` cuts it (words of two letters or more, and
pairs of neighbours); a run of Chinese characters, which has no spaces, is cut into every one and two characters
that stand together, so that no word list is needed. One record may hold both. The weights are the usual ones::

    tf(t, d)    = 1 + ln count(t, d)
    idf(t)      = ln((1 + n) / (1 + df(t))) + 1
    weight(t,d) = tf * idf, each record's vector scaled to length 1

Terms found in more than 95 % of the records are dropped. Logarithms are taken by Python's `math.log` of numbers that
depend on whole counts only, so that the weights do not change with the processor.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["COMMONEST_SHARE", "TermWeights", "cut", "weigh"]

COMMONEST_SHARE = 0.95  # ASReview 3's default: a term in more records than this tells nothing
LONGEST_CHARACTER_RUN = 2  # measured in validation/screening: longer ones cost three times the terms and add nothing
HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ffff"
PIECE = re.compile(rf"([{HAN}]+)|([^\W{HAN}]{{2,}})")
PLAIN_WORD = re.compile(r"\w{2,}")


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TermWeights:
    """The records of a review as weighted terms.

    Parameters
    ----------
    ids : tuple of str
        The records, sorted: the weights do not depend on the order in which records came.
    matrix : scipy.sparse.csr_matrix, shape (records, terms)
        Rows of length 1; a record without any usable term is a row of zeros.
    question : ndarray, shape (terms,)
        The protocol's words in the same terms, length 1, or zeros.
    """

    ids: tuple[str, ...]
    matrix: csr_matrix
    question: NDArray[np.float64]

    @property
    def empty(self) -> bool:
        """True when no record has a usable term."""
        return bool(self.matrix.nnz == 0)


def cut(text: str) -> tuple[list[str | None], list[str]]:
    """Cut one text into words, in order, and runs of Chinese characters.

    Parameters
    ----------
    text : str
        Any language; full-width forms are read as the plain ones.

    Returns
    -------
    words : list of str or None
        Words of two letters or more in lower case; None where Chinese stands between two of them.
    runs : list of str
        Every one and two characters that stand together.

    Examples
    --------
    >>> cut("Sirolimus in ITP: a trial")
    (['sirolimus', 'in', 'itp', 'trial'], [])
    >>> cut("ITP 用药 trial")
    (['itp', None, 'trial'], ['用', '药', '用药'])
    """
    if text.isascii():
        return PLAIN_WORD.findall(text.lower()), []
    words: list[str | None] = []
    runs: list[str] = []
    for characters, word in PIECE.findall(unicodedata.normalize("NFKC", text).lower()):
        words.append(word or None)
        for length in range(1, LONGEST_CHARACTER_RUN + 1):
            runs += [characters[start : start + length] for start in range(len(characters) - length + 1)]
    return words, runs


def weigh(texts: Mapping[str, str], question: str = "") -> TermWeights:
    """Weigh the terms of every record.

    Parameters
    ----------
    texts : mapping of str to str
        Record id to its title and abstract, joined by a blank; an empty text is allowed.
    question : str
        The protocol's words; they are weighed in the records' terms and are no record themselves.

    Examples
    --------
    >>> weighed = weigh({"b": "sirolimus in thrombocytopenia", "a": "西罗莫司治疗血小板减少症"})
    >>> weighed.ids, weighed.matrix.shape[0]
    (('a', 'b'), 2)
    """
    from scipy.sparse import csr_matrix

    ids = tuple(sorted(texts))
    rows, terms = _occurrences([*(texts[id_] for id_ in ids), question])
    known, columns = np.unique(terms, return_inverse=True)
    counts = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(ids) + 1, len(known)))
    counts.sum_duplicates()
    records = counts[: len(ids)]
    found_in = np.bincount(records.indices, minlength=len(known))
    kept = np.flatnonzero((found_in > 0) & (found_in <= COMMONEST_SHARE * len(ids)))
    idf_of = np.array([0.0] + [math.log((1 + len(ids)) / (1 + n)) + 1 for n in range(1, len(ids) + 1)])
    weighted = _scaled(counts[:, kept], idf_of[found_in[kept]])
    return TermWeights(ids=ids, matrix=weighted[: len(ids)], question=weighted[len(ids)].toarray().ravel())


def _occurrences(texts: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for every occurrence of a term, its text and its number: single terms first, then word pairs."""
    number: dict[str, int] = {}
    words: list[int] = []
    runs: list[int] = []
    words_per_text, runs_per_text = [], []
    for text in texts:
        pieces, characters = cut(text)
        numbers = [-1 if word is None else number.setdefault(word, len(number)) for word in pieces]
        words += numbers
        words.append(-1)  # no pair across two texts
        runs += [number.setdefault(run, len(number)) for run in characters]
        words_per_text.append(len(numbers) + 1)
        runs_per_text.append(len(characters))
    word = np.array(words, dtype=np.int64)
    row = np.repeat(np.arange(len(texts)), words_per_text)
    single = word >= 0
    paired = single[:-1] & single[1:]
    pair = len(number) + word[:-1][paired] * max(len(number), 1) + word[1:][paired]
    run_row = np.repeat(np.arange(len(texts)), runs_per_text)
    return (
        np.concatenate([row[single], row[:-1][paired], run_row]),
        np.concatenate([word[single], pair, np.array(runs, dtype=np.int64)]),
    )


def _scaled(counts: Any, idf: NDArray[np.float64]) -> Any:
    """Return counts turned into weights, every row of length 1 (a row of zeros stays so)."""
    weighted = counts.tocsr(copy=True)
    weighted.sort_indices()
    often = weighted.data.astype(np.int64)
    tf_of = np.array([0.0] + [1 + math.log(n) for n in range(1, int(often.max(initial=0)) + 1)])
    weighted.data = tf_of[often] * idf[weighted.indices]
    squares = np.add.reduceat(np.append(weighted.data**2, 0.0), weighted.indptr[:-1])
    length = np.sqrt(np.where(np.diff(weighted.indptr) > 0, squares, 1.0))
    weighted.data /= np.repeat(length, np.diff(weighted.indptr))
    return weighted
