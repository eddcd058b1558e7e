# SPDX-License-Identifier: Apache-2.0
"""What a synthesis gives: the studies first, then every pooled line with its intervals, then what must be said."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import final

from sirolens.engine.pooling.heterogeneity import Heterogeneity
from sirolens.engine.pooling.influence import Baujat, Influence
from sirolens.engine.pooling.small_study import Filled
from sirolens.engine.statistics.interval import Array, Interval, Test, Undefined, no_interval
from sirolens.evidence.extraction.outcome import OutcomeRow
from sirolens.message import Message

__all__ = ["SHARE", "Left", "PoolLine", "Pooled", "StudyLine", "alone"]

SHARE = "share"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StudyLine:
    """One study of a pool, as it stands in the forest plot.

    Parameters
    ----------
    label : str
    row : OutcomeRow
        Of its only or its treated arm.
    control : OutcomeRow or None
        Of its control arm.
    estimate : float
        A share, a ratio or a difference, as readers know it (not a logarithm).
    interval : Interval
        A share's own is Clopper and Pearson's, that of an effect Wald's.
    weight : float
        Its part of the pool, 0 to 1, of the inverse-variance pool beside; nan when it says nothing.
    corrected : bool
        True when 1/2 was added to its cells on the scale of the inverse-variance pool.
    """

    label: str
    row: OutcomeRow
    control: OutcomeRow | None = None
    estimate: float
    interval: Interval
    weight: float
    corrected: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLine:
    """One pooled estimate by one method.

    Parameters
    ----------
    method : str
        ``"binomial-normal"``, ``"half-normal"``, ``"logit"``, ``"log"``, ``"arcsine"``, ``"freeman-tukey"``,
        ``"inverse-variance"``, ``"mantel-haenszel"`` or ``"peto"``; ``"one-study"`` where a cumulative pool begins.
    estimate : float
        As readers know it: a share, a ratio, a difference.
    interval, prediction : Interval
        Of the estimate, and of a new study's true value; their `method` says how.
    tau2 : float
        Variance between studies, on the scale of the method; nan where there is none.
    tau2_interval : Interval
        By profile likelihood (binomial-normal), posterior (half-normal) or Q-profile.
    label : str
        In leave-one-out the study left out, in a cumulative pool the one that came in.
    reason : Undefined, optional
        Why there is no estimate.
    """

    method: str
    estimate: float
    interval: Interval
    prediction: Interval
    tau2: float
    tau2_interval: Interval
    label: str = ""
    reason: Undefined | None = None


def alone(study: StudyLine) -> PoolLine:
    """Return one study as a line: its own estimate and interval, since one study says nothing of a spread.

    >>> from sirolens.evidence.extraction.outcome import OutcomeRow
    >>> row = OutcomeRow(study="A", outcome="OR", timepoint="3m", k=3, n=12)
    >>> own = Interval(low=0.05, high=0.57, level=0.95, method="clopper-pearson")
    >>> line = alone(StudyLine(label="A", row=row, estimate=0.25, interval=own, weight=1.0))
    >>> line.method, line.interval.high, line.prediction.reason
    ('one-study', 0.57, <Undefined.TOO_FEW: 'too-few'>)
    """
    nothing = no_interval(study.interval.level, "one-study", Undefined.TOO_FEW)
    return PoolLine(
        method="one-study",
        estimate=study.estimate,
        interval=study.interval,
        prediction=nothing,
        tau2=nan,
        tau2_interval=nothing,
        label=study.label,
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A row that matched the outcome and time but is not in the pool.

    Parameters
    ----------
    row : OutcomeRow
    reason : str
        ``"subgroup"``, ``"comparative"``, ``"single-arm"``, ``"combination"``, ``"population"``, ``"no-counts"``,
        ``"overlap"``, ``"no-partner-arm"`` or ``"no-information"``.
    """

    row: OutcomeRow
    reason: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """Everything a synthesis says of one outcome at one time.

    Parameters
    ----------
    outcome, timepoint : str
    effect : str
        ``"share"`` or an effect of two arms: ``"OR"``, ``"RR"``, ``"RD"``, ``"MD"``, ``"SMD"``.
    studies : tuple of StudyLine
        In the order of the rows.
    main : PoolLine or None
        What to show; None with fewer than two studies.
    beside : tuple of PoolLine
        Other methods, to compare.
    heterogeneity : Heterogeneity
        On the scale of the inverse-variance pool.
    homogeneity : Test
        Likelihood ratio of the binomial-normal model; for effects Cochran's Q.
    leave_one_out, cumulative : tuple of PoolLine
        By the main method; cumulative by year, then as the rows stand. The first of a cumulative pool is that study.
    influence : Influence or None
    baujat : Baujat or None
    y, v : Array
        Effects and variances behind funnel and Baujat plots, in the order of `studies`; nan where there is none.
    scale : str
        Of `y`: ``"logit"`` or the effect's own.
    egger, peters, begg : Test
        Refused below ten studies.
    filled : Filled or None
        Trim and fill on the scale of `y`.
    left : tuple of Left
    messages : tuple of Message
    """

    outcome: str
    timepoint: str
    effect: str
    studies: tuple[StudyLine, ...]
    main: PoolLine | None
    beside: tuple[PoolLine, ...]
    heterogeneity: Heterogeneity
    homogeneity: Test
    leave_one_out: tuple[PoolLine, ...]
    cumulative: tuple[PoolLine, ...]
    influence: Influence | None
    baujat: Baujat | None
    y: Array
    v: Array
    scale: str
    egger: Test
    peters: Test
    begg: Test
    filled: Filled | None
    left: tuple[Left, ...]
    messages: tuple[Message, ...]

    @property
    def k(self) -> int:
        """How many studies are pooled."""
        return len(self.studies)

    @property
    def criteria_flagged(self) -> bool:
        """True when response criteria differ or are not reported: the plot must say so."""
        flagged = {"pooling.criteria-not-reported", "pooling.criteria-joined"}
        return any(message.code in flagged for message in self.messages)

    def line(self, method: str) -> PoolLine:
        """Return the line of a method.

        Raises
        ------
        KeyError
            The pool has no such line.
        """
        for line in (self.main, *self.beside):
            if line is not None and line.method == method:
                return line
        raise KeyError(method)
