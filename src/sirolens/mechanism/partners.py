# SPDX-License-Identifier: Apache-2.0
"""Other treatments beside sirolimus: dated doses on the levels of their effects, with what stands behind each.

What one dose adds comes from the register (``dose`` entries there). ATRA is known and gives nothing: in
lupus it added nothing significant to sirolimus (PMID 31551029), so it has no effect to simulate. Anti-CD38 and FcRn
blockers are not modelled: the file has no state for them, and asking for one says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.simd.integrate import Doses
from sirolens.errors import InputError, UnknownNameError
from sirolens.mechanism.network import Mechanism
from sirolens.message import Message, error, info
from sirolens.source import Mark, Source

__all__ = ["COURSES", "NOT_MODELLED", "Course", "Partner", "Titration", "engine_doses", "partner"]

Array = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """When a partner is given.

    Parameters
    ----------
    dose : str
        Which dose of the register, or ``""`` for none.
    day : tuple of float
        Days of the doses after the start of the course.
    source : Source
        What stands behind the schedule; what stands behind the effect is in the register.
    note : Message, optional
        What must be said whenever it is used.
    """

    dose: str
    day: tuple[float, ...]
    source: Source
    note: Message | None = None


def _schedule(title: str) -> Source:
    return Source(title=title, mark=Mark.ASSUMED)


def _pulses(count: int, apart_d: float) -> tuple[float, ...]:
    return tuple(apart_d * pulse + day for pulse in range(count) for day in range(4))


COURSES: Mapping[str, Course] = MappingProxyType(
    {
        "dexamethasone": Course(
            dose="dexamethasone-40-mg",
            day=_pulses(1, 14.0),
            source=_schedule("High-dose dexamethasone: 40 mg on four days, once"),
        ),
        "dexamethasone-3": Course(
            dose="dexamethasone-40-mg",
            day=_pulses(3, 14.0),
            source=_schedule("High-dose dexamethasone: 40 mg on four days, three times, every 14 days"),
        ),
        "immunoglobulin": Course(
            dose="immunoglobulin-1-g-per-kg",
            day=(0.0, 1.0),
            source=_schedule("Intravenous immunoglobulin: 1 g/kg on two days"),
        ),
        "rituximab": Course(
            dose="rituximab-375-mg-per-m2",
            day=(0.0, 7.0, 14.0, 21.0),
            source=_schedule("Rituximab: 375 mg/m2 weekly, four times"),
        ),
        "rituximab-low": Course(
            dose="rituximab-100-mg",
            day=(0.0, 7.0, 14.0, 21.0),
            source=_schedule("Rituximab: 100 mg weekly, four times"),
        ),
        "romiplostim": Course(
            dose="romiplostim-100-ug",
            day=tuple(7.0 * week for week in range(520)),
            source=_schedule("Romiplostim weekly; fixed at 100 ug unless a titration is given"),
        ),
        "atra": Course(
            dose="",
            day=(),
            source=Source(
                title="ATRA added nothing significant to sirolimus in lupus",
                mark=Mark.SEEN,
                pmid="31551029",
            ),
            note=info("mechanism.atra-without-effect"),
        ),
    }
)
"""The partners that can be asked for by name."""

NOT_MODELLED = ("anti-cd38", "fcrn-blocker")
"""Partners that a reader may expect, and that the model has no state for."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Partner:
    """Doses of one partner for N patients.

    Parameters
    ----------
    name : str
        For people.
    state : str
        The level they add to.
    time_d : ndarray (D,)
        When a dose may be given [d].
    amount : ndarray (N, D) or (1, D)
        What it adds; 0 is no dose.
    messages : tuple of Message
        What must be said about it.
    """

    name: str
    state: str
    time_d: Array
    amount: Array
    messages: tuple[Message, ...] = ()

    def of(self, low: int, high: int) -> Partner:
        """The doses of patients low <= i < high."""
        if len(self.amount) == 1:
            return self
        return Partner(
            name=self.name,
            state=self.state,
            time_d=self.time_d,
            amount=self.amount[low:high],
            messages=self.messages,
        )


