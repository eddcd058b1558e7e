# SPDX-License-Identifier: Apache-2.0
"""Reasons against the drug itself are asked for before a dose (H21)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sirolens.chart import Chart, Sex
from sirolens.dosing.checklist import checklist
from sirolens.dosing.protocol import default_settings
from sirolens.message import Message, Severity
from tests.dosing.invented_charts import NOW, chart, event, lab, patient, procedure


def said(found: Chart) -> dict[str, Message]:
    return {message.code: message for message in checklist(found, NOW, default_settings())}


def asked(found: Chart) -> set[str]:
    items = said(found)["guardrails.ask-before-dose"].values["items"]
    assert isinstance(items, tuple)
    return {item.code for item in items if isinstance(item, Message)}


def test_an_empty_chart_is_asked_about_not_called_clear() -> None:
    assert "guardrails.checklist-checked" not in said(chart())
    assert {f"guardrails.item-{name}" for name in ("surgery", "infection", "lung", "live-vaccine")} <= asked(chart())


def test_pregnancy_is_asked_unless_the_patient_is_male() -> None:
    assert "guardrails.item-pregnancy" not in asked(chart())
    told = chart(patient=replace(patient(30), sex=Sex.UNKNOWN))
    assert "guardrails.item-pregnancy" in asked(told)


@pytest.mark.parametrize(
    ("term", "grade", "code", "severity"),
    [
        ("Urinary tract infection", 2, "guardrails.infection", Severity.WARNING),
        ("lung infection", 3, "guardrails.infection", Severity.CRITICAL),
        ("社区获得性肺炎", 3, "guardrails.infection", Severity.CRITICAL),
        ("interstitial pneumonia", 1, "guardrails.lung", Severity.CRITICAL),
        ("Pneumonitis", 2, "guardrails.lung", Severity.CRITICAL),
        ("pregnancy", None, "guardrails.pregnancy", Severity.CRITICAL),
        ("妊娠", None, "guardrails.pregnancy", Severity.CRITICAL),
        ("angioedema", 1, "guardrails.swelling", Severity.CRITICAL),
        ("wound dehiscence", 2, "guardrails.wound", Severity.WARNING),
    ],
)
def test_an_ongoing_event_is_found_by_its_words(term: str, grade: int | None, code: str, severity: Severity) -> None:
    found = said(chart(adverse_events=(event(term, grade),)))
    assert found[code].severity is severity
    assert f"guardrails.item-{code.partition('.')[2]}" not in asked(chart(adverse_events=(event(term, grade),)))


def test_an_unrelated_event_is_no_reason_against_the_drug() -> None:
    assert not [m for m in said(chart(adverse_events=(event("mouth ulcer", 1),))).values() if m.severity.rank > 1]


def test_planned_surgery_names_the_last_day_of_dosing() -> None:
    message = said(chart(procedures=(procedure("surgery", 30),)))["guardrails.surgery"]
    assert message.values["last_dose_date"] == (NOW + timedelta(days=30 - 13)).date()


def test_recent_surgery_asks_about_the_wound() -> None:
    assert "guardrails.wound-after-surgery" in said(chart(procedures=(procedure("splenectomy", -10),)))
    assert "guardrails.wound-after-surgery" not in said(chart(procedures=(procedure("splenectomy", -100),)))


def test_a_live_vaccine_is_warned_of() -> None:
    assert "guardrails.live-vaccine" in said(chart(procedures=(procedure("live-vaccine", -5),)))


@pytest.mark.parametrize(
    ("name", "value", "unit", "code"),
    [
        ("triglyceride", 6.0, "mmol/L", "guardrails.high-triglyceride"),
        ("cholesterol", 11.0, "mmol/L", "guardrails.high-cholesterol"),
        ("urine_protein", 0.8, "mg/mg", "guardrails.high-urine-protein"),
    ],
)
def test_laboratory_limits_warn_and_values_within_them_are_checked(
    name: str, value: float, unit: str, code: str
) -> None:
    assert said(chart(labs=(lab(name, value, unit),)))[code].values["lab_value"] == value
    clear = said(chart(labs=(lab(name, value / 10, unit),)))
    assert code not in clear
    assert "guardrails.checklist-checked" in clear
