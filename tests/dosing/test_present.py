# SPDX-License-Identifier: Apache-2.0
"""Who the patient is decides whether a dose is computed at all, and what is taken now is read from the chart (H15)."""

from __future__ import annotations

from datetime import time

import pytest

from sirolens.chart import Chart, Dose, Patient
from sirolens.dosing.present import latest_lab, present_regimen, who
from sirolens.dosing.products import default_products
from sirolens.dosing.protocol import default_settings
from sirolens.message import Severity
from sirolens.regimen import alternate_days, daily, hold, once, taper, twice_daily, weekdays
from tests.dosing.invented_charts import NOW, chart, days_ago, lab, patient, prescription

SETTINGS, PRODUCTS = default_settings(), default_products()


@pytest.mark.parametrize(
    ("age", "weight", "group"),
    [
        (45, 60, "adult"),
        (45, None, "adult"),
        (18.0, 60, "adult"),
        (17.5, 40, "child"),
        (8, 25, "child"),
        (1.5, 10, "small-child"),
        (0.8, 9, "infant"),
        (3, 6.9, "infant"),
        (8, None, "unknown"),
    ],
)
def test_groups_follow_age_and_weight(age: float, weight: float | None, group: str) -> None:
    assert who(chart(age, weight), NOW, SETTINGS).group == group


def test_an_infant_gets_an_error_and_not_a_dose() -> None:
    assert who(chart(0.5, 6), NOW, SETTINGS).messages[0].severity is Severity.ERROR


def test_without_an_age_nothing_is_computed() -> None:
    person = who(chart(patient=Patient(id="invented", invented=True)), NOW, SETTINGS)
    assert (person.group, person.messages[0].code) == ("unknown", "guardrails.age-missing")


@pytest.mark.parametrize(
    ("population", "code"),
    [(None, "guardrails.population-unknown"), ("us", "guardrails.child-outside-chinese-cohorts")],
)
def test_a_child_outside_the_chinese_cohorts_is_warned_of(population: str | None, code: str) -> None:
    found = who(chart(8, 25, patient=patient(8, population=population)), NOW, SETTINGS)
    assert [message.code for message in found.messages] == [code]


def test_a_chinese_child_within_the_weights_has_no_scope_warning() -> None:
    assert not who(chart(8, 25, patient=patient(8, population="chinese")), NOW, SETTINGS).messages


def test_a_teenager_outside_the_paediatric_weights_is_warned_of() -> None:
    found = who(chart(15, 60, patient=patient(15, population="chinese")), NOW, SETTINGS)
    assert (found.group, found.messages[0].code) == ("child", "guardrails.teenager-outside-weights")


def test_weight_is_used_as_measured_not_rounded() -> None:
    assert who(chart(3, 6.999), NOW, SETTINGS).group == "infant"
    assert who(chart(3, 7.001), NOW, SETTINGS).weight_kg == 7.001


def test_the_newest_laboratory_value_counts() -> None:
    found = chart(labs=(lab("weight", 20, "kg", 100), lab("weight", 24, "kg", 2)), weight=None)
    newest = latest_lab(found, "weight")
    assert newest is not None
    assert newest.value == 24


@pytest.mark.parametrize(
    ("regimen", "pattern", "daily_mg"),
    [
        (daily(2), "daily", 2.0),
        (alternate_days(1), "alternate-days", 0.5),
        (twice_daily(1, 0.5), "twice-daily", 1.5),
        (weekdays(mon=2, wed=2, fri=2), "other", 6 / 7),
        (once(6).then(daily(2)), "daily", 2.0),
        (taper(2, step_mg=0.5, every_days=90), "daily", 2.0),
    ],
)
def test_the_present_regimen_is_what_is_taken_now(regimen: object, pattern: str, daily_mg: float) -> None:
    current = present_regimen(chart(prescriptions=(prescription(regimen, 60),)), NOW, PRODUCTS)
    assert current is not None
    assert current.plan.pattern == pattern
    assert current.plan.daily_mg == pytest.approx(daily_mg)
    assert current.plan.form == "tablet"


@pytest.mark.parametrize("regimen", [hold(), once(2), daily(2).lasting(10)])
def test_nothing_repeating_is_nothing(regimen: object) -> None:
    assert present_regimen(chart(prescriptions=(prescription(regimen, 60),)), NOW, PRODUCTS) is None


def test_a_dose_the_products_cannot_make_has_no_portions() -> None:
    current = present_regimen(chart(prescriptions=(prescription(daily(0.7), 60),)), NOW, PRODUCTS)
    assert current is not None
    assert current.plan.portions == ()


def test_the_clock_of_the_patient_is_kept() -> None:
    current = present_regimen(chart(prescriptions=(prescription(daily(2, at=time(21)), 60),)), NOW, PRODUCTS)
    assert current is not None
    assert current.clock == time(21)


def test_recorded_doses_alone_make_a_regimen() -> None:
    taken = tuple(Dose(at=days_ago(d), recorded=days_ago(d), amount_mg=2, form="tablet") for d in range(8, 0, -1))
    current = present_regimen(Chart(patient=patient(), zone="Asia/Shanghai", doses=taken), NOW, PRODUCTS)
    assert current is not None
    assert (current.plan.daily_mg, current.plan.form) == (2.0, "tablet")
