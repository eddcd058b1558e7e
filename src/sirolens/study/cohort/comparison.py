# SPDX-License-Identifier: Apache-2.0
"""The cohort beside published studies: difference of the rates with Newcombe's interval and Fisher's exact test.

A comparison with another hospital's published counts is not randomised and the definitions of response differ; the
page says so beside every figure. The counts are in ``data/comparators.toml`` with their source and mark.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import final

from sirolens.engine.statistics.contrast import Contrast, fisher, newcombe
from sirolens.engine.statistics.interval import Test
from sirolens.errors import UnknownNameError
from sirolens.message import error
from sirolens.source import Mark, Source
from sirolens.study.cohort.protocol import StudyProtocol
from sirolens.study.cohort.response import LandmarkRates, Rate

__all__ = ["Comparator", "PublishedComparison", "comparators", "compared"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Comparator:
    """One published count.

    Parameters
    ----------
    key : str
        Its name in files; its name for people is the message ``study.published-<key>``.
    population : str
        Diagnosis of its patients.
    landmark_d : int
        The landmark it is set beside: 91 for 3 months, 182 for 6.
    outcome : str
        ``"overall"``, ``"complete"`` or ``"partial"``, as the paper calls it.
    responders, patients : int
        The counts.
    source : Source
        With the mark of this count.
    how : str
        By which arithmetic, for a derived one: the message ``study.derived-<how>``.
    """

    key: str
    population: str
    landmark_d: int
    outcome: str
    responders: int
    patients: int
    source: Source
    how: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedComparison:
    """The cohort's rate beside a published one.

    Parameters
    ----------
    published : Comparator
        The published count.
    own : Rate
        The cohort's, of everyone due.
    difference : Contrast
        Cohort minus published, Newcombe's interval.
    test : Test
        Fisher, two-sided.
    """

    published: Comparator
    own: Rate
    difference: Contrast
    test: Test


@cache
def comparators() -> tuple[Comparator, ...]:
    """Return every published count.

    >>> [one.responders for one in comparators() if one.key == "feng-2020" and one.landmark_d == 91]
    [73, 34, 39]
    """
    text = files("sirolens.study").joinpath("data", "comparators.toml").read_text(encoding="utf-8")
    found = []
    for key, entry in tomllib.loads(text)["study"].items():
        told = dict(entry["source"])
        del told["mark"]
        for one in entry["outcomes"]:
            found.append(
                Comparator(
                    key=key,
                    population=entry["population"],
                    landmark_d=one["landmark_d"],
                    outcome=one["outcome"],
                    responders=one["responders"],
                    patients=one["patients"],
                    source=Source(mark=Mark(one["mark"]), **told),
                    how=one.get("how", ""),
                )
            )
    return tuple(found)


def compared(rates: tuple[LandmarkRates, ...], protocol: StudyProtocol) -> tuple[PublishedComparison, ...]:
    """Set the cohort's rates of everyone due beside the published ones of the same landmark and outcome.

    Parameters
    ----------
    rates : tuple of LandmarkRates
        All of the analysis; the primary estimand of all patients is compared.
    protocol : StudyProtocol
        Names the studies; without names, all.

    Raises
    ------
    UnknownNameError
        ``study.unknown-comparator``.
    """
    known = tuple(dict.fromkeys(one.key for one in comparators()))
    for name in protocol.compare_with:
        if name not in known:
            raise UnknownNameError(error("study.unknown-comparator", name=name, known=known))
    found = []
    for landmark in rates:
        if landmark.arm is not None or landmark.estimand != "composite":
            continue
        for one in comparators():
            if one.landmark_d != landmark.landmark_d or (
                protocol.compare_with and one.key not in protocol.compare_with
            ):
                continue
            own = landmark.of("due", one.outcome)
            if own.n:
                found.append(_compared(own, one, protocol))
    return tuple(found)


def _compared(own: Rate, one: Comparator, protocol: StudyProtocol) -> PublishedComparison:
    table = [[own.k, own.n - own.k], [one.responders, one.patients - one.responders]]
    return PublishedComparison(
        published=one,
        own=own,
        difference=newcombe(own.k, own.n, one.responders, one.patients, protocol.interval_level),
        test=fisher(table),
    )
