# SPDX-License-Identifier: Apache-2.0
"""The next sample follows the label's intervals, never a model's half-life. Oracle: dates by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from sirolens.chart import Chart
from sirolens.dosing.interactions import assess
from sirolens.dosing.monitoring import NextSample, next_sample
from sirolens.dosing.present import present_regimen
from sirolens.dosing.products import default_products
from sirolens.dosing.protocol import default_settings
from sirolens.dosing.ranking import Outcome
from sirolens.regimen import daily
from tests.dosing.invented_charts import NOW, chart, days_ago, lab, level, prescription, therapy

TODAY = date(2026, 6, 1)


def plan(
    found: Chart, outcome: Outcome, *, soon: bool = False, at_once: bool = False, loaded: bool = False
) -> NextSample:
    return next_sample(
        found,
        NOW,
        outcome=outcome,
        current=present_regimen(found, NOW, default_products()),
        effects=assess(found, NOW)[0],
        loaded=loaded,
        soon=soon,
        at_once=at_once,
        settings=default_settings(),
    )


STABLE = chart(prescriptions=(prescription(daily(2), 60),), levels=(level(7, 10),))


@pytest.mark.parametrize(
    ("found", "outcome", "first", "last", "code"),
    [
        (chart(), Outcome.START, 10, 20, "monitoring.after-start"),
        (STABLE, Outcome.CHANGE, 7, 14, "monitoring.after-change"),
        (STABLE, Outcome.KEEP, 66, 80, "monitoring.stable"),
        (
            chart(prescriptions=(prescription(daily(2), 3),), levels=(level(7, 1),)),
            Outcome.KEEP,
            4,
            11,
            "monitoring.after-recent-change",
        ),
    ],
)
def test_label_intervals(found: Chart, outcome: Outcome, first: int, last: int, code: str) -> None:
    sample = plan(found, outcome)
    assert sample.reason.code == code
    assert (sample.earliest, sample.latest) == (TODAY + timedelta(days=first), TODAY + timedelta(days=last))


def test_a_loading_dose_is_checked_after_3_to_4_days() -> None:
    sample = plan(STABLE, Outcome.CHANGE, loaded=True)
    assert (sample.earliest, sample.latest) == (TODAY + timedelta(days=3), TODAY + timedelta(days=4))
    assert "monitoring.after-change" in [reason.code for reason in sample.also]


def test_a_wide_forecast_asks_for_an_early_level() -> None:
    sample = plan(chart(), Outcome.START, soon=True)
    assert sample.reason.code == "monitoring.early-because-wide"
    assert sample.earliest == TODAY + timedelta(days=7)


def test_a_small_child_is_sampled_early() -> None:
    assert plan(chart(1.5, 10), Outcome.RANGE, soon=True).reason.code == "monitoring.small-child"


def test_a_critical_level_is_repeated_within_a_week() -> None:
    sample = plan(STABLE, Outcome.CHANGE, at_once=True)
    assert sample.reason.code == "monitoring.critical-level"
    assert sample.latest == TODAY + timedelta(days=7)


def test_the_start_of_an_interacting_drug_asks_for_a_level() -> None:
    found = chart(
        prescriptions=(prescription(daily(2), 60),), levels=(level(7, 10),), therapies=(therapy("diltiazem", 3),)
    )
    sample = plan(found, Outcome.KEEP)
    assert sample.reason.code == "monitoring.after-interaction"
    assert sample.latest == TODAY + timedelta(days=11)


def test_the_end_of_an_interacting_drug_asks_for_a_level() -> None:
    found = chart(
        prescriptions=(prescription(daily(2), 60),),
        levels=(level(7, 10),),
        therapies=(therapy("diltiazem", 30, stop=2),),
    )
    assert plan(found, Outcome.KEEP).reason.code == "monitoring.after-stop"


def test_an_overdue_level_is_due_today() -> None:
    found = chart(prescriptions=(prescription(daily(2), 200),), levels=(level(7, 120),))
    sample = plan(found, Outcome.KEEP)
    assert (sample.reason.code, sample.latest) == ("monitoring.overdue", TODAY)


def test_days_are_the_clinics() -> None:
    # 16:30 UTC is past midnight in Shanghai: the level belongs to the next calendar day there.
    late = level(7, 10)
    moved = chart(prescriptions=(prescription(daily(2), 60),), levels=(late,))
    evening = days_ago(0).replace(hour=16, minute=30)
    sample = next_sample(
        moved,
        evening,
        outcome=Outcome.CHANGE,
        current=present_regimen(moved, evening, default_products()),
        effects=(),
        loaded=False,
        soon=False,
        at_once=False,
        settings=default_settings(),
    )
    assert sample.earliest == date(2026, 6, 2) + timedelta(days=7)


def test_a_new_habit_with_food_asks_for_a_level_and_the_liver_does_not() -> None:
    found = chart(
        prescriptions=(prescription(daily(2), 60, food="fasted"), prescription(daily(2), 4, food="fed")),
        levels=(level(7, 10),),
        labs=(lab("child_pugh", 6),),
    )
    sample = plan(found, Outcome.KEEP)
    assert sample.reason.code == "monitoring.after-food"
    assert not [reason for reason in sample.also if reason.code.startswith("monitoring.after-")]
