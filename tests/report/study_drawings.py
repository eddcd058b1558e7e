# SPDX-License-Identifier: Apache-2.0
"""Invented figures of studies of 1, 2, 20 and 5,000 patients: nobody's data, made by arithmetic."""

from __future__ import annotations

import math

from sirolens.message import info
from sirolens.report.course_figure import ManyCourses, PatientLine
from sirolens.report.distribution_figure import Distributions, Group
from sirolens.report.drawing import Drawing
from sirolens.report.interval_figure import Estimate, Intervals
from sirolens.report.roc_figure import Roc, RocCurve
from sirolens.report.survival_figure import Curve, SurvivalCurves
from sirolens.report.swimmer_figure import Lane, LaneMark, LaneSpan, LaneState, MarkKind, Swimmer

SIZES = (1, 2, 20, 5000)
DAYS = (0, 7, 14, 28, 56, 91, 119, 147, 182, 273, 365)


def _lane(index: int) -> Lane:
    last = 40.0 + (index * 37) % 340
    states = (LaneState.RESPONSE, LaneState.COMPLETE, LaneState.MASKED)
    spans = tuple(
        LaneSpan(start_d=last * (0.2 + 0.25 * k), stop_d=last * (0.45 + 0.25 * k), state=state)
        for k, state in enumerate(states)
        if (index + k) % 3
    )
    kinds = (MarkKind.RESCUE, MarkKind.BLEEDING, MarkKind.STOPPED)
    marks = tuple(
        LaneMark(day=last * (0.1 + 0.3 * k), kind=kind) for k, kind in enumerate(kinds) if (index + k) % 4 == 1
    )
    ongoing = (LaneMark(day=last, kind=MarkKind.ONGOING),) if index % 3 == 0 else ()
    return Lane(name=f"P-{index + 1:02d}", last_d=last, spans=spans, marks=(*marks, *ongoing))


def swimmer(count: int) -> Swimmer:
    return Swimmer(lanes=tuple(_lane(index) for index in range(count)), landmarks_d=(91.0, 182.0, 365.0))


def survival(count: int) -> SurvivalCurves:
    curves = []
    for arm, name in enumerate(("Sirolimus", "Sirolimus + dexamethasone")[: 1 if count < 2 else 2]):
        steps = [3.0 + (365.0 - 3.0) * (k + 1) / count for k in range(count)]
        times = tuple(dict.fromkeys(round(step) for step in steps if (round(step) + arm) % 3))
        share = tuple(1 - 0.8 * (k + 1) / (len(times) + 2 + arm) for k in range(len(times)))
        curves.append(
            Curve(
                name=name,
                time_d=tuple(float(t) for t in times),
                probability=share,
                low=tuple(max(0.0, p - 0.15) for p in share),
                high=tuple(min(1.0, p + 0.12) if k else math.nan for k, p in enumerate(share)),
                censored_d=tuple(float(round(step)) for step in steps if (round(step) + arm) % 3 == 0),
                at_risk=tuple((day, max(0, round(count * (1 - day / 400)))) for day in range(0, 366, 91)),
                last_d=365.0,
            )
        )
    return SurvivalCurves(curves=tuple(curves), axis=info("figures.n", n=count))


def courses(count: int) -> ManyCourses:
    def count_at(index: int, day: float) -> float:
        return 8 + (index * 7) % 22 + (180 - (index * 13) % 170) * (1 - math.exp(-day / (30 + index % 50)))

    lines = tuple(
        PatientLine(
            day=tuple(day + (index % 5) * (day > 0) for day in DAYS),
            count_10e9_l=tuple(count_at(index, d) for d in DAYS),
        )
        for index in range(count)
    )
    medians = tuple(count_at(3, day) for day in DAYS)
    return ManyCourses(
        lines=lines,
        at_d=tuple(float(day) for day in DAYS),
        median_10e9_l=medians,
        low_10e9_l=tuple(0.6 * one for one in medians),
        high_10e9_l=tuple(1.5 * one for one in medians),
        patients=tuple(max(1, count - 2 * k) for k in range(len(DAYS))),
    )


def intervals(*, ratio: bool) -> Intervals:
    rows = [Estimate(name="Day 91, everyone who is due", heading=True)]
    for k, name in enumerate(
        (
            "Complete response",
            "Overall response",
            "基线血小板计数低于 10 的患者",
            "A subgroup with a name that is much too long for its room here",
        )
    ):
        middle = 0.2 + 0.2 * k
        rows.append(
            Estimate(
                name=name,
                middle=middle * (3 if ratio else 1),
                low=middle / 2,
                high=middle * (4 if ratio else 1.2),
                text=f"{4 * k}/20",
            )
        )
    rows.append(Estimate(name="Nobody", text="0/0"))
    return Intervals(rows=tuple(rows), axis=info("figures.n", n=20), ratio=ratio)


def troughs(count: int) -> Distributions:
    values = tuple(2 + (index * 0.618034 % 1) ** 2 * 16 for index in range(count))
    return Distributions(
        groups=(
            Group(name="All levels", values=values),
            Group(name="Day 91 responders", values=values[::2]),
            Group(name="未缓解", values=values[1::2]),
        ),
        axis=info("figures.n", n=count),
        band_low=5.0,
        band_high=15.0,
    )


def paired(count: int) -> Distributions:
    before = tuple(3 + (index * 0.618034 % 1) * 4 for index in range(count))
    after = tuple(value + 1.2 - (index % 4) * 0.5 for index, value in enumerate(before))
    groups = (Group(name="Before", values=before), Group(name="On treatment", values=after))
    return Distributions(groups=groups, axis=info("figures.n", n=count), pairs=tuple(zip(before, after, strict=True)))


def roc(count: int) -> Roc:
    share = tuple(index / count for index in range(count + 1))
    return Roc(
        curves=(
            RocCurve(name="AUC 0.71 (0.48–0.94)", false_positive=share, true_positive=tuple(x**0.4 for x in share)),
        )
    )


def drawings() -> dict[str, Drawing]:
    """Every figure in every size."""
    found: dict[str, Drawing] = {"intervals": intervals(ratio=False), "ratios": intervals(ratio=True)}
    for size in SIZES:
        found |= {
            f"swimmer-{size}": swimmer(size),
            f"survival-{size}": survival(size),
            f"courses-{size}": courses(size),
            f"troughs-{size}": troughs(size),
            f"paired-{size}": paired(size),
            f"roc-{size}": roc(size),
        }
    empty = SurvivalCurves(curves=(), axis=info("figures.n", n=0))
    nothing = ManyCourses(lines=(), at_d=(), median_10e9_l=(), low_10e9_l=(), high_10e9_l=(), patients=())
    return {
        **found,
        "swimmer-0": swimmer(0),
        "survival-0": empty,
        "courses-0": nothing,
        "troughs-0": troughs(0),
        "intervals-0": Intervals(rows=(), axis=info("figures.n", n=0)),
        "roc-0": Roc(curves=()),
    }
