# SPDX-License-Identifier: Apache-2.0
"""Figures of virtual patients with invented numbers, for the tests of their drawing."""

from __future__ import annotations

import math

from sirolens.message import info
from sirolens.report.drawing import Drawing
from sirolens.report.fan_figure import Fan, Fans, Observed
from sirolens.report.markers_figure import Marker, MarkerCourse, Markers
from sirolens.report.network_figure import Box, Link, NetworkMap
from sirolens.report.phenotype_figure import PhenotypeMap, Share
from sirolens.report.response_figure import ObservedRate, OutcomeCourse, ResponseCourse
from sirolens.report.tornado_figure import Tornado, TornadoBar

DAYS = tuple(float(day) for day in range(0, 361, 10))
NAME = info("figures.n", n=3)


def fan(name: str, top: float) -> Fan:
    grown = [15.0 + top * (1.0 - math.exp(-day / 60.0)) for day in DAYS]
    return Fan(
        name=name,
        day=DAYS,
        median=tuple(grown),
        q25=tuple(count * 0.6 for count in grown),
        q75=tuple(count * 1.5 for count in grown),
        q05=tuple(count * 0.02 for count in grown),
        q95=tuple(count * 2.5 for count in grown),
    )


def outcome(name: str, top: float) -> OutcomeCourse:
    share = tuple(top * (1.0 - math.exp(-day / 50.0)) for day in DAYS)
    return OutcomeCourse(
        name=name,
        day=DAYS,
        share=share,
        low=tuple(max(one - 0.1, 0.0) for one in share),
        high=tuple(one + 0.1 for one in share),
    )


def drawings() -> dict[str, Drawing]:
    """Every figure, with much, with little and with nothing in it."""
    course = MarkerCourse(median=(1.0, 1.4), low=(1.0, 1.1), high=(1.0, 1.9))
    fall = MarkerCourse(median=(1.0, 0.3), low=(1.0, 0.1), high=(1.0, math.nan))
    bars = (
        TornadoBar(name="one", low=0.3, high=0.7, text="+0.4"),
        TornadoBar(name="two", low=0.62, high=0.41, interval=(0.3, 0.5)),
        TornadoBar(name=NAME, low=math.nan, high=0.9),
    )
    observed = (
        ObservedRate(study="A", outcome=0, day=91.0, share=0.6, low=0.36, high=0.81),
        ObservedRate(study="A", outcome=1, day=91.0, share=0.3, low=0.12, high=0.54),
        ObservedRate(study="B", outcome=0, day=91.0, share=0.85),
        ObservedRate(study="A study with a long name", outcome=0, day=360.0, share=0.65),
    )
    fields = tuple(tuple(Share(middle=0.2 * row + 0.1 * column) for column in range(3)) for row in range(4))
    shares = (*fields, (Share(middle=math.nan), Share(middle=0.9, low=0.7, high=0.95), Share(middle=1.0)))
    boxes = (
        Box(key="a", name="A", column=0, row=0),
        Box(key="b", name=NAME, column=2, row=1, kind=1),
        Box(key="c", name="C", column=1, row=2, kind=7),
    )
    links = (Link("a", "b", 1), Link("b", "a", -1), Link("b", "c", 0), Link("c", "c", 1))
    return {
        "fan": Fans(fans=(fan("one", 120.0),), observed=(Observed(day=90.0, count_10e9_l=80.0),)),
        "fans": Fans(fans=tuple(fan(f"arm {top}", float(top)) for top in (20, 60, 120))),
        "fans-none": Fans(fans=()),
        "response": ResponseCourse(outcomes=(outcome("CR or R", 0.6), outcome("CR", 0.3)), observed=observed),
        "response-none": ResponseCourse(outcomes=()),
        "tornado": Tornado(bars=bars, reference=0.5, axis=NAME, low_end=NAME, high_end=NAME),
        "tornado-none": Tornado(bars=(), reference=0.0, axis=NAME),
        "phenotypes": PhenotypeMap(
            rows=("low", "middle", "high", "higher", "an unknown kind of patient"),
            columns=("alone", "with steroid", NAME),
            shares=shares,
            row_title=NAME,
            column_title=NAME,
        ),
        "phenotypes-none": PhenotypeMap(rows=(), columns=(), shares=(), row_title=NAME, column_title=NAME),
        "markers": Markers(
            day=(0.0, 90.0),
            groups=("responders", "others"),
            markers=tuple(Marker(name=f"marker {index}", courses=(course, fall)) for index in range(7)),
        ),
        "markers-none": Markers(day=(), groups=(), markers=()),
        "network": NetworkMap(boxes=boxes, links=links, kinds=("given", "state")),
    }
