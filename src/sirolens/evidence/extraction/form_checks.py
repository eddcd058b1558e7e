# SPDX-License-Identifier: Apache-2.0
"""What cannot be right in an extraction form, and what a reader of its counts must know.

Impossible counts are errors. Denominators that shrink, counts among responders, percentages that no whole number
prints, arms that do not add up: warnings, each with the numbers that show it. Nothing is mended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sirolens.engine.statistics.contrast import pearson
from sirolens.engine.statistics.integer_search import counts_that_fit, nearest_counts
from sirolens.engine.statistics.printed import percent_text, printed
from sirolens.evidence.extraction.form import AMONG_RESPONDERS, Denominator, Extracted, Extraction
from sirolens.evidence.extraction.outcome import ArmRole, outcome_problems
from sirolens.message import Message, Place, error, info, warning
from sirolens.source import Mark

__all__ = ["form_problems", "possible_counts"]

LONGEST_LIST = 12
"""So many possible counts are written out; more tell nothing."""
MONTHS = {"d": 1 / 30.4375, "w": 7 / 30.4375, "m": 1.0, "y": 12.0}
"""Units of a time point, in months."""


def possible_counts(percent: str, patients: int) -> tuple[int, ...]:
    """Return every whole number of patients that a printed percentage can stand for.

    Parameters
    ----------
    percent : str
        As printed: the decimals matter.
    patients : int
        The denominator, at least 1.

    Returns
    -------
    tuple of int
        By rounding; where no number rounds to it, those whose further digits were cut off.

    Examples
    --------
    >>> possible_counts("58", 43), possible_counts("80.7", 78), possible_counts("61.3", 20)
    ((25,), (63,), ())
    """
    told = printed(percent)
    if told is None:
        return ()
    return tuple(counts_that_fit(told, patients)) or tuple(counts_that_fit(told, patients, cut=True))


def form_problems(form: Extraction) -> tuple[Message, ...]:
    """Return every fault of a form and every warning about its numbers.

    Parameters
    ----------
    form : Extraction

    Returns
    -------
    tuple of Message
        Row by row as in the file, then what only several rows together can show.
    """
    found: list[Message] = []
    for one in form.outcomes:
        faults = outcome_problems(one.row, one.place)
        found += faults or _row_warnings(one, form)
        found += _maybe_percent(one) if faults else ()
    found += _rows_twice(form.outcomes)
    found += _parts(form.outcomes)
    found += _shrinking(form.outcomes)
    found += _among_responders(form)
    found += _sizes(form)
    return tuple(found)


def _named(one: Extracted) -> dict[str, Any]:
    return {"study": one.row.label, "outcome": one.row.outcome, "timepoint": one.row.timepoint}


def _counts(one: Extracted) -> tuple[int, int] | None:
    row = one.row
    return None if row.k is None or row.n is None else (int(row.k), int(row.n))


def _maybe_percent(one: Extracted) -> tuple[Message, ...]:
    """A count larger than its denominator that, read as a percentage, fits: say so."""
    row = one.row
    if row.k is None or row.n is None or not 0 < row.n < row.k <= 100 or row.k != round(row.k):
        return ()
    fits = possible_counts(str(int(row.k)), int(row.n))
    if not fits:
        return ()
    return (info("extraction.maybe-percent", place=one.place, **_named(one), k=int(row.k), n=int(row.n), fits=fits),)


def _row_warnings(one: Extracted, form: Extraction) -> Iterator[Message]:
    row, counts = one.row, _counts(one)
    if counts is not None and row.mark is Mark.MEMORY:
        yield error("extraction.memory-count", place=one.place, **_named(one))
    if counts is not None:
        yield from _enrolment(one, form, counts[1])
    if one.percent and counts is not None:
        yield from _percent_against_counts(one, form, *counts)
    elif one.percent:
        yield _counts_unknown(one, form)
    if row.mark is Mark.DERIVED and counts is not None and not one.how:
        yield warning("extraction.derivation-not-told", place=one.place, **_named(one))


def _enrolment(one: Extracted, form: Extraction, n: int) -> Iterator[Message]:
    arm = form.arm(one.arm)
    cohort = form.study.cohort(one.row.cohort) if one.row.cohort else None
    sizes = (None if arm is None else arm.patients, None if cohort is None else cohort.patients, form.patients.enrolled)
    most = min((size for size in sizes if size is not None), default=None)
    if most is not None and n > most:
        yield error("extraction.more-than-enrolled", place=one.place, **_named(one), n=n, most=most)


def _percent_against_counts(one: Extracted, form: Extraction, k: int, n: int) -> Iterator[Message]:
    told = printed(one.percent)
    if told is None:
        return
    rounded, cut = counts_that_fit(told, n), counts_that_fit(told, n, cut=True)
    values: dict[str, Any] = {
        "percent_text": one.percent,
        "k": k,
        "n": n,
        "computed_text": percent_text(k, n, told.decimals + 2),
    }
    if k in rounded:
        if one.row.mark is Mark.DERIVED and len(rounded) > 1:
            yield warning(
                "extraction.several-counts",
                place=one.place,
                **_named(one),
                **values,
                fits=tuple(rounded)[:LONGEST_LIST],
            )
    elif parts := _rounded_parts(one, form):
        yield info("extraction.percent-sum", place=one.place, **_named(one), **values, parts=parts)
    elif k in cut:
        yield info("extraction.percent-cut", place=one.place, **_named(one), **values)
    else:
        fits = tuple(rounded)[:LONGEST_LIST] or nearest_counts(told, n)
        yield warning("extraction.percent-disagrees", place=one.place, **_named(one), **values, fits=fits)


def _rounded_parts(one: Extracted, form: Extraction) -> tuple[str, ...]:
    """Printed percentages of complete and partial response whose sum is what is printed for both together."""
    if one.row.outcome != "OR":
        return ()
    same = [
        other
        for other in form.outcomes
        if (other.arm, other.report, other.row.cohort, other.row.subgroup, other.row.timepoint)
        == (one.arm, one.report, one.row.cohort, one.row.subgroup, one.row.timepoint)
    ]
    parts = [other.percent for name in ("CR", "PR") for other in same if other.row.outcome == name and other.percent]
    told = [printed(part) for part in (one.percent, *parts)]
    if len(parts) != 2 or any(part is None for part in told):
        return ()
    whole, *rest = (part.value for part in told if part is not None)
    return tuple(parts) if whole == sum(rest) else ()


def _counts_unknown(one: Extracted, form: Extraction) -> Message:
    """A percentage without counts: every whole number behind it, for every denominator of the form."""
    sizes = {int(other.row.n) for other in form.outcomes if other.row.n and other.arm == one.arm}
    arm = form.arm(one.arm)
    sizes |= {size for size in (form.patients.enrolled, None if arm is None else arm.patients) if size is not None}
    fits = [f"{k}/{n}" for n in sorted(sizes, reverse=True) for k in possible_counts(one.percent, n)]
    return warning(
        "extraction.counts-unknown",
        place=one.place,
        **_named(one),
        percent_text=one.percent,
        fits=tuple(fits[:LONGEST_LIST]),
    )


def _rows_twice(outcomes: Sequence[Extracted]) -> Iterator[Message]:
    seen: dict[tuple[str, ...], Extracted] = {}
    for one in outcomes:
        row = one.row
        key = (one.arm, row.cohort, row.subgroup, row.outcome, row.timepoint, one.report)
        if key in seen:
            first = seen[key].place
            line = 0 if first is None or first.line is None else first.line
            yield error("extraction.row-twice", place=one.place, **_named(one), first_line=line)
        seen.setdefault(key, one)


def _parts(outcomes: Sequence[Extracted]) -> Iterator[Message]:
    """Complete and partial responses must add up to overall response where all three have one denominator."""
    groups: dict[tuple[str, ...], dict[str, Extracted]] = defaultdict(dict)
    for one in outcomes:
        row = one.row
        if row.k is not None and row.n is not None:
            groups[one.arm, row.cohort, row.subgroup, row.timepoint, one.report][row.outcome] = one
    for rows in groups.values():
        whole, complete, partial = rows.get("OR"), rows.get("CR"), rows.get("PR")
        if whole is None or complete is None or whole.row.n != complete.row.n:
            continue
        k, part = whole.row.k or 0, complete.row.k or 0
        if part > k:
            yield error(
                "extraction.part-above-whole", place=complete.place, **_named(complete), k=int(part), whole=int(k)
            )
        if partial is not None and partial.row.n == whole.row.n and part + (partial.row.k or 0) != k:
            yield warning(
                "extraction.parts-do-not-add-up",
                place=whole.place,
                **_named(whole),
                whole=int(k),
                parts=(int(part), int(partial.row.k or 0)),
            )


def _months(timepoint: str) -> float | None:
    unit = MONTHS.get(timepoint[-1:])
    return float(timepoint[:-1]) * unit if unit is not None and timepoint[:-1].isdecimal() else None


def _shrinking(outcomes: Sequence[Extracted]) -> Iterator[Message]:
    """A denominator smaller than at an earlier time: say the share of those who were counted first."""
    first: dict[tuple[str, ...], Extracted] = {}
    dated = [(when, one) for one in outcomes if (when := _months(one.row.timepoint)) is not None and _counts(one)]
    for _, one in sorted(dated, key=lambda pair: pair[0]):
        row, counts = one.row, _counts(one)
        key = (one.arm, row.cohort, row.subgroup, row.outcome)
        before = first.setdefault(key, one)
        size, counted = _counts(before), counts
        if size is not None and counted is not None and counted[1] < size[1]:
            yield warning(
                "extraction.denominator-shrinks",
                place=one.place,
                **_named(one),
                earlier=before.row.timepoint,
                first_n=size[1],
                k=counted[0],
                n=counted[1],
                share_percent=100 * counted[0] / counted[1],
                all_percent=100 * counted[0] / size[1],
            )


def _among_responders(form: Extraction) -> Iterator[Message]:
    """An outcome counted among responders: say it per arm, and what the comparison of two arms becomes."""
    groups: dict[tuple[str, str], list[tuple[Extracted, int, int, int]]] = defaultdict(list)
    for one in form.outcomes:
        counts = _counts(one)
        relapse = one.row.outcome == f"RELAPSE{AMONG_RESPONDERS}"  # only those who responded can relapse
        if one.denominator is not Denominator.RESPONDERS or counts is None or relapse:
            continue
        whole = _responders_of(one, form)
        if whole is None:
            continue
        k, n = counts
        if whole[0] != n:
            yield warning("extraction.responders-differ", place=one.place, **_named(one), n=n, responders=whole[0])
        yield warning(
            "extraction.among-responders",
            place=one.place,
            **_named(one),
            k=k,
            n=n,
            arm_n=whole[1],
            share_percent=100 * k / n,
            all_percent=100 * k / whole[1],
        )
        groups[one.row.outcome, one.row.timepoint].append((one, k, n, whole[1]))
    for members in groups.values():
        roles = {one.row.role for one, *_ in members}
        if len(members) == 2 and roles == {ArmRole.TREATED, ArmRole.CONTROL}:
            yield _both_ways(members)


def _responders_of(one: Extracted, form: Extraction) -> tuple[int, int] | None:
    """Return responders and patients of the same arm and cohort: of the best response, else of the latest."""
    same = [
        other
        for other in form.outcomes
        if other.arm == one.arm and other.row.cohort == one.row.cohort and other.row.outcome == "OR" and _counts(other)
    ]
    best = [other for other in same if other.row.timepoint == "best"] or same[-1:]
    return _counts(best[0]) if best else None


def _both_ways(members: Sequence[tuple[Extracted, int, int, int]]) -> Message:
    among = pearson([[k, n - k] for _, k, n, _ in members])
    whole = pearson([[k, size - k] for _, k, _, size in members])
    one = members[0][0]
    return warning(
        "extraction.responders-comparison",
        place=one.place,
        study=one.row.study,
        outcome=one.row.outcome.removesuffix(AMONG_RESPONDERS),
        timepoint=one.row.timepoint,
        among_p=among.p_value,
        all_p=whole.p_value,
    )


def _sizes(form: Extraction) -> Iterator[Message]:
    """Arms whose denominators add up neither to those enrolled nor to those who completed."""
    patients = form.patients
    place = Place(file=form.file or None, field="patients")
    if patients.enrolled is not None and patients.completed is not None and patients.completed > patients.enrolled:
        yield error(
            "extraction.more-than-enrolled",
            place=place,
            study=form.study.id,
            outcome="completed",
            timepoint="end",
            n=patients.completed,
            most=patients.enrolled,
        )
    known = {size for size in (patients.enrolled, patients.completed) if size is not None}
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for one in form.outcomes:
        row, counts = one.row, _counts(one)
        whole = one.denominator is Denominator.ARM and not row.subgroup and row.role is not ArmRole.SINGLE
        if whole and counts is not None:
            sums[row.outcome, row.timepoint][one.arm] = counts[1]
    for (outcome, timepoint), sizes in sums.items():
        if known and len(sizes) == len(form.arms) > 1 and sum(sizes.values()) not in known:
            yield warning(
                "extraction.arms-do-not-add-up",
                place=place,
                study=form.study.id,
                outcome=outcome,
                timepoint=timepoint,
                sizes=tuple(sizes.values()),
                total=sum(sizes.values()),
                known=tuple(sorted(known, reverse=True)),
            )
