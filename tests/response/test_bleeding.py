# SPDX-License-Identifier: Apache-2.0
"""Bleeding: scales as far as they were seen, none a default, and "not asked" never counted as none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sirolens.chart import Bleeding, BleedingAsked, Chart, Patient
from sirolens.report.words import say
from sirolens.response.bleeding import bleeding_table, check, meaning, scale_named, scales, smog
from sirolens.source import Mark

DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)


def visit(day: int, asked: BleedingAsked, grade: int | None = None, scale: str | None = None) -> Bleeding:
    at = DAY_0 + timedelta(days=day)
    return Bleeding(at=at, recorded=at, asked=asked, grade=grade, scale=scale)


def graded(day: int, grade: int, scale: str = "WHO") -> Bleeding:
    return visit(day, BleedingAsked.GRADED, grade, scale)


def patient(name: str, *bleedings: Bleeding) -> Chart:
    return Chart(patient=Patient(id=name, invented=True), zone="UTC", bleedings=tuple(bleedings))


def test_scales_are_kept_with_their_source_and_the_unverified_one_is_marked() -> None:
    assert {name: scales()[name].source.mark for name in scales()} == {
        "who": Mark.SEEN_SECOND_HAND,
        "itp-bat": Mark.SEEN,
        "buchanan-adix": Mark.SEEN,
        "china-2016": Mark.MEMORY,
    }
    assert [name for name in scales() if not scales()[name].verified] == ["china-2016"]


@pytest.mark.parametrize("name", list(scales()))
def test_every_grade_has_a_meaning_in_both_languages(name: str) -> None:
    scale = scales()[name]
    assert scale.grades[0] == 0
    for grade in scale.grades:
        english, chinese = (say(meaning(scale, grade), language) for language in ("en", "zh"))
        assert english != chinese
        assert "safety." not in english + chinese
    with pytest.raises(ValueError, match="no grade"):
        meaning(scale, 9)


@pytest.mark.parametrize(
    ("written", "name"),
    [("WHO", "who"), (" who  bleeding scale ", "who"), ("SMOG", "itp-bat"), ("Buchanan and Adix", "buchanan-adix")],
)
def test_a_scale_is_known_under_its_usual_names(written: str, name: str) -> None:
    found = scale_named(written)
    assert found is not None
    assert found.name == name


def test_a_grade_that_the_scale_has_not_is_told() -> None:
    cases = {
        "safety.grade-not-on-scale": graded(1, 5),
        "safety.scale-unknown": graded(1, 2, "my own"),
        "safety.scale-unverified": graded(1, 5, "china-2016"),
    }
    for code, bleeding in cases.items():
        (message,) = check(bleeding)
        assert message.code == code
        assert code not in say(message, "en") + say(message, "zh")
    assert check(graded(1, 4)) == ()
    assert check(visit(1, BleedingAsked.NONE)) == ()


def test_the_three_grades_of_smog_are_read() -> None:
    # Oracle: the example of the publication, S2M1O0.
    found = smog("s2 m1 o0")
    assert (found.skin, found.mucosae, found.organs, found.worst) == (2, 1, 0, 2)
    for wrong in ("S2M1", "S6M0O0", "M1S2O0", ""):
        with pytest.raises(ValueError, match="SMOG"):
            smog(wrong)


def test_bleeding_is_counted_scale_by_scale_and_not_asked_is_not_none() -> None:
    charts = [
        patient("P-1", graded(1, 2), graded(8, 1), visit(15, BleedingAsked.NONE)),
        patient("P-2", graded(1, 2, "buchanan"), graded(8, 4, "buchanan-adix")),
        patient("P-3", visit(1, BleedingAsked.NOT_ASKED)),
        patient("P-4", visit(1, BleedingAsked.NONE)),
        patient("P-5"),
    ]
    table = bleeding_table(charts, DAY_0 + timedelta(days=30))
    assert (table.patients, table.visits, table.none, table.graded, table.not_asked) == (5, 7, 2, 4, 1)
    assert (table.bled, table.never_asked) == (2, 2)
    assert table.worst == {"who": {2: 1}, "buchanan-adix": {4: 1}}


def test_visits_before_the_start_or_after_the_cut_do_not_count() -> None:
    charts = [patient("P-1", graded(-5, 3), graded(5, 1), graded(50, 4)), patient("P-2", graded(5, 1))]
    table = bleeding_table(charts, DAY_0 + timedelta(days=30), since={"P-1": DAY_0})
    assert (table.patients, table.visits, table.worst) == (1, 1, {"who": {1: 1}})


def test_a_grade_of_0_is_no_bleeding() -> None:
    assert bleeding_table([patient("P-1", graded(1, 0))], DAY_0 + timedelta(days=30)).bled == 0


def test_doubts_are_told_once() -> None:
    table = bleeding_table([patient("P-1", graded(1, 2, "x"), graded(2, 3, "x"))], DAY_0 + timedelta(days=30))
    assert [message.code for message in table.messages] == ["safety.scale-unknown"]
    assert table.worst == {"x": {3: 1}}
