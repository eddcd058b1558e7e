# SPDX-License-Identifier: Apache-2.0
"""Numbers come with a source, and none believed from memory is used."""

from __future__ import annotations

from sirolens.dosing.interaction_table import perpetrators
from sirolens.dosing.literature import source, sourced, table
from sirolens.source import Mark

LEAST_TITLE = 20  # a title shorter than this names nothing that could be found again


def test_every_source_can_be_found_again() -> None:
    for key in table("sources"):
        assert len(source(key).title) >= LEAST_TITLE, key


def test_every_source_named_is_listed() -> None:
    def used(entry: object) -> set[str]:
        if isinstance(entry, dict):
            own = {entry["source"]} if isinstance(entry.get("source"), str) else set()
            return own.union(*(used(value) for value in entry.values()))
        return set().union(*(used(item) for item in entry)) if isinstance(entry, list) else set()

    named = set().union(*(used(dict(table(name))) for name in ("protocol", "interactions")))
    assert named <= set(table("sources"))


def test_no_setting_rests_on_memory() -> None:
    for name, entry in table("protocol")["settings"].items():
        assert sourced(entry).source.mark is not Mark.MEMORY, name


def test_no_applied_interaction_rests_on_memory_or_on_a_list() -> None:
    for one in perpetrators():
        if one.applied:
            assert one.source.mark in (Mark.SEEN, Mark.DERIVED), one.name
            assert one.evidence in ("trial", "observational", "case"), one.name
        if one.source.mark is Mark.MEMORY:
            assert one.evidence == "unverified"


def test_a_choice_says_why() -> None:
    for name, entry in table("protocol")["settings"].items():
        if "source" not in entry:
            assert entry["mark"] in ("judge", "assumed", "derived"), name
            assert len(entry["why"]) > 20, name
