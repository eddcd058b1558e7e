# SPDX-License-Identifier: Apache-2.0
"""What the chart says against a dose is found, and what is no danger stays quiet. Oracle: scenarios by hand."""

from __future__ import annotations

import pytest

from sirolens.chart import Chart, Quantification
from sirolens.dosing.guardrails import blocking, check, discordance
from sirolens.dosing.protocol import default_settings
from sirolens.dosing.target import default_target
from sirolens.message import Message, Severity, critical
from sirolens.regimen import daily
from tests.dosing.invented_charts import NOW, chart, count, lab, level, patient, prescription, therapy

SETTINGS, TARGET = default_settings(), default_target()


def said(found: Chart) -> dict[str, Message]:
    return {message.code: message for message in check(found, NOW, target=TARGET, settings=SETTINGS)}


def alarm(counts: tuple[tuple[float, float], ...], levels: tuple[tuple[float, float], ...]) -> Message:
    found = chart(
        platelet_counts=tuple(count(value, days) for value, days in counts),
        levels=tuple(level(value, days) for value, days in levels),
    )
    return discordance(found, NOW, TARGET, SETTINGS)[0]


def test_falling_platelets_under_a_high_level_are_critical() -> None:
    message = alarm(((80, 20), (60, 10), (40, 1)), ((12, 20), (18, 2)))
    assert message.code == "guardrails.platelets-fall-level-high"
    assert message.severity is Severity.CRITICAL
    assert message.values["earlier_10e9_l"] == 80


def test_falling_platelets_under_a_rising_level_are_critical() -> None:
    message = alarm(((80, 20), (40, 1)), ((6, 20), (11, 2)))
    assert message.code == "guardrails.platelets-fall-level-rising"


@pytest.mark.parametrize(
    ("counts", "levels"),
    [
        (((40, 20), (60, 1)), ((18, 2),)),  # rising platelets
        (((80, 20), (76, 1)), ((18, 2),)),  # within chance
        (((80, 20), (40, 1)), ((9, 20), (9.5, 2))),  # in range and steady
        (((80, 20), (40, 1)), ((18, 90),)),  # the high level is old
        (((80, 90), (40, 60), (42, 1)), ((18, 2),)),  # fell long ago, now steady
    ],
)
def test_no_alarm_without_both_a_fall_and_a_high_or_rising_level(
    counts: tuple[tuple[float, float], ...], levels: tuple[tuple[float, float], ...]
) -> None:
    assert alarm(counts, levels).code == "guardrails.discordance-checked"


def test_too_few_facts_are_not_called_checked() -> None:
    assert alarm(((40, 1),), ((18, 2),)).code == "guardrails.discordance-not-checked"


def test_an_excluded_level_raises_no_alarm() -> None:
    found = chart(platelet_counts=(count(80, 20), count(40, 1)), levels=(level(30, 2, excluded="line sample"),))
    assert discordance(found, NOW, TARGET, SETTINGS)[0].code == "guardrails.discordance-not-checked"


def test_a_level_outside_the_plausible_window_is_questioned() -> None:
    assert "guardrails.level-implausible" in said(chart(levels=(level(72.0),)))
    assert "guardrails.level-implausible" not in said(chart(levels=(level(7.2),)))
    below = level(0.3, quantification=Quantification.BELOW)
    assert "guardrails.level-implausible" not in said(chart(levels=(below,)))


def test_a_level_far_above_the_range_is_critical() -> None:
    assert said(chart(levels=(level(31.0),)))["guardrails.level-far-above"].severity is Severity.CRITICAL
    assert "guardrails.level-far-above" not in said(chart(levels=(level(29.0),)))


def test_old_levels_are_said() -> None:
    assert "guardrails.levels-old" in said(chart(levels=(level(7.0, 120),)))
    assert "guardrails.levels-old" not in said(chart(levels=(level(7.0, 30),)))


def test_a_past_dose_above_the_cap_is_a_flagged_fact_and_no_error() -> None:
    message = said(chart(prescriptions=(prescription(daily(8), 10),)))["guardrails.past-dose-above-cap"]
    assert message.severity is Severity.WARNING
    assert message.values["most_mg"] == 8


@pytest.mark.parametrize(
    ("value", "code"),
    [(26.0, "guardrails.haematocrit-low"), (38.0, "guardrails.haematocrit-checked")],
)
def test_the_haematocrit_is_read_beside_the_level(value: float, code: str) -> None:
    assert code in said(chart(labs=(lab("haematocrit", value, "%"),)))


def test_a_missing_haematocrit_is_said() -> None:
    assert "guardrails.haematocrit-unknown" in said(chart())


@pytest.mark.parametrize("name", ["tacrolimus", "everolimus", "temsirolimus"])
def test_a_look_alike_is_warned_of(name: str) -> None:
    assert said(chart(therapies=(therapy(name),)))["guardrails.look-alike"].values["drug"] == name


@pytest.mark.parametrize("name", ["rapamycin", "雷帕霉素", "西罗莫司", "Sirolimus"])
def test_sirolimus_under_another_name_is_a_second_order_of_the_same_drug(name: str) -> None:
    assert said(chart(therapies=(therapy(name),)))["guardrails.sirolimus-twice"].severity is Severity.CRITICAL


def test_a_stopped_look_alike_is_quiet() -> None:
    assert "guardrails.look-alike" not in said(chart(therapies=(therapy("tacrolimus", 20, stop=10),)))


def test_bilirubin_in_haemolysis_is_a_trap_and_said() -> None:
    evans = chart(8, 25, patient=patient(8, diagnosis="evans"), labs=(lab("bilirubin", 30, "umol/L"),))
    assert "guardrails.bilirubin-haemolysis" in said(evans)
    assert "guardrails.bilirubin-high" in said(chart(8, 25, labs=(lab("bilirubin", 30, "umol/L"),)))
    assert not any(code.startswith("guardrails.bilirubin") for code in said(chart(labs=(lab("bilirubin", 9),))))


def test_a_critical_message_blocks_until_a_reason_is_given() -> None:
    message = critical("guardrails.infection")
    assert blocking((message,), {}) == (message,)
    assert blocking((message,), {"guardrails.infection": "  "}) == (message,)
    assert blocking((message,), {"guardrails.infection": "resolving, on antibiotics"}) == ()


def test_messages_come_most_serious_first() -> None:
    found = chart(levels=(level(40.0),), therapies=(therapy("tacrolimus"),))
    ranks = [message.severity.rank for message in check(found, NOW, target=TARGET, settings=SETTINGS)]
    assert ranks == sorted(ranks, reverse=True)


def test_a_platelet_count_below_100_is_never_a_reason_against_the_drug() -> None:
    found = said(chart(platelet_counts=(count(4, 20), count(5, 1)), levels=(level(7.0),)))
    serious = {code for code, message in found.items() if message.severity.rank >= Severity.WARNING.rank}
    assert not serious
