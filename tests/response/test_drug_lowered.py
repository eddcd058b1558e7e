# SPDX-License-Identifier: Apache-2.0
"""Platelets that fall under a high or rising level are told before a landmark is called non-response (hazard H5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.chart import Chart, Level, Patient, PlateletCount, Quantification
from sirolens.dosing.guardrails import discordance
from sirolens.dosing.protocol import default_settings
from sirolens.dosing.target import default_target
from sirolens.message import Severity
from sirolens.report.words import say
from sirolens.response.drug_lowered import Thresholds, drug_lowered, told

DAY_0 = datetime(2026, 1, 1, 8, tzinfo=UTC)
SETTINGS, TARGET = default_settings(), default_target()
LIMITS = Thresholds(
    high_ng_ml=TARGET.high_ng_ml,
    fall_ratio=SETTINGS.platelet_fall_ratio.value,
    rise_ratio=SETTINGS.level_rise_ratio.value,
    window_d=SETTINGS.platelet_window_days.value,
)
BACK = 91
LANDMARK = 91.0


def at(day: float) -> datetime:
    return DAY_0 + timedelta(days=day)


def chart(counts: dict[float, float], levels: dict[float, float], **details: Any) -> Chart:
    return Chart(
        patient=Patient(id="P-1", invented=True),
        zone="Asia/Shanghai",
        platelet_counts=tuple(
            PlateletCount(at=at(day), recorded=at(day), count_10e9_l=value) for day, value in counts.items()
        ),
        levels=tuple(
            Level(at=at(day), recorded=at(day), level_ng_ml=value, **details) for day, value in levels.items()
        ),
    )


def found(made: Chart) -> list[tuple[float, bool, bool]]:
    return [
        (one.count.count_10e9_l, one.high, one.rising)
        for one in drug_lowered(made, at(LANDMARK), LIMITS, back_days=BACK)
    ]


def test_a_fall_under_a_high_level_is_found_at_its_count() -> None:
    made = chart({10: 30, 40: 80, 60: 50, 85: 70}, {9: 8, 59: 19})
    assert found(made) == [(50.0, True, True)]


def test_a_fall_under_a_rising_level_inside_the_range_is_found() -> None:
    assert found(chart({40: 80, 60: 50}, {30: 6, 59: 11})) == [(50.0, False, True)]


def test_what_is_no_fall_or_no_high_level_is_not_found() -> None:
    assert found(chart({40: 80, 60: 50}, {30: 9, 59: 9})) == []  # level steady, in range
    assert found(chart({40: 80, 60: 65}, {59: 20})) == []  # 81 % of the highest
    assert found(chart({40: 80, 60: 50, 70: 52}, {69: 20})) == [(50.0, True, False)]  # 52 is above the one before
    assert found(chart({40: 80, 60: 50}, {15: 20})) == []  # the level is too old
    assert found(chart({40: 80, 60: 50}, {59: 20})) == [(50.0, True, False)]


def test_what_lies_after_the_landmark_or_long_before_it_does_not_count() -> None:
    assert found(chart({80: 80, 95: 40}, {94: 20})) == []
    assert found(chart({-30: 80, -10: 40}, {-11: 20})) == []
    assert found(chart({80: 80, 90: 40}, {93: 20})) == []


def test_a_level_that_is_excluded_or_below_the_limit_is_no_high_level() -> None:
    assert found(chart({40: 80, 60: 50}, {59: 20}, excluded="line")) == []
    assert found(chart({40: 80, 60: 50}, {59: 20}, quantification=Quantification.BELOW)) == []


def test_it_is_said_with_counts_levels_and_days_in_both_languages() -> None:
    made = chart({40: 80, 60: 50, 70: 30}, {30: 6, 59: 11, 69: 20})
    messages = told(made, drug_lowered(made, at(LANDMARK), LIMITS, back_days=BACK), LIMITS)
    assert [message.code for message in messages] == [
        "safety.platelets-fall-level-rising",
        "safety.platelets-fall-level-high",
    ]
    for message in messages:
        assert message.severity is Severity.WARNING
        for language in ("en", "zh"):
            words = say(message, language)
            for number in (message.values["count_10e9_l"], message.values["level_ng_ml"]):
                assert f"{number:.0f}" in words


def test_too_little_to_look_at_is_said_and_not_taken_for_all_clear() -> None:
    for made in (chart({40: 80}, {39: 20}), chart({40: 80, 60: 50}, {})):
        (message,) = told(made, drug_lowered(made, at(LANDMARK), LIMITS, back_days=BACK), LIMITS)
        assert message.code == "safety.drug-not-checked"
        say(message, "zh")
    sound = chart({40: 80, 60: 90}, {39: 8})
    assert told(sound, drug_lowered(sound, at(LANDMARK), LIMITS, back_days=BACK), LIMITS) == ()


COUNTS = (10.0, 20.0, 30.0, 40.0, 50.0, 64.0, 80.0, 100.0)
LEVELS = (4.0, 6.0, 7.5, 9.0, 15.0, 15.5, 20.0)


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(
        st.integers(2, 80), st.sampled_from([10.0, 20.0, 30.0, 40.0, 50.0, 64.0, 80.0, 100.0]), min_size=2, max_size=6
    ),
    st.dictionaries(
        st.integers(1, 80), st.sampled_from([4.0, 6.0, 7.5, 9.0, 15.0, 15.5, 20.0]), min_size=1, max_size=4
    ),
)
def test_it_is_the_alarm_of_the_advice_at_every_count(counts: dict[float, float], levels: dict[float, float]) -> None:
    # Oracle: the alarm before a dose, asked of what was known at each count after a first level.
    made = chart(dict(sorted(counts.items())), dict(sorted(levels.items())))
    mine = {one.count.at for one in drug_lowered(made, at(LANDMARK), LIMITS, back_days=BACK)}
    for count in made.platelet_counts:
        known = made.known(count.at)
        if not known.levels:
            continue
        (message,) = discordance(known, count.at, TARGET, SETTINGS)
        assert (message.severity is Severity.CRITICAL) == (count.at in mine)
