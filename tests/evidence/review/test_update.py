# SPDX-License-Identifier: Apache-2.0
"""The living review: triggers, retractions, what was known when, ongoing studies, and a diff that says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.evidence.review_folds import Story

from sirolens.errors import InputError
from sirolens.evidence.dedup.deduplicate import deduplicate
from sirolens.evidence.record import Notice, NoticeKind
from sirolens.evidence.review.copies import copies_drafts, decided, known_clusters
from sirolens.evidence.review.diff import difference
from sirolens.evidence.review.events import Kind, Stage
from sirolens.evidence.review.protocol import read_protocol
from sirolens.evidence.review.state import Box, State, as_of, fold
from sirolens.evidence.review.update import (
    cumulative,
    find_snapshot,
    new_publications,
    ongoing,
    read_withdrawn,
    retraction_drafts,
    snapshot_draft,
    triggers,
)

DAY = date(2026, 1, 1)
LIMITS = read_protocol("[update]\nmonths = 6\nnew_records = 2\nnew_studies = 1\nchanged_points = 5.0").protocol


def _state(story: Story) -> State:
    return fold(story.events, story.records)


def _close(story: Story, name: str, **more: Any) -> None:
    kind, values = snapshot_draft(story.events, _state(story), name=name, on=DAY, version=True, **more)
    story.add(kind, **values)


def _included(story: Story, name: str) -> None:
    for stage in ("title", "fulltext"):
        story.decide(name, "include", stage=stage)


def _row(estimate: float, *studies: str, method: str = "glmm") -> dict[str, Any]:
    return {"name": "ORR 3m", "estimate": estimate, "low": 0.0, "high": 1.0, "studies": studies, "method": method}


def test_only_what_is_new_is_screened_after_an_update() -> None:
    story = Story()
    one, two = story.search("first", 2)
    story.decide(one, "exclude")
    _included(story, two)
    _close(story, "v1")
    again, new = story.search("second", 2)
    story.records = [
        replace(record, doi="10.99999/same", title="An invented paper") if record.id in (one, again) else record
        for record in story.records
    ]
    state = _state(story)
    found = deduplicate(state.records.values(), known=known_clusters(state), decided=decided(story.events))
    for kind, values in copies_drafts(state, found):
        story.add(kind, **values)
    state = _state(story)
    assert state.placed[again].box is Box.ALREADY_KNOWN
    assert new_publications(state) == (new,)
    assert copies_drafts(state, deduplicate(state.records.values(), known=known_clusters(state))) == ()


def test_what_a_person_kept_apart_stays_apart_when_copies_are_looked_for_again() -> None:
    story = Story()
    one, two = story.search("a", 2)
    story.records = [replace(record, doi="10.99999/same", title="Invented") for record in story.records]
    story.add(Kind.KEPT_APART, members=[one, two], method="person")
    state = _state(story)
    found = deduplicate(state.records.values(), known=known_clusters(state), decided=decided(story.events))
    assert copies_drafts(state, found) == ()


def test_a_merge_of_the_rules_that_was_taken_back_is_not_made_again_unless_a_person_makes_it() -> None:
    story = Story()
    one, two = story.search("a", 2)
    story.records = [replace(record, doi="10.99999/same", title="An invented paper") for record in story.records]

    def look_again() -> list[Kind]:
        state = _state(story)
        found = deduplicate(state.records.values(), known=known_clusters(state), decided=decided(story.events))
        drafts = copies_drafts(state, found)
        for kind, values in drafts:
            story.add(kind, **values)
        return [kind for kind, _ in drafts]

    assert look_again() == [Kind.MERGED]
    story.add(Kind.UNDONE, event=story.events[-1].id)
    assert look_again() == []
    assert len(_state(story).clusters) == 2
    story.add(Kind.MERGED, members=[one, two], method="person")
    assert look_again() == []
    assert len(_state(story).clusters) == 1


def test_a_trigger_is_due_when_its_limit_is_reached() -> None:
    story = Story()
    (one,) = story.search("first", 1)
    _close(story, "v1", estimates=[_row(60.0, "a")])
    before = {one.kind: one.due for one in triggers(_state(story), LIMITS, today=date(2026, 2, 1))}
    assert before == {"months": False, "new-records": False, "new-studies": False}
    new = story.search("second", 2)
    _included(story, new[0])
    story.decide(one, "exclude")
    _close(story, "v2", estimates=[_row(66.0, "a", "b")])
    kind, values = snapshot_draft(story.events, _state(story), name="later", on=DAY, estimates=[_row(60.5, "a")])
    story.add(kind, **values)
    after = {one.kind: one for one in triggers(_state(story), LIMITS, today=date(2026, 9, 1))}
    assert after["months"].due
    assert after["changed-points"].value == pytest.approx(5.5)
    assert triggers(_state(story), None, today=DAY) == ()
    share = [{**_row(value, "a"), "effect": "share"} for value in (0.60, 0.66)]
    for name, row in zip(("s1", "s2"), share, strict=True):
        kind, values = snapshot_draft(story.events, _state(story), name=name, on=DAY, estimates=[row])
        story.add(kind, **values)
    points = {one.kind: one.value for one in triggers(_state(story), LIMITS, today=DAY)}["changed-points"]
    assert points == pytest.approx(6.0)


def test_a_retraction_found_by_an_update_excludes_and_is_found_once() -> None:
    story = Story()
    one, listed, said = story.search("a", 3)
    story.records = [
        replace(story.records[0], doi="10.99999/fake.1"),
        replace(story.records[1], pmid="99000001"),
        replace(story.records[2], notices=(Notice(kind=NoticeKind.RETRACTED_BY, printed="Fake Blood 2026"),)),
    ]
    for name in (one, listed, said):
        _included(story, name)
    withdrawn = read_withdrawn("https://doi.org/10.99999/FAKE.1, 2026-03-01\nPMID: 99000001")
    drafts = retraction_drafts(_state(story), on=DAY, withdrawn=withdrawn, source="list.txt")
    assert [(kind, values.get("date")) for kind, values in drafts] == [
        (Kind.RETRACTED, "2026-03-01"),
        (Kind.RETRACTED, "2026-01-01"),
        (Kind.RETRACTED, "2026-01-01"),
        (Kind.CHECKED, None),
    ]
    for kind, values in drafts:
        story.add(kind, **values)
    state = _state(story)
    assert state.counts()[Box.INCLUDED] == 0
    assert {state.placed[name].reason for name in (one, listed, said)} == {"retracted"}
    assert [kind for kind, _ in retraction_drafts(state, on=DAY, withdrawn=withdrawn)] == [Kind.CHECKED]


def test_a_list_of_retractions_names_every_line_it_cannot_read() -> None:
    with pytest.raises(InputError) as caught:
        read_withdrawn("10.1/x\nsomething\n99,2026-13-01", "list.txt")
    assert [message.place and message.place.line for message in caught.value.messages] == [2, 3]


def test_what_was_known_by_the_date_of_each_search_grows() -> None:
    story = Story()
    first = story.add(Kind.SEARCHED, database="x", arm="databases", strategy="s", run_on="2025-01-01")
    story.take_in(first.id, "old", 2)
    (old, _) = _state(story).clusters
    new, copy = story.search("new", 2)
    story.add(Kind.MERGED, members=[old, copy])
    _included(story, old)
    _included(story, new)
    story.add(Kind.GROUPED, study="invented-2024", reports=[copy], cohorts=["all"])
    rows = cumulative(_state(story))
    assert [(row.on.year, row.records, row.publications, row.included) for row in rows] == [
        (2025, 2, 2, (old,)),
        (2026, 4, 3, (old, new)),
    ]
    assert rows[0].studies == ("invented-2024",)


def test_the_table_of_ongoing_studies_shows_the_newest_word_and_results_that_appeared() -> None:
    story = Story()
    register, paper = story.search("a", 2)
    story.records = [replace(record, trial_ids=("NCT00000000",)) for record in story.records]
    told = {"title": "Invented trial", "registration": "nct00000000", "record": register}
    story.add(Kind.ONGOING, status="recruiting", **told)
    story.add(Kind.ONGOING, status="completed", **told)
    (row,) = ongoing(_state(story))
    assert (row.status, row.results) == ("completed", (paper,))


def test_the_diff_says_which_records_moved_and_which_events_moved_them() -> None:
    story = Story()
    one, two, three = story.search("a", 3)
    _included(story, one)
    story.add(Kind.GROUPED, study="s1", reports=[one])
    _close(story, "v1")
    retraction = story.add(Kind.RETRACTED, record=one, date="2026-02-01")
    merge = story.add(Kind.MERGED, members=[two, three])
    story.search("b", 1)
    state = _state(story)
    past = fold(as_of(story.events, find_snapshot(state, "v1").event), story.records)
    found = difference(past, state, estimates_before=[_row(60, "s1")], estimates_after=[_row(55, "s2", method="pft")])
    moved = {one.record: (one.before, one.after, [event.id for event in one.why]) for one in found.moved}
    assert moved == {
        one: (Box.INCLUDED, Box.FULLTEXT_EXCLUDED, [retraction.id]),
        three: (Box.TITLE_PENDING, Box.DUPLICATE, [merge.id]),
    }
    assert (len(found.added), len(found.searches), found.studies_removed) == (1, 1, ("s1",))
    (estimate,) = found.estimates
    assert estimate.why == ("studies-added", "studies-removed", "method")
    assert difference(past, past).nothing
    (same,) = difference(past, past, estimates_before=[_row(60, "a")], estimates_after=[_row(61, "a")]).estimates
    assert same.why == ("data",)


def test_the_diff_names_the_counts_behind_an_estimate_that_moved_also_beside_a_new_study() -> None:
    nothing = fold([], [])
    before = _row(60, "a", "b") | {"counts": ["a 12/20", "b 5/9"]}
    after = _row(62, "a", "b", "c") | {"counts": ["a 13/20", "b 5/9", "c 1/2"]}
    (moved,) = difference(nothing, nothing, estimates_before=[before], estimates_after=[after]).estimates
    assert moved.why == ("studies-added", "counts")
    assert moved.changed == (("a 12/20", "a 13/20"),)


def test_a_decision_that_was_taken_back_is_told_as_the_reason_too() -> None:
    story = Story()
    (one,) = story.search("a", 1)
    story.decide(one, "include")
    before = _state(story)
    story.add(Kind.UNDONE, event=story.events[-1].id)
    (moved,) = difference(before, _state(story)).moved
    assert (moved.after, [event.kind for event in moved.why]) == (Box.TITLE_PENDING, [Kind.DECIDED])
    assert before.standing(one, Stage.TITLE).voices[-1].event == moved.why[0].id


def test_a_snapshot_needs_a_new_name_and_estimates_that_are_numbers() -> None:
    story = Story()
    story.search("a", 1)
    _close(story, "v1")
    with pytest.raises(InputError, match=r"review\.snapshot-twice"):
        _close(story, "v1")
    with pytest.raises(InputError, match=r"review\.estimate-unreadable\(number=1\)"):
        _close(story, "v2", estimates=[{"name": "x", "estimate": "0.6"}])
    with pytest.raises(InputError, match=r"review\.snapshot-unknown"):
        find_snapshot(_state(story), "v9")
