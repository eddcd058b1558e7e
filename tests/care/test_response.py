# SPDX-License-Identifier: Apache-2.0
"""One patient's response as a page and as JSON: words for everything, the published layout, nothing of the future."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from sirolens.care.criteria_card import criteria_card, criteria_list
from sirolens.care.response import assess
from sirolens.care.response_json import to_json
from sirolens.care.response_page import response_document
from sirolens.chart import Bleeding, BleedingAsked, Chart, Course, Patient, PlateletCount, Therapy
from sirolens.interop.chart_json import from_json, read_chart
from sirolens.report.document import Document, Headline, Table
from sirolens.report.html import page
from sirolens.report.terminal import show
from sirolens.response.criteria import criteria_sets, load
from sirolens.response.states import State
from tests.care.test_pages import FILE_NAME, RAW_CODE

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = sorted((ROOT / "examples" / "charts").glob("*.json"))
SCHEMA = json.loads((ROOT / "docs" / "schema" / "response.schema.json").read_text(encoding="utf-8"))
LANGUAGES = ("en", "zh")
BEGUN = datetime(2026, 1, 5, 8, tzinfo=UTC)


def shown(document: Document, language: str) -> str:
    out = io.StringIO()
    show(document, language, Console(file=out, width=400, color_system=None))
    return out.getvalue()


def chart(*counts: tuple[int, float], rescue: int | None = None) -> Chart:
    """An invented patient asked for bleeding at every count, begun on day 0 at 8 o'clock."""
    when = [BEGUN + timedelta(days=day) for day, _ in counts]
    given = () if rescue is None else (BEGUN + timedelta(days=rescue),)
    return Chart(
        patient=Patient(id="invented", invented=True),
        zone="UTC",
        courses=(Course(at=BEGUN, recorded=BEGUN),),
        platelet_counts=tuple(
            PlateletCount(at=at, recorded=at, count_10e9_l=count) for at, (_, count) in zip(when, counts, strict=True)
        ),
        bleedings=tuple(Bleeding(at=at, recorded=at, asked=BleedingAsked.NONE) for at in when),
        therapies=tuple(
            Therapy(at=at, recorded=at, stop=at + timedelta(days=2), drug="immunoglobulin", role="rescue")
            for at in given
        ),
    )


RESPONDER = chart((-1, 12.0), (30, 120.0), (37, 130.0), (91, 140.0), (98, 135.0))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_has_its_verdict_in_words_and_in_the_published_layout(path: Path, language: str) -> None:
    read, flags = read_chart(path)
    at = read.last_recorded
    assert at is not None
    known, found, changes = assess(read, at=at, criteria=load("iwg-2009"))
    document = response_document(known, found, changes, flags=flags, version="test")
    assert not RAW_CODE.search(shown(document, language))
    assert "<svg" in page(document, language)
    values = to_json(known, found, changes, flags=flags, language=language)
    assert list(Draft202012Validator(SCHEMA).iter_errors(values)) == []


def test_a_confirmed_complete_response_is_said_first_with_its_days() -> None:
    known, found, changes = assess(RESPONDER, at=BEGUN + timedelta(days=120), criteria=load("iwg-2009"))
    assert found.state is State.COMPLETE
    document = response_document(known, found, changes, version="test")
    (headline,) = (block for block in document.blocks if isinstance(block, Headline))
    assert headline.text.code == "verdict.stands"
    told = shown(document, "en")
    assert "complete response" in told
    assert "4 Feb 2026 (day 30)" in told
    landmarks = next(block for block in document.blocks if isinstance(block, Table))
    assert len(landmarks.rows) == len(found.criteria.landmarks_d)


def test_each_change_of_the_verdict_names_the_count_that_made_it() -> None:
    _, _, changes = assess(RESPONDER, at=BEGUN + timedelta(days=120), criteria=load("iwg-2009"))
    steps = [(one.before, one.after) for revision in changes for one in revision.changes if one.landmark_d is None]
    assert steps == [(State.TOO_EARLY, State.PROVISIONAL), (State.PROVISIONAL, State.COMPLETE)]
    assert [revision.causes[0].code for revision in changes[:2]] == ["response.revised-count"] * 2


