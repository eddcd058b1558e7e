# SPDX-License-Identifier: Apache-2.0
"""One consultation: what was known and nothing else goes in, and the same comes out, bit for bit."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sirolens.care.advice_json import to_json
from sirolens.care.consult import Consultation, consult
from sirolens.chart import Chart
from sirolens.dosing.ranking import Outcome
from sirolens.interop.chart_json import from_json
from sirolens.message import Severity

CHARTS = Path(__file__).parent.parent.parent / "examples" / "charts"
ADULT = "adult_three_troughs"
FALLING = "child_over_target_falling_platelets"
ALERT = "guardrails.platelets-fall-level-high"


def source(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CHARTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def chart_of(entry: dict[str, Any]) -> Chart:
    return from_json(json.dumps(entry, ensure_ascii=False))[0]


@cache
def advised(name: str) -> Consultation:
    chart = chart_of(source(name))
    assert chart.last_recorded is not None
    return consult(chart, at=chart.last_recorded)


def as_text(consultation: Consultation) -> str:
    return json.dumps([to_json(consultation, language) for language in ("en", "zh")], allow_nan=False)


RECORDED = "2026-10-29T09:00+08:00"  # two days after the newest fact of the adult's chart
LATER_FACTS: dict[str, list[dict[str, Any]]] = {
    # happened before the advice, recorded after it
    "levels": [{"at": "2026-10-01T07:45+08:00", "recorded": RECORDED, "value": 21, "unit": "ng/mL", "assay": "cmia"}],
    "labs": [{"at": "2026-08-20T07:45+08:00", "recorded": RECORDED, "name": "weight", "value": 90, "unit": "kg"}],
    "platelet_counts": [{"at": "2026-10-20T07:45+08:00", "recorded": RECORDED, "value": 4, "unit": "10^9/L"}],
    "therapies": [{"start": "2026-09-01", "recorded": RECORDED, "drug": "ketoconazole"}],
    "adverse_events": [{"start": "2026-10-02T08:00+08:00", "recorded": RECORDED, "term": "pneumonia", "grade": 4}],
}


@pytest.mark.parametrize("section", [*sorted(LATER_FACTS), "all"])
def test_facts_recorded_later_change_nothing_in_earlier_advice(section: str) -> None:
    entry = copy.deepcopy(source(ADULT))
    for name in LATER_FACTS if section == "all" else (section,):
        entry[name] = [*entry.get(name, []), *LATER_FACTS[name]]
    chart, at = chart_of(entry), advised(ADULT).advice.at
    assert as_text(consult(chart, at=at)) == as_text(advised(ADULT))


def test_the_same_facts_do_change_advice_once_they_are_known() -> None:
    # The counterpart: the test above would also pass if those facts were never looked at.
    entry = copy.deepcopy(source(ADULT))
    for name, facts in LATER_FACTS.items():
        entry[name] = [*entry.get(name, []), *facts]
    chart = chart_of(entry)
    before, seen = advised(ADULT), consult(chart, at=datetime.fromisoformat(RECORDED))
    assert seen.advice.best_mg != before.advice.best_mg
    codes = {message.code for message in seen.advice.messages}
    assert {"interactions.avoid-inhibitor", ALERT} & codes


@pytest.mark.parametrize("name", [ADULT, FALLING])
def test_the_same_consultation_is_the_same_bit_for_bit(name: str) -> None:
    first = advised(name)
    again = consult(chart_of(source(name)), at=first.advice.at)
    assert as_text(again) == as_text(first)
    assert first.curve is not None
    assert again.curve is not None
    np.testing.assert_array_equal(again.curve.quantile_ng_ml, first.curve.quantile_ng_ml)
    assert again.provenance == first.provenance


def test_provenance_tells_other_inputs_apart() -> None:
    first = advised(ADULT)
    entry = source(ADULT)
    entry["levels"][0]["value"] = 4.7
    changed = consult(chart_of(entry), at=first.advice.at)
    moved = consult(chart_of(source(ADULT)), at=first.advice.at + timedelta(minutes=1))
    reasoned = consult(chart_of(source(ADULT)), at=first.advice.at, acknowledged={ALERT: "seen"})
    digests = {one.provenance.inputs_digest for one in (first, changed, moved, reasoned)}
    assert len(digests) == 4
    assert first.provenance.models == moved.provenance.models


def _increases(consultation: Consultation) -> list[float]:
    now = consultation.advice.current
    assert now is not None
    return [option.daily_mg for option in consultation.advice.options if option.daily_mg > now.plan.daily_mg + 1e-9]


def test_no_increase_is_offered_under_falling_platelets_until_it_is_acknowledged() -> None:
    # Hazard H5: a falling count under a high level may be the drug and not the disease.
    blocked = advised(FALLING)
    critical = [message for message in blocked.advice.messages if message.severity is Severity.CRITICAL]
    assert [message.code for message in critical] == [ALERT]
    assert not _increases(blocked)
    refused = [row for row in blocked.advice.refused if row.option.change_mg is not None and row.option.change_mg > 0]
    assert refused
    assert all(any(reason.code == "dosing.refused-acknowledge" for reason in row.reasons) for row in refused)
    assert blocked.advice.loading.dose_mg is None
    assert not blocked.advice.taper.steps

    known = consult(chart_of(source(FALLING)), at=blocked.advice.at, acknowledged={ALERT: "marrow shows relapse"})
    still = [row for row in known.advice.refused if any(r.code == "dosing.refused-acknowledge" for r in row.reasons)]
    assert not still
    assert known.advice.acknowledged == ((ALERT, "marrow shows relapse"),)
    assert ALERT in {message.code for message in known.advice.messages}  # acknowledged, not silenced
    empty = consult(chart_of(source(FALLING)), at=blocked.advice.at, acknowledged={ALERT: "  "})
    assert not _increases(empty)
    assert empty.advice.acknowledged == ()


def test_a_low_level_with_falling_platelets_hides_increases_only_where_the_level_is_high() -> None:
    entry = source(FALLING)
    for level in entry["levels"]:
        level["value"] = 3.1
    low = consult(chart_of(entry), at=advised(FALLING).advice.at)
    assert ALERT not in {message.code for message in low.advice.messages}
    assert _increases(low)


def test_a_patient_outside_every_model_is_a_result_with_reasons() -> None:
    entry = source(ADULT)
    entry["patient"] = {"id": "INFANT", "invented": True, "sex": "female", "age_years": 0.3, "age_at": "2026-10-27"}
    entry["patient"]["diagnosis"] = source(ADULT)["patient"].get("diagnosis", "primary ITP")
    entry["prescriptions"], entry["levels"], entry["doses"] = [], [], []
    entry = {name: value for name, value in entry.items() if name in ("sirolens_chart", "zone", "patient")}
    entry["labs"] = [{"at": "2026-10-27T07:40+08:00", "name": "weight", "value": 5.5, "unit": "kg"}]
    chart = chart_of(entry)
    assert chart.last_recorded is not None
    found = consult(chart, at=chart.last_recorded)
    assert found.advice.outcome is Outcome.NOT_COMPUTED
    assert found.advice.reasons
    assert not found.advice.options
    assert found.advice.first is None
    assert found.curve is None
    assert any(message.code.startswith("protocol.published") for message in found.advice.protocol)
