# SPDX-License-Identifier: Apache-2.0
"""The invented cohort of paper A is the same everywhere, says that it is invented, and is refused as evidence."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

import pytest

from sirolens.errors import InputError, UnknownNameError
from sirolens.interop.chart_json import from_json, write_chart
from sirolens.report.words import say
from sirolens.response.cohort import Cohort
from sirolens.study.illustration import PaperFigures, build, load_paper, refuse_invented

FIGURES = load_paper("paper-a")
COHORT = build(FIGURES)
# The charts as JSON, hashed: a change of the recipe, or of the random streams, is seen.
CHARTS_SHA256 = "9de097353f8ba3971d443ef9b5c8ccc047741fad037bd96449a45c0600114330"


def digest(cohort: Cohort) -> str:
    return sha256("".join(write_chart(chart) for chart in cohort.charts).encode()).hexdigest()


def test_the_cohort_is_the_same_on_every_machine() -> None:
    assert build(load_paper("paper-a")) == COHORT
    assert digest(COHORT) == CHARTS_SHA256


def test_every_chart_says_that_its_patient_is_invented() -> None:
    assert COHORT.invented
    assert "INVENTED" in COHORT.title
    for chart in COHORT.charts:
        assert chart.patient.invented
        assert chart.patient.id.startswith("INVENTED-")
        assert '"invented": true' in write_chart(chart)


def test_every_chart_can_be_read_back_without_a_flag_of_doubt() -> None:
    for chart in COHORT.charts:
        back, _ = from_json(write_chart(chart))
        assert back == chart


def test_levels_lie_in_5_to_15_and_doses_follow_the_abstract() -> None:
    for chart in COHORT.charts:
        assert all(5 <= level.level_ng_ml <= 15 for level in chart.levels)
        assert len(chart.prescriptions) == 2
        assert all(first.at < second.at for first, second in pairwise(chart.platelet_counts))


def test_first_line_treatment_came_before_and_had_ended() -> None:
    # Claim A8: second line, primary ITP, adults and children.
    for chart in COHORT.charts:
        (course,), (earlier,) = chart.courses, chart.therapies
        assert earlier.role == "itp"
        assert earlier.stop is not None
        assert earlier.stop < course.at
        assert chart.patient.diagnosis == "primary-itp"
    ages = [chart.patient.age_years or 0.0 for chart in COHORT.charts]
    assert min(ages) < 18 <= max(ages)


def test_an_invented_cohort_is_refused_as_evidence_in_words() -> None:
    with pytest.raises(InputError) as refused:
        refuse_invented(COHORT)
    (message,) = refused.value.messages
    assert message.code == "checker.invented-refused"
    assert "20" in say(message, "en")
    assert "paper-a-invented" in say(message, "zh")


def test_one_invented_patient_is_enough_to_be_refused() -> None:
    real = tuple(replace(c, patient=replace(c.patient, invented=False)) for c in COHORT.charts)
    refuse_invented(replace(COHORT, charts=real, invented=False))
    with pytest.raises(InputError):
        refuse_invented(replace(COHORT, charts=real, invented=True))
    with pytest.raises(InputError):
        refuse_invented(replace(COHORT, charts=(*real[:-1], COHORT.charts[-1]), invented=False))


def test_what_the_paper_prints_carries_its_identifier_and_marks() -> None:
    assert isinstance(FIGURES, PaperFigures)
    assert FIGURES.source.doi == "10.1097/MBC.0000000000001303"
    marks = {figure["name"]: figure["mark"] for figure in (*FIGURES.counts, *FIGURES.ranges, *FIGURES.directions)}
    assert {name for name, mark in marks.items() if mark == "derived"} == {"complete-6-months", "major-events"}
    assert set(marks.values()) == {"seen", "derived"}


def test_an_unknown_illustration_is_refused_with_those_known() -> None:
    with pytest.raises(UnknownNameError, match="paper-a"):
        load_paper("paper-b")
