# SPDX-License-Identifier: Apache-2.0
"""Messages become sentences: values, places, lists, nested messages, vocabulary and fallbacks, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sirolens.errors import UnknownNameError
from sirolens.message import Message, Place, Severity, error, info
from sirolens.report.catalogue import language_of
from sirolens.report.words import fill, say, say_value, severity_word

UNKNOWN_UNIT = error(
    "units.unknown",
    place=Place(file="chart.json", line=12, field="levels[0].unit"),
    value=7.2,
    unit="ng",
    quantity="concentration",
    accepted=("ng/ml", "nmol/l"),
)


def test_a_message_is_said_with_its_place_in_english() -> None:
    assert say(UNKNOWN_UNIT, "en") == (
        "chart.json, line 12, field levels[0].unit: 7.2 ng cannot be read as concentration: "
        "the unit is not known for it. Accepted: ng/ml, nmol/l."
    )


def test_a_message_is_said_with_its_place_in_chinese() -> None:
    said = say(UNKNOWN_UNIT, "zh")
    assert said.startswith("chart.json，第 12 行，字段 levels[0].unit：7.2 ng ")
    assert "浓度" in said
    assert "ng/ml、nmol/l" in said


def test_nested_messages_and_lists_of_them_are_said() -> None:
    inner = info("demo.daily", dose_mg=2.0)
    assert say_value("options", (inner, info("demo.daily", dose_mg=0.5)), "en") == "2 mg daily, 0.5 mg daily"
    assert say_value("option", inner, "zh") == "每日 2 mg"


def test_the_programs_own_words_are_translated_and_what_people_typed_is_not() -> None:
    assert say_value("drug", "clarithromycin", "zh") == "克拉霉素"
    assert say_value("interacting_drugs", ("clarithromycin", "rifampicin"), "zh") == "克拉霉素、利福平"
    assert say_value("value", "clarithromycin", "zh") == "clarithromycin"
    assert say_value("drug", "no such drug", "zh") == "no such drug"


def test_a_missing_message_shows_its_code_and_every_value() -> None:
    said = say(info("demo.nobody-wrote-this", dose_mg=2.0, drug="rifampicin"), "en")
    assert said == "demo.nobody-wrote-this (dose_mg: 2 mg; drug: rifampicin)"


def test_a_text_that_names_a_value_which_is_not_there_shows_what_there_is() -> None:
    assert say(info("demo.daily", drug="rifampicin"), "en") == "demo.daily (drug: rifampicin)"


def test_values_are_never_read_as_templates() -> None:
    # A value such as "{dose_mg}" or "%s" must come out as it went in.
    said = say(info("demo.banner", patient="{dose_mg} %s {0}", age_years=1.0, weight_kg=9.0, dose_mg=1.0), "en")
    assert said.startswith("{dose_mg} %s {0}: woman")


@pytest.mark.parametrize(("count", "text"), [(0, "0 levels"), (1, "1 level"), (2, "2 levels")])
def test_english_counts_agree_with_their_noun(count: int, text: str) -> None:
    assert fill("{count} {count:level|levels}", {"count": count}, "en") == text


def test_instants_in_a_message_follow_the_zone() -> None:
    message = info("report.made", day=datetime(2026, 9, 1, 0, 0, tzinfo=UTC), program="")
    assert "1 Sep 2026, 08:00" in say(message, "en", zone="Asia/Shanghai")


@pytest.mark.parametrize("severity", list(Severity))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_severity_has_a_word(severity: Severity, language: str) -> None:
    assert not severity_word(severity, language).startswith("common.")


def test_an_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError) as caught:
        language_of("fr")
    message: Message = caught.value.messages[0]
    assert say(message, "en") == "there is no language 'fr'. Known: en, zh."
