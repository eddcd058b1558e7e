# SPDX-License-Identifier: Apache-2.0
"""Where the course stands is read from dates and counts. Oracle: dates by hand."""

from __future__ import annotations

from datetime import date

from sirolens.chart import Chart, Course
from sirolens.dosing.course import course_messages, course_start, lowest_effective
from sirolens.dosing.protocol import default_settings
from sirolens.dosing.target import default_target
from sirolens.message import Message
from tests.dosing.invented_charts import NOW, chart, count, days_ago, level, prescription

SETTINGS = default_settings()


def said(found: Chart) -> dict[str, Message]:
    return {m.code: m for m in course_messages(found, NOW, default_target(), SETTINGS)}


def course(days: float, stop: float | None = None) -> Course:
    ended = None if stop is None else days_ago(stop)
    return Course(at=days_ago(days), recorded=days_ago(days), stop=ended)


def test_the_course_begins_with_its_record_or_the_first_prescription() -> None:
    assert course_start(chart(courses=(course(400, 300), course(50)))) == days_ago(50)
    assert course_start(chart(prescriptions=(prescription(days=60),))) == days_ago(60)
    assert course_start(chart(courses=(course(400, 300),))) is None
    assert course_start(chart()) is None


def test_review_after_3_months_and_futility_after_6() -> None:
    found = said(chart(courses=(course(10),)))
    assert found["protocol.review-date"].values["review_date"] == date(2026, 8, 20)
    assert found["protocol.futility-date"].values["futility_date"] == date(2026, 11, 18)


def test_futility_is_said_only_without_any_response() -> None:
    long = (course(200),)
    assert "protocol.futility-reached" in said(chart(courses=long, platelet_counts=(count(12, 100), count(9))))
    assert "protocol.futility-reached" not in said(chart(courses=long, platelet_counts=(count(45, 100), count(9))))
    assert "protocol.futility-reached" not in said(chart(courses=long))


def test_the_lowest_effective_level_has_a_count_beside_it() -> None:
    found = chart(
        levels=(level(9, 60), level(6, 30), level(4, 90), level(3, 20, excluded="wrong tube")),
        platelet_counts=(count(110, 58), count(40, 31), count(20, 90), count(80, 20)),
    )
    pair = lowest_effective(found, SETTINGS)
    assert pair is not None
    assert (pair[0].level_ng_ml, pair[1].count_10e9_l) == (6, 40)


def test_a_level_below_the_range_that_holds_the_platelets_is_said() -> None:
    found = chart(levels=(level(4, 2),), platelet_counts=(count(130, 1),))
    assert "protocol.holds-below-range" in said(found)
    assert "protocol.holds-below-range" not in said(chart(levels=(level(7, 2),), platelet_counts=(count(130, 1),)))
