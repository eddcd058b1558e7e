# SPDX-License-Identifier: Apache-2.0
"""The protocol is the source study's, and every limit is a setting with a source. Oracle: the printed claims A1-A3."""

from __future__ import annotations

import pytest

from sirolens.dosing.protocol import (
    changed,
    claim_for,
    default_settings,
    listed,
    published_regimens,
    start_to_maintenance,
)
from sirolens.errors import InputError
from sirolens.source import Mark, Source

SEED_PMID = "38625834"
OURS = Source(title="Site decision of 1 June", mark=Mark.JUDGE)


def test_adults_start_with_2_to_4_and_are_maintained_on_1_to_2_mg() -> None:
    claim = claim_for(45, default_settings())
    assert (claim.id, claim.start_mg.value, claim.maintenance_mg.value) == ("A1", (2.0, 4.0), (1.0, 2.0))
    assert claim.start_mg.source.pmid == SEED_PMID


def test_children_start_with_1_to_2_and_are_maintained_on_half_to_1_mg() -> None:
    claim = claim_for(8, default_settings())
    assert (claim.id, claim.start_mg.value, claim.maintenance_mg.value) == ("A2", (1.0, 2.0), (0.5, 1.0))
    assert claim.maintenance_mg.source.pmid == SEED_PMID


def test_the_target_is_5_to_15_throughout() -> None:
    for age in (8, 45):
        target = claim_for(age, default_settings()).target_ng_ml
        assert target.value == (5.0, 15.0)
        assert target.source.pmid == SEED_PMID


def test_label_rules_are_as_printed() -> None:
    settings = default_settings()
    assert settings.loading_factor.value == 3.0
    assert settings.label_daily_cap_mg.value == 40.0
    assert settings.days_before_next_change.value == (7, 14)
    assert settings.loading_check_days.value == (3, 4)
    assert settings.first_level_days.value == (10, 20)
    assert settings.stable_interval_days.value == 90
    for one in (settings.loading_factor, settings.label_daily_cap_mg, settings.first_level_days):
        assert one.source.mark is Mark.SEEN


def test_caps_are_4_and_6_mg_and_marked_as_a_judgement() -> None:
    settings = default_settings()
    assert settings.soft_daily_cap_mg.value == 4.0
    assert settings.hard_daily_cap_mg.value == 6.0
    assert settings.soft_daily_cap_mg.source.mark is Mark.JUDGE


def test_every_setting_is_listed_with_its_words_and_source() -> None:
    rows = listed(default_settings())
    assert len({message.code for message, _ in rows}) == len(rows) > 40
    assert all(value.source.title for _, value in rows)


def test_a_site_changes_a_setting_and_its_reason_travels() -> None:
    new = changed(default_settings(), {"soft_daily_cap_mg": 3.0}, origin=OURS)
    assert new.soft_daily_cap_mg.value == 3.0
    assert new.soft_daily_cap_mg.source is OURS
    assert default_settings().soft_daily_cap_mg.value == 4.0


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"soft_dayly_cap": 3.0}, "protocol.unknown-setting"),
        ({"soft_daily_cap_mg": 0.0}, "protocol.setting-not-positive"),
        ({"hard_daily_cap_mg": 41.0}, "protocol.cap-above-label"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(values: dict[str, float], code: str) -> None:
    with pytest.raises(InputError) as caught:
        changed(default_settings(), values, origin=OURS)
    assert caught.value.messages[0].code == code


def test_the_change_to_maintenance_says_that_no_day_is_printed() -> None:
    said = start_to_maintenance(claim_for(45, default_settings()), default_settings())
    assert [message.code for message in said] == ["protocol.doses", "protocol.target", "protocol.start-to-maintenance"]


def test_published_regimens_for_infants_have_their_sources() -> None:
    assert all(message.source is not None and message.source.pmid for message in published_regimens())
