# SPDX-License-Identifier: Apache-2.0
r"""How far reviewers agree beyond chance: kappa, Gwet's AC1 and Brennan-Prediger, for two or more, with gaps.

All three have the form

.. math:: \frac{p_a - p_e}{1 - p_e}

with the observed agreement :math:`p_a`, the mean over the records that two or more have decided of the share of
agreeing pairs, and differ in what they take chance to be (q categories):

- **Brennan-Prediger**: :math:`p_e = 1/q`.
- **AC1** (Gwet 2008): :math:`p_e = \sum_k \pi_k (1 - \pi_k) / (q - 1)`, where :math:`\pi_k` is the mean over all
  records of the share of its decisions that fall in k.
- **kappa**, two reviewers (Cohen 1960): :math:`p_e = \sum_k p_{1k} p_{2k}` of the records both have decided. Three or
  more (Conger 1980): the mean over the pairs of reviewers of :math:`\sum_k p_{gk} p_{hk}`, each reviewer's shares
  taken over the records that reviewer has decided.

Screening is where kappa misleads most: nearly all records are excluded, so chance agreement is taken to be near 1 and a
high agreement gets a low kappa. That is why the three stand side by side.

Intervals: kappa of two by the large-sample variance of Fleiss, Cohen and Everitt (1969) and the normal distribution;
AC1 and Brennan-Prediger by Gwet's linearised variance and t(n - 1); kappa of three or more by the jackknife over
records and t(n - 1). Bounds are cut at -1 and 1. Where every variance term is 0 (all agree, or all disagree alike) no
interval is given: it would be a single point, and that is not what is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.errors import InputError
from sirolens.message import Message, error, info

__all__ = ["Agreement", "Coefficient", "agreement", "agreement_of"]

KAPPA, AC1, BRENNAN_PREDIGER = "kappa", "ac1", "brennan-prediger"
UNDEFINED = 1e-12  # a chance agreement this near 1 leaves nothing to divide by

Counts = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """One coefficient of agreement.

    Parameters
    ----------
    name : str
        ``kappa``, ``ac1`` or ``brennan-prediger``.
    value, low, high, standard_error : float or None
        None where undefined; `messages` says why.
    chance : float or None
        The agreement that chance alone would give, :math:`p_e`.
    interval : str
        ``fleiss-cohen-everitt``, ``linearised``, ``jackknife``, or empty where there is none.
    messages : tuple of Message
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    standard_error: float | None = None
    chance: float | None = None
    interval: str = ""
    messages: tuple[Message, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far some reviewers agree.

    Parameters
    ----------
    reviewers : tuple of str
    records, joint : int
        Records that at least one, and at least two of them have decided.
    observed : float or None
        Share of agreeing pairs, mean over the joint records.
    coefficients : tuple of Coefficient
        Kappa, AC1, Brennan-Prediger, in this order.
    pairs : tuple of Agreement
        The same for every two of three or more reviewers.
    """

    reviewers: tuple[str, ...]
    records: int
    joint: int
    observed: float | None
    coefficients: tuple[Coefficient, ...]
    pairs: tuple[Agreement, ...] = ()


def agreement(
    decisions: Mapping[str, Mapping[str, str]], categories: Sequence[str], *, confidence: float = 0.95
) -> Agreement:
    """Return the agreement of everybody who decided on these records.

    Parameters
    ----------
    decisions : mapping
        Record id -> reviewer -> decision. A record may miss reviewers.
    categories : sequence of str
        All decisions that could have been made, two or more: one that nobody used still counts for chance.
    confidence : float
        Of the intervals.

    Raises
    ------
    InputError
        ``screening.category-unknown`` for a decision that is no category, ``screening.categories-few``.

    Examples
    --------
    >>> both = {f"r{n}": {"wei": "exclude", "jo": "exclude"} for n in range(118)}
    >>> both |= {f"s{n}": {"wei": "include", "jo": "exclude"} for n in range(5)}
    >>> both |= {f"t{n}": {"wei": "exclude", "jo": "include"} for n in range(2)}
    >>> [(one.name, round(one.value, 3)) for one in agreement(both, ("include", "exclude")).coefficients]
    [('kappa', -0.023), ('ac1', 0.941), ('brennan-prediger', 0.888)]
    """
    reviewers = tuple(sorted({name for each in decisions.values() for name in each}))
    place = {category: number for number, category in enumerate(categories)}
    if len(place) < 2:
        raise InputError(error("screening.categories-few", known=tuple(place)))
    strange = sorted({word for each in decisions.values() for word in each.values()} - set(place))
    if strange:
        raise InputError(error("screening.category-unknown", value=strange[0], known=tuple(place)))
    codes = np.full((len(decisions), len(reviewers)), -1)
    for row, each in enumerate(decisions.values()):
        for column, name in enumerate(reviewers):
            codes[row, column] = place[each[name]] if name in each else -1
    return agreement_of(codes, reviewers, len(place), confidence=confidence)


def agreement_of(
    codes: NDArray[np.int64], reviewers: tuple[str, ...], categories: int, *, confidence: float = 0.95
) -> Agreement:
    """Return the agreement from an array of codes.

    Parameters
    ----------
    codes : ndarray of int, shape (records, reviewers)
        Category number, -1 where not decided.
    reviewers : tuple of str
    categories : int
        Number of categories, q.
    confidence : float
    """
    codes = codes[(codes >= 0).any(axis=1)] if codes.size else codes.reshape(0, len(reviewers))
    one_hot = (codes[:, :, None] == np.arange(categories)).astype(np.float64)
    counts = one_hot.sum(axis=1)
    joint = counts.sum(axis=1) >= 2
    pairs: tuple[Agreement, ...] = ()
    if len(reviewers) > 2:
        pairs = tuple(
            agreement_of(codes[:, [a, b]], (reviewers[a], reviewers[b]), categories, confidence=confidence)
            for a, b in combinations(range(len(reviewers)), 2)
        )
    if not joint.any():
        told = (info("screening.agreement-no-overlap"),)
        names = (KAPPA, AC1, BRENNAN_PREDIGER)
        none = tuple(Coefficient(name=name, value=None, messages=told) for name in names)
        return Agreement(
            reviewers=reviewers, records=len(codes), joint=0, observed=None, coefficients=none, pairs=pairs
        )
    kappa = _cohen(one_hot, confidence) if len(reviewers) == 2 else _conger(one_hot, confidence)
    return Agreement(
        reviewers=reviewers,
        records=len(codes),
        joint=int(joint.sum()),
        observed=float(_pair_agreement(counts)[joint].mean()),
        coefficients=(kappa, _ac1(counts, confidence), _brennan_prediger(counts, confidence)),
        pairs=pairs,
    )


def _pair_agreement(counts: Counts) -> NDArray[np.float64]:
    """Return each record's share of agreeing pairs, 0 where fewer than two decided."""
    decided = counts.sum(axis=1)
    pairs = decided * (decided - 1)
    return np.asarray((counts * (counts - 1)).sum(axis=1) / np.where(pairs > 0, pairs, 1.0))


def _cohen(one_hot: Counts, confidence: float) -> Coefficient:
    """Return Cohen's kappa of two reviewers over the records both have decided."""
    both = one_hot[one_hot.sum(axis=(1, 2)) == 2]
    table = both[:, 0].T @ both[:, 1] / len(both)
    first, second = table.sum(axis=1), table.sum(axis=0)
    observed, chance = float(np.trace(table)), float(first @ second)
    if 1 - chance < UNDEFINED:
        return Coefficient(name=KAPPA, value=None, chance=chance, messages=(info("screening.kappa-one-category"),))
    kappa = (observed - chance) / (1 - chance)
    agreeing = float(np.diag(table) @ (1 - (first + second) * (1 - kappa)) ** 2)
    apart = (1 - kappa) ** 2 * float((table * (1 - np.eye(len(table))) * (second[:, None] + first[None, :]) ** 2).sum())
    variance = (agreeing + apart - (kappa - chance * (1 - kappa)) ** 2) / (len(both) * (1 - chance) ** 2)
    return _with_interval(KAPPA, kappa, chance, variance, "fleiss-cohen-everitt", None, confidence)


def _conger(one_hot: Counts, confidence: float) -> Coefficient:
    """Return Conger's kappa of three or more reviewers."""
    agreeing = _pair_agreement(one_hot.sum(axis=1))
    joint = (one_hot.sum(axis=(1, 2)) >= 2).astype(np.float64)
    sums = one_hot.sum(axis=0)
    all_of_them = _conger_value(float(agreeing.sum()), float(joint.sum()), sums[None])
    value, chance = float(all_of_them[0][0]), float(all_of_them[1][0])
    if not np.isfinite(value):
        return Coefficient(name=KAPPA, value=None, chance=chance, messages=(info("screening.kappa-one-category"),))
    without, _ = _conger_value(agreeing.sum() - agreeing, joint.sum() - joint, sums[None] - one_hot)
    n = len(one_hot)
    variance = float((n - 1) / n * ((without - without.mean()) ** 2).sum()) if np.isfinite(without).all() else np.nan
    return _with_interval(KAPPA, value, chance, variance, "jackknife", n - 1, confidence)


def _conger_value(
    agreeing: NDArray[np.float64] | float, joint: NDArray[np.float64] | float, sums: Counts
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return kappa and chance agreement for many data sets at once; ``sums``: (sets, reviewers, categories)."""
    total = sums.sum(axis=2, keepdims=True)
    share = sums / np.where(total > 0, total, 1.0)
    pairs = list(combinations(range(sums.shape[1]), 2))
    chance = sum((share[:, a] * share[:, b]).sum(axis=1) for a, b in pairs) / len(pairs)
    room = 1 - np.asarray(chance)
    defined = (room > UNDEFINED) & (np.asarray(joint) > 0)
    observed = np.asarray(agreeing) / np.where(np.asarray(joint) > 0, joint, 1.0)
    value = np.where(defined, (observed - chance) / np.where(defined, room, 1.0), np.nan)
    return value, np.asarray(chance)


def _ac1(counts: Counts, confidence: float) -> Coefficient:
    """Return Gwet's AC1 with his linearised variance."""
    q = counts.shape[1]
    share = counts / counts.sum(axis=1, keepdims=True)
    mean = share.mean(axis=0)
    chance = float((mean * (1 - mean)).sum() / (q - 1))
    chance_here = (share * (1 - mean)).sum(axis=1) / (q - 1)
    return _linearised(AC1, counts, chance, 2 * (chance_here - chance), confidence)


def _brennan_prediger(counts: Counts, confidence: float) -> Coefficient:
    """Return the coefficient of Brennan and Prediger; its chance agreement is a constant."""
    return _linearised(BRENNAN_PREDIGER, counts, 1 / counts.shape[1], np.zeros(len(counts)), confidence)


def _linearised(
    name: str, counts: Counts, chance: float, chance_moves: NDArray[np.float64], confidence: float
) -> Coefficient:
    """Return a coefficient whose variance is that of the mean of the records' own contributions."""
    n = len(counts)
    joint = counts.sum(axis=1) >= 2
    agreeing = _pair_agreement(counts)
    value = (float(agreeing[joint].mean()) - chance) / (1 - chance)
    own = n / int(joint.sum()) * np.where(joint, agreeing - chance, 0.0) / (1 - chance)
    own = own - (1 - value) * chance_moves / (1 - chance)
    variance = float(((own - value) ** 2).sum()) / (n * (n - 1)) if n > 1 else float("nan")
    return _with_interval(name, value, chance, variance, "linearised", n - 1, confidence)


def _with_interval(
    name: str, value: float, chance: float, variance: float, method: str, freedom: int | None, confidence: float
) -> Coefficient:
    from scipy.special import ndtri, stdtrit

    if not variance > UNDEFINED**2:
        told = (info("screening.agreement-no-interval"),)
        return Coefficient(name=name, value=value, chance=chance, messages=told)
    upper = 1 - (1 - confidence) / 2
    reach = float(ndtri(upper) if freedom is None else stdtrit(freedom, upper)) * variance**0.5
    return Coefficient(
        name=name,
        value=value,
        low=max(-1.0, value - reach),
        high=min(1.0, value + reach),
        standard_error=variance**0.5,
        chance=chance,
        interval=method,
    )
