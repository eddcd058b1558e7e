# SPDX-License-Identifier: Apache-2.0
"""Which record to screen next: the unscreened ordered by what the screened ones have in common.

The ranker has the form and the constants of ASReview 3's default (ELAS u4): TF-IDF of title and abstract
(`sirolens.evidence.screening.term_weights`) and a linear support vector machine with squared hinge loss::

    minimise  1/2 |w|^2 + C sum_i s_i max(0, 1 - y_i (w.x_i + b))^2       C = 0.11

where all included records together weigh 9.8 times all excluded ones, and the weights s_i sum to the number of labelled
records. Unscreened records are ordered by w.x + b.

The order is a function of the texts, the labels and the seed alone: not of the order in which records were imported or
decided, nor of what was ranked before. A review resumed from any state therefore goes on where it stood.

Where the machine cannot be trained, the order is one of the fall-backs, and the result says which:

====================  ========================================================================================
``svm``               both an included and an excluded record are known
``like-included``     only included ones are known: by the cosine with their mean
``like-question``     no included one is known: by the cosine with the protocol's words
``seeded``            no usable text at all (and no protocol's words): a random order drawn from the seed
====================  ========================================================================================

Ties are broken by the seeded random order. A ranking only orders: it never excludes a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.errors import InputError
from sirolens.evidence.screening.term_weights import TermWeights, weigh
from sirolens.message import Message, error, info

__all__ = ["Ranking", "RankingMethod", "rank", "rank_weighed", "seeded_order"]

PENALTY_C = 0.11  # this and the next: read in ASReview 3.0.8, configuration elas_u4
INCLUDED_TO_EXCLUDED = 9.8
MOST_PASSES = 5_000  # liblinear needs some tens; the bound is there so that no fit is cut short


class RankingMethod(StrEnum):
    """How an order came about; see the module's table."""

    SVM = "svm"
    LIKE_INCLUDED = "like-included"
    LIKE_QUESTION = "like-question"
    SEEDED = "seeded"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The unscreened records, the most promising first.

    Parameters
    ----------
    order : tuple of str
        Ids of the records without a label.
    scores : tuple of float
        The value each was ordered by; comparable within one ranking only.
    method : RankingMethod
    messages : tuple of Message
        Says which fall-back was used, and how many records have no usable text.
    """

    order: tuple[str, ...]
    scores: tuple[float, ...]
    method: RankingMethod
    messages: tuple[Message, ...] = ()


def rank(texts: Mapping[str, str], labels: Mapping[str, bool], *, seed: int = 0, question: str = "") -> Ranking:
    """Order the unscreened records.

    Parameters
    ----------
    texts : mapping of str to str
        Record id to title and abstract.
    labels : mapping of str to bool
        The decided ones: True for included (and "maybe"), False for excluded.
    seed : int
        Of the random order that breaks ties, and of the solver.
    question : str
        The protocol's words, for the time before the first inclusion.

    Raises
    ------
    InputError
        When a label belongs to no text.

    Examples
    --------
    >>> texts = {"a": "sirolimus in ITP", "b": "surgery of the knee", "c": "sirolimus for ITP", "d": "knee pain"}
    >>> found = rank(texts, {"a": True, "b": False})
    >>> found.order, str(found.method)
    (('c', 'd'), 'svm')
    >>> str(rank(texts, {}, question="sirolimus").method)
    'like-question'
    """
    return rank_weighed(weigh(texts, question), labels, seed=seed)


def rank_weighed(weighed: TermWeights, labels: Mapping[str, bool], *, seed: int = 0) -> Ranking:
    """Order the unscreened records by terms weighed before; the same order as `rank` gives.

    Weighing takes most of the time and does not change while records are screened.
    """
    strangers = sorted(set(labels) - set(weighed.ids))
    if strangers:
        raise InputError(error("screening.label-without-text", ids=tuple(strangers[:5]), count=len(strangers)))
    label = np.array([labels.get(id_, -1) for id_ in weighed.ids], dtype=np.int64)
    left = np.flatnonzero(label < 0)
    method = _method(weighed, label)
    scores = _scores(weighed, label, left, method, seed)
    chance = {id_: place for place, id_ in enumerate(seeded_order(weighed.ids, f"ties:{seed}"))}
    tie = np.array([chance[weighed.ids[row]] for row in left], dtype=np.int64)
    order = np.lexsort((tie, -scores))
    return Ranking(
        order=tuple(weighed.ids[row] for row in left[order]),
        scores=tuple(scores[order].tolist()),
        method=method,
        messages=_told(weighed, method),
    )


def seeded_order(ids: tuple[str, ...], seed: str) -> tuple[str, ...]:
    """Return the ids in a random order that depends on the seed and the ids alone: by the hash of both.

    >>> seeded_order(("a", "b", "c"), "one") == seeded_order(("c", "a", "b"), "one")
    True
    """
    return tuple(sorted(ids, key=lambda id_: (sha256(f"{seed}\x00{id_}".encode()).digest(), id_)))


def _method(weighed: TermWeights, label: NDArray[np.int64]) -> RankingMethod:
    if weighed.empty:
        return RankingMethod.SEEDED
    if (label == 1).any():
        return RankingMethod.SVM if (label == 0).any() else RankingMethod.LIKE_INCLUDED
    return RankingMethod.LIKE_QUESTION if weighed.question.any() else RankingMethod.SEEDED


def _scores(
    weighed: TermWeights, label: NDArray[np.int64], left: NDArray[np.int64], method: RankingMethod, seed: int
) -> NDArray[np.float64]:
    unscreened = weighed.matrix[left]
    if method is RankingMethod.SVM and len(left):
        return _margin(weighed, label, left, seed)
    if method is RankingMethod.LIKE_INCLUDED:
        return np.asarray(unscreened @ np.asarray(weighed.matrix[label == 1].mean(axis=0)).ravel())
    if method is RankingMethod.LIKE_QUESTION:
        return np.asarray(unscreened @ weighed.question)
    return np.zeros(len(left))


def _margin(weighed: TermWeights, label: NDArray[np.int64], left: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Train on the labelled rows and return w.x + b of the others."""
    from sklearn.svm import LinearSVC

    known = np.flatnonzero(label >= 0)
    y = label[known]
    included, excluded = int((y == 1).sum()), int((y == 0).sum())
    weight = np.where(y == 1, 1.0, included / (INCLUDED_TO_EXCLUDED * excluded))
    machine = LinearSVC(C=PENALTY_C, loss="squared_hinge", max_iter=MOST_PASSES, random_state=seed)
    machine.fit(weighed.matrix[known], y, sample_weight=weight * (len(y) / weight.sum()))
    return np.asarray(machine.decision_function(weighed.matrix[left]))


def _told(weighed: TermWeights, method: RankingMethod) -> tuple[Message, ...]:
    told = []
    if method is not RankingMethod.SVM:
        told.append(info(f"screening.order-{method}"))
    silent = int((np.diff(weighed.matrix.indptr) == 0).sum())
    if silent:
        told.append(info("screening.records-without-words", count=silent))
    return tuple(told)
