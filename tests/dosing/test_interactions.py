# SPDX-License-Identifier: Apache-2.0
"""Interactions are dated, split between clearance and bioavailability, and never applied without a ratio (H10)."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirolens.dosing.interaction_table import perpetrators, split
from sirolens.dosing.interactions import assess, ended, known_drugs, multipliers, segments
from sirolens.message import Severity
from sirolens.models.catalog import load
from sirolens.regimen import daily
from tests.dosing.invented_charts import NOW, chart, days_ago, lab, prescription, therapy

EXACT = 1e-12
RATIOS = st.floats(0.05, 40.0)


@given(RATIOS, st.one_of(st.none(), st.floats(0.1, 12.0)), st.one_of(st.none(), st.floats(0.2, 8.0)))
def test_a_split_keeps_the_exposure_ratio_and_the_direction(
    auc: float, cmax: float | None, half_life: float | None
) -> None:
    found = split(auc, cmax=cmax, half_life=half_life, largest_bioavailability=1 / 0.14)
    for clearance, bioavailability in ((found.clearance, found.bioavailability), *found.extremes):
        assert bioavailability / clearance == pytest.approx(auc)
        assert bioavailability <= 1 / 0.14 + EXACT
        if auc >= 1:
            assert clearance <= 1 + EXACT
            assert bioavailability >= 1 - EXACT
        else:
            assert clearance >= 1 - EXACT
            assert bioavailability <= 1 + EXACT


def test_without_peak_or_half_life_both_extremes_are_shown() -> None:
    found = split(4.0)
    assert found.by == "unknown"
    assert found.extremes == ((0.25, 1.0), (1.0, 4.0))


def test_published_peak_and_exposure_give_the_split_by_hand() -> None:
    # Oracle: F = Cmax ratio, CL = Cmax ratio / AUC ratio; diltiazem 1.43 and 1.60 (PMID 11180036).
    found = split(1.60, cmax=1.43)
    assert (found.bioavailability, found.clearance) == pytest.approx((1.43, 1.43 / 1.60))


def test_the_published_table_is_as_printed() -> None:
    printed = {
        "ketoconazole": 11.0,
        "voriconazole": 11.0,
        "isavuconazole": 1.84,
        "erythromycin": 4.2,
        "verapamil": 2.2,
        "diltiazem": 1.60,
        "letermovir": 3.4,
        "rifampicin": 0.18,
        "micafungin": 1.21,
    }
    found = {one.name: one.auc for one in perpetrators() if one.name in printed}
    assert found == printed


def test_a_listed_drug_without_a_ratio_is_said_and_never_applied() -> None:
    for drug in ("itraconazole", "danazol", "phenytoin", "dexamethasone", "fostamatinib"):
        effects, messages = assess(chart(therapies=(therapy(drug),)), NOW)
        assert not effects, drug
        assert messages[0].values["drug"] == drug


def test_clarithromycin_hides_increases_and_asks_for_another_eradication_regimen() -> None:
    effects, messages = assess(chart(therapies=(therapy("clarithromycin", 5),)), NOW)
    codes = {message.code: message for message in messages}
    assert codes["interactions.avoid-inhibitor"].severity is Severity.CRITICAL
    assert "interactions.helicobacter-without-clarithromycin" in codes
    assert codes["interactions.interval"].values == {"drug": "clarithromycin", "low_ratio": 4.2, "high_ratio": 8.7}
    assert "interactions.split-unknown" in codes
    assert effects[0].start == days_ago(5)


def test_a_strong_inducer_warns_but_hides_nothing() -> None:
    messages = assess(chart(therapies=(therapy("rifampicin"),)), NOW)[1]
    assert {message.severity for message in messages} <= {Severity.WARNING, Severity.INFO}
    assert "interactions.avoid-inducer" in [message.code for message in messages]


def test_an_inhibitor_acts_from_its_start_until_three_days_after_its_stop() -> None:
    effects = assess(chart(therapies=(therapy("diltiazem", 20, stop=10),)), NOW)[0]
    line = segments(effects)
    assert [segment.at for segment in line] == [None, days_ago(20), days_ago(10), days_ago(7)]
    full, half = line[1], line[2]
    assert full.bioavailability / full.clearance == pytest.approx(1.60)
    assert half.bioavailability / half.clearance == pytest.approx(1.60**0.5)
    assert (line[3].clearance, line[3].bioavailability) == (1.0, 1.0)


def test_an_inducer_is_full_after_two_weeks() -> None:
    effects = assess(chart(therapies=(therapy("rifampicin", 20),)), NOW)[0]
    assert effects[0].share(days_ago(21)) == 0.0
    assert effects[0].share(days_ago(19)) == 0.5
    assert effects[0].share(days_ago(5)) == 1.0


def test_a_long_ended_interaction_still_explains_old_levels_but_is_no_longer_said() -> None:
    effects, messages = assess(chart(therapies=(therapy("diltiazem", 200, stop=180),)), NOW)
    assert effects
    assert not messages


def test_of_two_inhibitors_the_strongest_counts_and_it_is_said() -> None:
    found = chart(therapies=(therapy("diltiazem", 10), therapy("erythromycin", 5)))
    effects, messages = assess(found, NOW)
    last = segments(effects)[-1]
    assert last.bioavailability / last.clearance == pytest.approx(4.2)
    assert "interactions.several-inhibitors" in [message.code for message in messages]


def test_an_inhibitor_and_an_inducer_multiply() -> None:
    effects = assess(chart(therapies=(therapy("erythromycin", 30), therapy("rifampicin", 30))), NOW)[0]
    last = segments(effects)[-1]
    assert last.bioavailability / last.clearance == pytest.approx(4.2 * 0.18)


def test_multipliers_do_not_overlap_and_cover_the_effect() -> None:
    effects = assess(chart(therapies=(therapy("diltiazem", 20, stop=10), therapy("rifampicin", 15))), NOW)[0]
    spans = multipliers(effects, load("wu_2012"), days_ago(30))
    for before, after in pairwise(spans):
        assert before.stop_h <= after.start_h
    assert spans[0].start_h == pytest.approx(240.0)


def test_a_model_with_the_covariate_is_not_corrected_twice() -> None:
    effects = assess(chart(labs=(lab("child_pugh", 6),)), NOW)[0]
    assert multipliers(effects, load("wu_2012"), days_ago(30))[0].clearance == pytest.approx(0.68)
    assert multipliers(effects, load("cheng_2020"), days_ago(30)) == ()  # bilirubin
    assert multipliers(effects, load("golubovic_2019"), days_ago(30)) == ()  # AST


@pytest.mark.parametrize(("points", "name", "percent"), [(5, "A", 67), (8, "B", 67), (12, "C", 50)])
def test_child_pugh_takes_the_label_dose(points: float, name: str, percent: int) -> None:
    message = assess(chart(labs=(lab("child_pugh", points),)), NOW)[1][-1]
    assert message.code == "interactions.liver"
    assert message.values["child_pugh_class"] == name
    assert message.values["dose_percent"] == percent


def test_a_switch_from_fasted_to_fed_raises_bioavailability_from_its_day() -> None:
    found = chart(
        prescriptions=(
            prescription(daily(2), 60, "solution", food="fasted"),
            prescription(daily(2), 10, "solution", food="fed"),
        )
    )
    effects, messages = assess(found, NOW)
    assert (effects[0].split.clearance, effects[0].split.bioavailability) == (1.0, 1.35)
    assert effects[0].start == days_ago(10)
    assert "interactions.food-changed-to-fed" in [message.code for message in messages]


def test_going_back_to_the_usual_habit_ends_the_effect() -> None:
    habits = ((60, "fed"), (30, "fasted"), (10, "fed"))
    found = chart(prescriptions=tuple(prescription(daily(2), days, food=food) for days, food in habits))
    effects = assess(found, NOW)[0]
    assert len(effects) == 1
    assert (effects[0].start, effects[0].gone) == (days_ago(30), days_ago(10))
    assert effects[0].split.bioavailability == pytest.approx(1 / 1.23)


def test_children_get_their_own_ratio_and_the_other_is_shown() -> None:
    found = chart(8, 25, therapies=(therapy("posaconazole"),))
    effects, messages = assess(found, NOW, child=True)
    assert effects[0].split.clearance == 0.238
    other = next(message for message in messages if message.code == "interactions.sources-disagree")
    assert other.values["other_auc_ratio"] == 8.9


def test_what_is_not_in_the_table_is_said_so() -> None:
    messages = assess(chart(therapies=(therapy("nonsensumab"),)), NOW)[1]
    assert [message.code for message in messages] == ["interactions.not-in-table"]


def test_biologics_are_marked_as_not_verified() -> None:
    message = assess(chart(therapies=(therapy("rituximab"),)), NOW)[1][0]
    assert (message.code, message.severity) == ("interactions.none-expected", Severity.CHECKED)


def test_every_name_and_alias_is_found() -> None:
    for name in known_drugs():
        messages = assess(chart(therapies=(therapy(name.upper()),)), NOW)[1]
        assert messages, name
        assert messages[0].code != "interactions.not-in-table", name


def test_a_therapy_recorded_later_is_not_seen() -> None:
    late = therapy("clarithromycin", 5)
    assert assess(chart(therapies=(late,)).known(days_ago(6)), days_ago(6)) == ((), ())
    assert assess(chart(therapies=(late,)).known(NOW + timedelta(1)), NOW)[0]


def test_an_effect_thought_away_leaves_the_past_as_it_was() -> None:
    effects = assess(chart(therapies=(therapy("diltiazem", 20), therapy("erythromycin", 60, stop=40))), NOW)[0]
    before, after = segments(effects), segments(ended(effects, NOW))
    assert after[:-1] == before
    assert after[-1].at == NOW
    assert (after[-1].clearance, after[-1].bioavailability) == (1.0, 1.0)