def test_a_retracted_count_is_seen_in_the_history_and_not_in_the_verdict() -> None:
    told = BEGUN + timedelta(days=50)
    counts = [replace(one, retracted=told) if one.count_10e9_l == 130.0 else one for one in RESPONDER.platelet_counts]
    doubted = replace(RESPONDER, platelet_counts=tuple(counts[:3]))
    _, before, _ = assess(doubted, at=told - timedelta(minutes=1), criteria=load("iwg-2009"))
    known, after, changes = assess(doubted, at=told, criteria=load("iwg-2009"))
    assert (before.state, after.state) == (State.COMPLETE, State.PROVISIONAL)
    assert [one.count_10e9_l for one in known.platelet_counts] == [12.0, 120.0]
    steps = [(one.before, one.after) for revision in changes for one in revision.changes if one.landmark_d is None]
    assert steps[-2:] == [(State.PROVISIONAL, State.COMPLETE), (State.COMPLETE, State.PROVISIONAL)]
    assert changes[-1].causes[0].code == "response.revised-retracted"


def test_a_rescue_is_the_cause_that_is_named() -> None:
    rescued = chart((-1, 12.0), (30, 120.0), (37, 130.0), rescue=60)
    _, found, changes = assess(rescued, at=BEGUN + timedelta(days=70), criteria=load("iwg-2009"))
    assert found.state is State.NO_RESPONSE
    assert changes[-1].causes[0].code == "response.revised-event"


def test_nothing_later_is_seen() -> None:
    early = BEGUN + timedelta(days=33)
    whole = assess(RESPONDER, at=early, criteria=load("iwg-2009"))
    cut = assess(RESPONDER.known(early), at=early, criteria=load("iwg-2009"))
    assert to_json(*whole, language="en") == to_json(*cut, language="en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list(criteria_sets()))
def test_every_choice_of_every_set_is_shown_in_words(name: str, language: str) -> None:
    told = shown(criteria_card(load(name), version="test"), language)
    assert not RAW_CODE.search(FILE_NAME.sub("", told).replace("docs/science/response.md", ""))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_of_sets_never_shows_an_assumption_as_printed(language: str) -> None:
    document = criteria_list([load(name) for name in criteria_sets()], version="test")
    assert not RAW_CODE.search(shown(document, language))
    (table,) = (block for block in document.blocks if isinstance(block, Table))
    feng = next(row for row in table.rows if row[0] == "feng-2020")
    assert set(feng[2:6]) == {"?"}


@pytest.mark.parametrize(("last_day", "told"), [(-75, False), (40, True)])
def test_only_what_still_goes_on_at_the_first_dose_is_called_background(last_day: int, told: bool) -> None:
    begun, ended = BEGUN - timedelta(days=100), BEGUN + timedelta(days=last_day)
    steroid = Therapy(at=begun, recorded=begun, stop=ended, drug="prednisone", role="itp", amount=10.0, unit="mg")
    _, found, _ = assess(
        replace(RESPONDER, therapies=(steroid,)), at=BEGUN + timedelta(days=120), criteria=load("iwg-2009")
    )
    assert ("response.background" in {note.code for note in found.notes}) is told


def test_a_chart_says_that_immunoglobulin_only_covered_a_procedure() -> None:
    text = json.loads((ROOT / "examples" / "charts" / "adult_three_troughs.json").read_text(encoding="utf-8"))
    covered = {
        "start": "2026-10-01T08:00+08:00",
        "stop": "2026-10-02T08:00+08:00",
        "drug": "丙种球蛋白",
        "role": "操作前用药",
    }
    text["therapies"] = [covered]
    read, _ = from_json(json.dumps(text, ensure_ascii=False).encode(), file="chart.json")
    (therapy,) = read.therapies
    assert (therapy.drug, therapy.role) == ("immunoglobulin", "cover")
    _, found, _ = assess(read, at=datetime(2026, 11, 30, tzinfo=UTC), criteria=load("iwg-2009"))
    assert "response.failure" not in {note.code for note in found.notes}


def test_a_response_of_platelets_only_shows_the_two_counts_it_rests_on() -> None:
    unasked = replace(chart((-1, 12.0), (30, 60.0), (37, 60.0)), bleedings=())
    asked = chart((37, 60.0)).bleedings
    _, found, _ = assess(replace(unasked, bleedings=asked), at=BEGUN + timedelta(days=40), criteria=load("iwg-2009"))
    assert found.state is State.PLATELETS_ONLY
    assert {(one.use, one.day) for one in found.counts} >= {("achieved", 30), ("confirmed", 37)}
