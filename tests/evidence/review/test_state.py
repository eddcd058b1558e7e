# SPDX-License-Identifier: Apache-2.0
"""The state of a review: the settled rules of the flow, each by a small invented story; oracle: counted by hand."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.review_folds import START, Story

from sirolens.errors import InputError
from sirolens.evidence.review.events import Event, Kind, Stage, from_line, seal, to_line
from sirolens.evidence.review.standing import Status
from sirolens.evidence.review.state import Box, Rules, State, as_of, counting_events, fold, state_hash


def _folded(story: Story, rules: Rules | None = None) -> State:
    return fold(story.events, story.records, rules)


def test_a_record_found_in_both_arms_counts_in_the_databases_arm_and_is_a_duplicate_in_the_other() -> None:
    story = Story()
    (cited,) = story.search("cited", 1, arm="other")
    (found,) = story.search("pubmed", 1)
    story.add(Kind.MERGED, members=[cited, found])
    state = _folded(story)
    assert state.placed[found].box is Box.TITLE_PENDING
    assert (state.placed[cited].box, state.placed[cited].arm) == (Box.DUPLICATE, "other")


def test_merged_copies_with_opposite_decisions_become_a_conflict_whoever_decided_last() -> None:
    story = Story()
    one, other = story.search("a", 2)
    story.decide(one, "include")
    story.decide(other, "exclude", reasons=["animals"])
    assert _folded(story).counts()[Box.TITLE_EXCLUDED] == 1
    story.add(Kind.MERGED, members=[one, other])
    state = _folded(story)
    assert state.placed[one].box is Box.TITLE_CONFLICT
    assert {voice.decision for voice in state.standing(other, Stage.TITLE).voices} == {"include", "exclude"}
    story.add(Kind.RESOLVED, record=one, covers=[one, other], stage="title", decision="include")
    assert _folded(story).placed[one].box is Box.RETRIEVAL_PENDING
    story.decide(one, "exclude", "li", covers=[one, other])
    assert _folded(story).placed[one].box is Box.TITLE_CONFLICT  # a later word against the resolution is shown


def test_one_reviewer_against_oneself_on_two_merged_copies_is_a_conflict_too() -> None:
    story = Story()
    one, other = story.search("a", 2)
    story.decide(one, "include", "wei")
    story.decide(other, "exclude", "wei")
    story.add(Kind.MERGED, members=[one, other])
    assert _folded(story, Rules(title_reviewers=1)).placed[one].box is Box.TITLE_CONFLICT


def test_a_record_known_from_an_earlier_version_is_its_own_box() -> None:
    story = Story()
    one, left = story.search("a", 2)
    story.decide(one, "exclude")
    first = _folded(story)
    story.add(
        Kind.SNAPSHOT,
        name="1",
        on="2026-02-01",
        state=state_hash(first),
        heads=story.heads(),
        boxes={},
        version=True,
        open=[left],
    )
    again, late, new = story.search("b", 3)
    story.add(Kind.MERGED, members=[one, again])
    story.add(Kind.MERGED, members=[left, late])
    state = _folded(story)
    boxes = {name: (state.placed[name].box, state.placed[name].version) for name in (one, left, again, late, new)}
    assert boxes == {
        one: (Box.TITLE_EXCLUDED, 1),
        left: (Box.TITLE_PENDING, 2),  # carried over: it had no final box when the version was closed
        again: (Box.ALREADY_KNOWN, 2),
        late: (Box.DUPLICATE, 2),
        new: (Box.TITLE_PENDING, 2),
    }
    past = fold(as_of(story.events, state.snapshots[0].event), story.records)
    assert state_hash(past) == state_hash(first)


def test_a_retraction_acts_as_a_decision_and_a_person_may_decide_otherwise_after_it() -> None:
    story = Story()
    one, other = story.search("a", 2)
    for stage in ("title", "fulltext"):
        story.decide(one, "include", stage=stage)
    assert _folded(story).placed[one].box is Box.INCLUDED
    for record in (one, other):
        story.add(Kind.RETRACTED, record=record, date="2026-03-01")
    state = _folded(story)
    assert (state.placed[one].box, state.placed[one].reason) == (Box.FULLTEXT_EXCLUDED, "retracted")
    assert state.placed[other].box is Box.TITLE_EXCLUDED
    story.add(Kind.RESOLVED, record=one, stage="fulltext", decision="include", notes="sensitivity analysis only")
    assert _folded(story).placed[one].box is Box.INCLUDED


def test_a_retraction_leaves_what_was_excluded_or_never_retrieved_where_it_is() -> None:
    story = Story()
    lost, excluded, waiting = story.search("a", 3)
    for name in (lost, excluded, waiting):
        story.decide(name, "include")
    story.add(Kind.NOT_RETRIEVED, record=lost, why="no copy")
    story.decide(excluded, "exclude", stage="fulltext", reasons=["population"])
    for name in (lost, excluded, waiting):
        story.add(Kind.RETRACTED, record=name, date="2026-03-01")
    placed = _folded(story).placed
    assert [(placed[name].box, placed[name].reason) for name in (lost, excluded, waiting)] == [
        (Box.NOT_RETRIEVED, ""),
        (Box.FULLTEXT_EXCLUDED, "population"),
        (Box.FULLTEXT_EXCLUDED, "retracted"),
    ]


def test_what_was_undone_does_not_count_and_the_undoing_can_be_undone() -> None:
    story = Story()
    one, other = story.search("a", 2)
    merge = story.add(Kind.MERGED, members=[one, other])
    undo = story.add(Kind.UNDONE, event=merge.id)
    assert _folded(story).counts()[Box.DUPLICATE] == 0
    story.add(Kind.UNDONE, event=undo.id)
    assert _folded(story).counts()[Box.DUPLICATE] == 1


def test_a_chain_of_merges_never_joins_what_a_person_kept_apart() -> None:
    story = Story()
    a, b, c = story.search("a", 3)
    story.add(Kind.KEPT_APART, members=[a, c], method="person")
    story.add(Kind.MERGED, members=[a, b], method="doi")
    story.add(Kind.MERGED, members=[b, c], method="doi")
    state = _folded(story)
    assert state.grouping.cluster_of[a] != state.grouping.cluster_of[c]
    assert [message.code for message in state.messages] == ["review.merge-contradicts"]
    story.add(Kind.MERGED, members=[a, c], method="doi")  # a rule does not override a person
    assert _folded(story).grouping.cluster_of[a] != _folded(story).grouping.cluster_of[c]
    story.add(Kind.MERGED, members=[a, c], method="person")
    assert len(_folded(story).clusters) == 1


def test_a_question_stays_open_until_it_is_answered() -> None:
    story = Story()
    a, b = story.search("a", 2)
    story.add(Kind.ASKED, members=[a, b], why=["title"])
    assert [ask.members for ask in _folded(story).asks] == [(a, b)]
    story.add(Kind.KEPT_APART, members=[a, b], method="person")
    assert _folded(story).asks == ()


def test_a_sealed_decision_counts_only_once_opened_by_its_maker_as_it_was() -> None:
    story = Story()
    (one,) = story.search("a", 1)
    salt, told = "5a", {"record": one, "stage": "title", "decision": "include"}
    closed = story.add(Kind.DECIDED, "li", record=one, stage="title", sealed=seal(salt, **told))
    story.decide(one, "include", "wei")
    assert _folded(story).standing(one, Stage.TITLE).status is Status.SEALED
    story.add(Kind.UNSEALED, "li", event=closed.id, salt=salt, decision="exclude")
    state = _folded(story)
    assert state.standing(one, Stage.TITLE).status is Status.SEALED
    assert [message.code for message in state.messages] == ["review.seal-broken"]
    story.add(Kind.UNSEALED, "li", event=closed.id, salt=salt, decision="include")
    assert _folded(story).placed[one].box is Box.RETRIEVAL_PENDING


def test_each_way_through_the_stages_ends_in_its_box() -> None:
    story = Story()
    names = story.search("a", 8)
    early, stopped, maybe, lost, waiting, half, excluded, included = names
    story.decide(early, "exclude", "wei", stage="before", reasons=["book review"])
    story.add(Kind.STOP_ACCEPTED, records=[stopped], person="Invented Person")
    for name in names[2:]:
        story.decide(name, "maybe" if name == maybe else "include")
    story.add(Kind.NOT_RETRIEVED, record=lost, why="no answer")
    story.add(Kind.RETRIEVED, record=waiting)
    story.decide(half, "include", "wei", stage="fulltext")
    story.decide(excluded, "exclude", "wei", stage="fulltext", reasons=["outcome"])
    story.decide(excluded, "exclude", "li", stage="fulltext", reasons=["population"])
    story.decide(included, "include", stage="fulltext")
    state = _folded(story, Rules(reasons=("population", "outcome")))
    assert [state.placed[name].box for name in names] == [
        Box.REMOVED,
        Box.AUTOMATIC,
        Box.RETRIEVAL_PENDING,
        Box.NOT_RETRIEVED,
        Box.FULLTEXT_PENDING,
        Box.FULLTEXT_PENDING,
        Box.FULLTEXT_EXCLUDED,
        Box.INCLUDED,
    ]
    assert state.placed[excluded].reason == "population"  # the protocol's order decides, and says that they differ
    assert state.standing(excluded, Stage.FULLTEXT).reasons_differ


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(min_value=0, max_value=2**32 - 1), size=st.integers(min_value=1, max_value=40))
def test_any_order_of_the_reviewers_files_folds_to_the_same_state_with_each_record_in_one_box(
    seed: int, size: int
) -> None:
    dice = random.Random(seed)
    story = _random_story(dice, size)
    shuffled = [from_line(to_line(event)) for event in story.events]
    dice.shuffle(shuffled)
    state, other = _folded(story), fold(shuffled, reversed(story.records))
    assert (state.placed, state.grouping, state.standings, state.messages) == (
        other.placed,
        other.grouping,
        other.standings,
        other.messages,
    )
    assert state_hash(state) == state_hash(other)
    assert set(state.placed) == {record.id for record in story.records}
    assert sum(state.counts().values()) == len(story.records)


def _random_story(dice: random.Random, size: int) -> Story:
    story = Story()
    names = [*story.search("a", 4), *story.search("b", 3, arm="registers", by="li"), *story.search("c", 2, arm="other")]
    for _ in range(size):
        two = dice.sample(names, 2)
        by, stage = dice.choice(["wei", "li"]), dice.choice(["title", "title", "fulltext"])
        match dice.randrange(8):
            case 0 | 1:
                story.add(Kind.MERGED, by, members=two, method=dice.choice(["person", "doi"]))
            case 2:
                story.add(Kind.KEPT_APART, by, members=two, method=dice.choice(["person", "doi"]))
            case 3:
                later = story.events[6:]  # not the searches and imports
                if later:
                    story.add(Kind.UNDONE, by, event=dice.choice(later).id)
            case 4:
                story.add(Kind.RETRACTED, by, record=two[0], date="2026-01-05")
            case 5:
                story.add(Kind.RESOLVED, by, record=two[0], covers=two, stage=stage, decision="include")
            case _:
                story.decide(two[0], dice.choice(["include", "exclude", "maybe"]), by, stage=stage)
    return story


@given(
    text=st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip),
    tags=st.lists(st.text("ab\u2028张", min_size=1).filter(str.strip)),
)
def test_an_event_is_one_line_whatever_its_texts_hold(text: str, tags: list[str]) -> None:
    event = Event.new(Kind.DECIDED, by="张伟", at=START, record=text, stage="title", decision="maybe", tags=tags)
    line = to_line(event)
    assert "\n" not in line
    assert from_line(line) == event
    assert to_line(from_line(line)) == line


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=300)
@given(kind=st.sampled_from(Kind), name=st.sampled_from(["record", "members", "data", "covers", "x"]), value=JSON)
def test_a_line_of_any_values_is_an_event_or_is_refused_in_words(kind: Kind, name: str, value: object) -> None:
    fields = {"id": "e-1", "at": "2026-01-01T00:00:00Z", "by": "wei", "kind": kind.value, "values": {name: value}}
    try:
        event = from_line(json.dumps(fields))
    except InputError:
        return
    assert from_line(to_line(event)) == event


def test_a_text_that_is_no_text_is_refused_before_it_is_written() -> None:
    with pytest.raises(InputError, match=r"review\.event-value"):
        Event.new(Kind.UNDONE, by="wei", at=START, event="\ud800")


def test_an_import_cannot_name_a_file_outside_the_folder() -> None:
    with pytest.raises(InputError, match=r"review\.event-value\(expected=\.ris, field=extension"):
        Story().add(Kind.IMPORTED, search="s", sha256="0" * 64, file="x", extension="/../../x", records=1)


def test_an_event_read_twice_counts_once() -> None:
    story = Story()
    story.search("a", 2)
    assert counting_events([*story.events, *story.events]) == tuple(story.events)


def test_faults_of_an_event_are_all_named_and_a_newer_kind_is_refused_by_name() -> None:
    with pytest.raises(InputError) as caught:
        Event.new(Kind.DECIDED, by="wei", at=START, record="r-1", stage="abstract", resons=["x"])
    assert [message.code for message in caught.value.messages] == ["review.event-value", "review.event-key-unknown"]
    line = to_line(Event.new(Kind.UNDONE, by="wei", at=START, event="e-1")).replace('"undone"', '"voted"')
    with pytest.raises(InputError, match=r"review\.kind-unknown\(value=voted\)"):
        from_line(line)


@pytest.mark.parametrize("line", ["", "{", "[]", '{"id":1}', "null", "[" * 100_000, '"\ud800"'])
def test_a_line_that_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(InputError, match=r"review\.event-unreadable"):
        from_line(line)


def test_the_docs_name_every_kind_of_event_and_every_box() -> None:
    text = (Path(__file__).parents[3] / "docs" / "review.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([a-z-]+)`", text))
    assert not {*map(str, Kind), *map(str, Box)} - told
