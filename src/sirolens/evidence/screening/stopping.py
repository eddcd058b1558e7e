# SPDX-License-Identifier: Apache-2.0
r"""When screening may stop early: a random sample of the unscreened, looked at on a schedule fixed beforehand.

**The rule.** Before screening begins a plan is declared: target recall :math:`\tau` (.95), error :math:`\alpha` (.05),
looks (after 10, 20, ... 80 % of the sample's order) and a seed. Whenever the reviewers like (the choice may rest on
anything they have seen) they *open* the sample: the u records still unscreened get a random order, fixed by the seed,
and are from then on screened in that order. Be r the relevant records found before, X_n those found among the first
n of the order, m the unknown number of relevant ones among the u. Screening may stop at the first look
:math:`n_j` with :math:`X_{n_j} \le c_j`; the recall reached is :math:`(r + X_{n_j})/(r + m)`.

**Why it holds, whatever the ranking.** The order was fixed by a hash of seed and record id before anybody read
anything, and the ranking does not use it. Given all that happened before the opening, it is uniformly random, and X
follows the hypergeometric law. `sirolens.evidence.screening.stopping_law` derives the boundaries :math:`c_j` that keep
the probability of stopping below the target at alpha or less, for every m. With several openings declared (say 2),
each gets alpha / 2; the sum bounds the whole.

**When it cannot help.** Even with nothing relevant in the sample, K(0) missed records must be made unlikely: about
:math:`(1 - n/u)^{K(0)} \le \alpha`. With fewer than 19 found, one missed record already breaks a recall of .95, and
only n > .95 u would do: the answer is "screen all". That is usual below about 1,000 records.

**What it assumes.** The reviewers' decisions on the sample are right (both have decided, conflicts are settled,
"maybe" counts as relevant), records added later are outside of it, and the plan was declared before screening.
The test on a random sample of the rest was proposed by Callaghan and Müller-Hansen (2020); the exact boundaries over
several looks, on the recall after the sample, are derived above.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, final

import numpy as np

from sirolens.errors import InputError
from sirolens.evidence.screening.ranking import seeded_order
from sirolens.evidence.screening.stopping_law import boundaries, crossing
from sirolens.message import Message, error, info, warning
from sirolens.source import Mark, Source

__all__ = [
    "STOPPING_SOURCE",
    "StopAnswer",
    "StopPlan",
    "StopSample",
    "StopVerdict",
    "error_probability",
    "open_sample",
    "plan_from_table",
    "stop",
]

LOOKS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)

STOPPING_SOURCE = Source(
    title="Statistical stopping criteria for automated screening in systematic reviews",
    year=2020,
    doi="10.1186/s13643-020-01521-4",
    mark=Mark.SEEN,
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StopPlan:
    """What is declared before screening begins.

    Parameters
    ----------
    seed : str
        Any text, such as the registration number of the review; it fixes the random order.
    target_recall : float
        In (0, 1).
    error : float
        Highest probability of stopping below the target recall; confidence is 1 less it.
    looks : tuple of float
        Shares of the sample's order after which a stop is considered, rising, in (0, 1).
    openings : int
        How often a sample may be opened; the error is divided by it.

    Raises
    ------
    InputError
        ``screening.plan-value`` names what does not fit.

    Examples
    --------
    >>> StopPlan(seed="invented").target_recall
    0.95
    """

    seed: str
    target_recall: float = 0.95
    error: float = 0.05
    looks: tuple[float, ...] = LOOKS
    openings: int = 1

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in zip((0.0, *self.looks), (*self.looks, 1.0), strict=True))
        faults = [
            error("screening.plan-value", field=field, value=str(value), expected=expected)
            for field, value, fits, expected in (
                ("seed", self.seed, bool(self.seed.strip()), "text"),
                ("target_recall", self.target_recall, 0 < self.target_recall < 1, "0 < x < 1"),
                ("error", self.error, 0 < self.error < 1, "0 < x < 1"),
                ("looks", self.looks, bool(self.looks) and rising, "0 < a < b < ... < 1"),
                ("openings", self.openings, self.openings >= 1, ">= 1"),
            )
            if not fits
        ]
        if faults:
            raise InputError(*faults)

    def table(self) -> dict[str, Any]:
        """Return the plan as values of an event; `plan_from_table` reads them."""
        return {
            "seed": self.seed,
            "target_recall": self.target_recall,
            "error": self.error,
            "looks": list(self.looks),
            "openings": self.openings,
        }


class StopAnswer(StrEnum):
    """What a look at the sample says."""

    MAY_STOP = "may-stop"
    GO_ON = "go-on"
    SCREEN_ALL = "screen-all"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StopSample:
    """A sample that was opened: its order, its looks and their boundaries.

    Parameters
    ----------
    order : tuple of str
        The u unscreened records in the random order.
    found_before : int
        Relevant records found before the opening, r.
    looks : tuple of int
        Numbers of records of the order after which a stop is considered.
    most_found : tuple of int
        Boundary of each look: stop when no more than this many are relevant; -1 where no stop is possible.
    plan : StopPlan
    opening : int
        Which opening of the plan this is, from 1.
    """

    order: tuple[str, ...]
    found_before: int
    looks: tuple[int, ...]
    most_found: tuple[int, ...]
    plan: StopPlan
    opening: int

    @property
    def attainable(self) -> bool:
        """True when at least one look can end the screening."""
        return any(bound >= 0 for bound in self.most_found)

    @property
    def earliest(self) -> int | None:
        """The smallest number of records after which a stop is possible."""
        return next((n for n, bound in zip(self.looks, self.most_found, strict=True) if bound >= 0), None)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StopVerdict:
    """What may be done now.

    Parameters
    ----------
    answer : StopAnswer
    screened, found : int
        Records of the order screened without a gap from its start, and the relevant ones up to the look that was used.
    rest : tuple of str
        With ``may-stop``: the records that would stay unread.
    next_look : int or None
        With ``go-on``: number of records of the order at which the next look comes.
    messages : tuple of Message
    """

    answer: StopAnswer
    screened: int
    found: int
    rest: tuple[str, ...] = ()
    next_look: int | None = None
    messages: tuple[Message, ...] = ()


def plan_from_table(table: Mapping[str, Any]) -> StopPlan:
    """Read a plan from a protocol's or an event's table.

    Raises
    ------
    InputError
        ``screening.plan-key`` for a key that no plan has, ``screening.plan-value`` for a value that does not fit.

    Examples
    --------
    >>> plan_from_table({"seed": "invented", "looks": [0.5]}).looks
    (0.5,)
    """
    known = ("seed", "target_recall", "error", "looks", "openings")
    strange = [error("screening.plan-key", field=name, known=known) for name in table if name not in known]
    if strange:
        raise InputError(*strange)
    try:
        return StopPlan(
            seed=str(table.get("seed", "")),
            target_recall=float(table.get("target_recall", 0.95)),
            error=float(table.get("error", 0.05)),
            looks=tuple(float(share) for share in table.get("looks", LOOKS)),
            openings=int(table.get("openings", 1)),
        )
    except (TypeError, ValueError) as failure:
        raise InputError(
            error("screening.plan-value", field="looks", value=str(dict(table)), expected="0.5")
        ) from failure


def open_sample(plan: StopPlan, unscreened: Sequence[str], found_before: int, *, opening: int = 1) -> StopSample:
    """Order the unscreened records at random and compute the boundaries of all looks.

    Parameters
    ----------
    plan : StopPlan
    unscreened : sequence of str
        Ids of all records not screened yet.
    found_before : int
        Relevant records found so far.
    opening : int
        Which opening of the plan this is, from 1.

    Raises
    ------
    InputError
        ``screening.openings-spent`` when the plan allows no further opening.

    Examples
    --------
    >>> sample = open_sample(StopPlan(seed="invented"), [f"r-{n}" for n in range(2000)], 100)
    >>> sample.attainable, sample.earliest, sample.most_found[-1] > sample.most_found[0]
    (True, 1000, True)
    >>> open_sample(StopPlan(seed="invented"), [f"r-{n}" for n in range(400)], 10).attainable
    False
    """
    if not 1 <= opening <= plan.openings:
        raise InputError(error("screening.openings-spent", openings=plan.openings))
    order = seeded_order(tuple(unscreened), f"stop:{plan.seed}:{opening}")
    looks = tuple(dict.fromkeys(math.ceil(share * len(order)) for share in plan.looks))
    looks = tuple(n for n in looks if n < len(order))
    return StopSample(
        order=order,
        found_before=found_before,
        looks=looks,
        most_found=boundaries(len(order), found_before, looks, _exact(plan.target_recall), plan.error / plan.openings),
        plan=plan,
        opening=opening,
    )


def stop(sample: StopSample, decided: Mapping[str, bool]) -> StopVerdict:
    """Say whether screening may stop.

    Parameters
    ----------
    sample : StopSample
    decided : mapping of str to bool
        Final decisions on records of the sample, True for relevant. Records past the first gap in the order do not
        count: only a complete beginning is a random sample.

    Examples
    --------
    >>> sample = open_sample(StopPlan(seed="invented"), [f"r-{n}" for n in range(2000)], 100)
    >>> str(stop(sample, {}).answer), stop(sample, {}).next_look
    ('go-on', 1000)
    >>> verdict = stop(sample, {id_: False for id_ in sample.order[:1000]})
    >>> str(verdict.answer), len(verdict.rest)
    ('may-stop', 1000)
    """
    done = next((n for n, id_ in enumerate(sample.order) if id_ not in decided), len(sample.order))
    found = np.cumsum([0, *(decided[id_] for id_ in sample.order[:done])])
    for look, bound in zip(sample.looks, sample.most_found, strict=True):
        if look <= done and found[look] <= bound:
            return _may_stop(sample, decided, look, int(found[look]))
    following = next(
        (n for n, bound in zip(sample.looks, sample.most_found, strict=True) if n > done and found[done] <= bound), None
    )
    if following is None:
        why = "screening.screen-all" if sample.attainable else "screening.stop-unattainable"
        told = warning(why, found=sample.found_before, records=len(sample.order), recall_percent=_percent(sample))
        answer = StopAnswer.SCREEN_ALL
    else:
        told = info("screening.next-look", screened=done, look=following, found=int(found[done]))
        answer = StopAnswer.GO_ON
    return StopVerdict(answer=answer, screened=done, found=int(found[done]), next_look=following, messages=(told,))


def _may_stop(sample: StopSample, decided: Mapping[str, bool], look: int, found: int) -> StopVerdict:
    rest = tuple(id_ for id_ in sample.order[look:] if id_ not in decided)
    told = info(
        "screening.may-stop",
        rest=len(rest),
        look=look,
        found=found,
        recall_percent=_percent(sample),
        confidence_percent=100 * (1 - sample.plan.error),
        source=STOPPING_SOURCE,
    )
    return StopVerdict(answer=StopAnswer.MAY_STOP, screened=look, found=found, rest=rest, messages=(told,))


def _percent(sample: StopSample) -> float:
    return 100 * sample.plan.target_recall


def _exact(share: float) -> Fraction:
    """Return a share as the decimal number that was written, not as its binary neighbour."""
    return Fraction(repr(share))


def error_probability(sample: StopSample, missed: int) -> float:
    """Return the exact probability of stopping below the target when so many relevant records are in the pool.

    Examples
    --------
    >>> sample = open_sample(StopPlan(seed="invented"), [f"r-{n}" for n in range(2000)], 100)
    >>> 0.01 < error_probability(sample, 6) <= 0.05, error_probability(sample, 5)
    (True, 0.0)
    """
    target = _exact(sample.plan.target_recall)
    return crossing(len(sample.order), sample.found_before, sample.looks, sample.most_found, missed, target)