def partner(
    mechanism: Mechanism,
    name: str,
    *,
    from_d: float = 0.0,
    until_d: float = np.inf,
    factor: ArrayLike = 1.0,
) -> Partner:
    """Return the doses of a partner.

    Parameters
    ----------
    mechanism : Mechanism
        Whose register says what a dose adds.
    name : str
        One of `COURSES`.
    from_d : float
        First day of the course.
    until_d : float
        No dose on this day or later.
    factor : array_like () or (N,)
        Of each patient's dose, such as 0 for those who do not get it.

    Raises
    ------
    UnknownNameError
        ``mechanism.partner-unknown``.
    InputError
        ``mechanism.partner-not-modelled`` for `NOT_MODELLED`; ``mechanism.factor-impossible``.

    Examples
    --------
    >>> from sirolens.mechanism.network import load
    >>> pulse = partner(load(), "dexamethasone", from_d=7.0)
    >>> pulse.state, pulse.time_d.tolist(), pulse.amount.tolist()
    ('GC', [7.0, 8.0, 9.0, 10.0], [[2.0, 2.0, 2.0, 2.0]])
    """
    if name in NOT_MODELLED:
        raise InputError(error("mechanism.partner-not-modelled", name=name))
    if name not in COURSES:
        raise UnknownNameError(error("mechanism.partner-unknown", name=name, known=", ".join(sorted(COURSES))))
    course = COURSES[name]
    share = np.atleast_1d(np.asarray(factor, dtype=np.float64))
    if share.ndim != 1 or not (np.isfinite(share) & (share >= 0.0)).all():
        raise InputError(error("mechanism.factor-impossible", name=name))
    said = () if course.note is None else (course.note,)
    if not course.dose:
        return Partner(name=name, state="", time_d=np.empty(0), amount=np.empty((1, 0)), messages=said)
    dose = mechanism.register.doses[course.dose]
    times = from_d + np.asarray(course.day)
    times = times[times < until_d]
    amount = np.repeat(dose.amount * share[:, None], times.size, axis=1)
    return Partner(name=name, state=dose.state, time_d=times, amount=amount, messages=said)


_BY_COUNT = _schedule("Romiplostim by count, weekly steps")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Titration:
    """How the weekly dose of a TPO-receptor agonist follows the count; ASSUMED, as no label was read.

    Once a week: below `low` one step more, above `high` one step less, above `stop` nothing until the count is
    below `high`, then one step less than before.

    Parameters
    ----------
    from_d, until_d : float
        First day, and the day from which no dose is given.
    start, step, most : float
        First dose, step and largest dose, in units of the register's dose of romiplostim.
    low_10e9_l, high_10e9_l, stop_10e9_l : float
        Counts.
    noise_cv : float
        Of the count that is acted on.
    source : Source
        What stands behind it.

    Examples
    --------
    >>> dose, held = Titration().next_dose(np.array([1.0, 1.0, 1.0]), np.zeros(3, bool), np.array([20.0, 120.0, 500.0]))
    >>> dose.tolist(), held.tolist()
    ([2.0, 1.0, 1.0], [False, False, True])
    """

    from_d: float = 0.0
    until_d: float = np.inf
    start: float = 1.0
    step: float = 1.0
    most: float = 7.0
    low_10e9_l: float = 50.0
    high_10e9_l: float = 200.0
    stop_10e9_l: float = 400.0
    noise_cv: float = 0.15
    source: Source = field(default=_BY_COUNT)

    def next_dose(self, dose: Array, held: NDArray[np.bool_], count_10e9_l: Array) -> tuple[Array, NDArray[np.bool_]]:
        """The standing dose and who is held, after a count; the dose given is 0 where held."""
        more = np.where(~held & (count_10e9_l < self.low_10e9_l), dose + self.step, dose)
        less = (~held & (count_10e9_l > self.high_10e9_l) & (count_10e9_l <= self.stop_10e9_l)) | (
            held & (count_10e9_l < self.high_10e9_l)
        )
        after = np.clip(np.where(less, dose - self.step, more), 0.0, self.most)
        return after, np.where(held, count_10e9_l >= self.high_10e9_l, count_10e9_l > self.stop_10e9_l)


def engine_doses(
    partners: Sequence[Partner], states: Sequence[str], patients: int, *, after_d: float, first: bool
) -> Doses | None:
    """Write partners' doses as the engine takes them.

    Parameters
    ----------
    partners : sequence of Partner
        Each of these patients, or one row for all.
    states : sequence of str
        Of the integrated network.
    patients : int
        How many.
    after_d : float
        Doses before this are history; one at it counts only at the `first` start, because it is given at the end of
        a run that is gone on from.
    first : bool
        Whether this run begins at the beginning.
    """
    used = [one for one in partners if one.time_d.size]
    if not used:
        return None
    for one in used:
        if len(one.amount) not in (1, patients):
            raise InputError(error("mechanism.doses-patients", rows=len(one.amount), patients=patients))
    times = np.concatenate([one.time_d for one in used])
    amounts = np.concatenate([np.broadcast_to(one.amount, (patients, one.time_d.size)) for one in used], axis=1)
    place = np.concatenate([np.full(one.time_d.size, list(states).index(one.state), np.int64) for one in used])
    due = (times >= after_d) if first else (times > after_d)
    order = np.flatnonzero(due)[np.argsort(times[due], kind="stable")]
    given = amounts[:, order] != 0.0
    where = np.nonzero(given)
    return Doses(
        offsets=np.concatenate(([0], np.cumsum(given.sum(axis=1)))).astype(np.int64),
        times=np.ascontiguousarray(times[order][where[1]]),
        state=np.ascontiguousarray(place[order][where[1]]),
        amount=np.ascontiguousarray(amounts[:, order][where]),
    )
