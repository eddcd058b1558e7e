# SPDX-License-Identifier: Apache-2.0
"""The screening terminal, driven by its keys: what is pressed is on the disk, and nothing is lost when it is killed.

All records are invented.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input, Static

from sirolens.cli import screen_session
from sirolens.cli.screen_app import ScreenApp
from sirolens.cli.screen_session import Session
from sirolens.cli.screen_text import marked, shown
from sirolens.evidence.importing import import_file
from sirolens.evidence.record import Author, Position, Record
from sirolens.evidence.review.events import Decision, Kind, Stage
from sirolens.evidence.review.folder import append, init, keep_import, open_review
from sirolens.evidence.screening.sealed import private_file
from sirolens.evidence.screening.stopping import StopPlan
from sirolens.evidence.screening.stopping_events import opening_draft, plan_draft
from tests.cli.command import sirolens

PROTOCOL = """
title = "Sirolimus in ITP (invented)"
title_zh = "西罗莫司与ITP（虚构）"
blind = {blind}
[question]
population = "immune thrombocytopenia"
population_zh = "免疫性血小板减少症"
intervention = "sirolimus"
comparison = "none"
outcomes = "platelet response"
designs = "any"
[[databases]]
name = "pubmed"
database = "PubMed"
strategy = "sirolimus"
[criteria]
include = ["any"]
[[reasons]]
id = "population"
text = "other population"
text_zh = "研究对象不符"
[[reasons]]
id = "design"
text = "other design"
[[outcomes]]
id = "response"
text = "response"
[[team]]
name = "wei"
[[team]]
name = "li"
[screening]
title_reviewers = {reviewers}
fulltext_reviewers = {reviewers}
"""

Press = Callable[..., Awaitable[None]]
TITLES = (
    "Sirolimus for immune thrombocytopenia",
    "Surgery of the knee",
    "西罗莫司治疗免疫性血小板减少症",
    "Sirolimus in mice with thrombocytopenia",
    "Pain after knee surgery",
    "Platelet response to sirolimus",
)


def review(folder: Path, *, blind: bool = True, reviewers: int = 2, titles: tuple[str, ...] = TITLES) -> Path:
    init(folder, by="wei")
    text = PROTOCOL.format(blind=str(blind).lower(), reviewers=reviewers)
    (folder / "protocol.toml").write_text(text, encoding="utf-8")
    file = folder.parent / "invented.ris"
    entries = (f"TY  - JOUR\nTI  - {title}\nAB  - Invented abstract on {title}.\nER  - \n" for title in titles)
    file.write_text("\n".join(entries), encoding="utf-8")
    searched = {"database": "PubMed", "arm": "databases", "strategy": "x", "run_on": "2026-01-01"}
    (entry,) = append(folder, "wei", [(Kind.SEARCHED, searched)])
    kept = keep_import(folder, file.read_bytes(), import_file(file), name=file.name, search=entry.id)
    append(folder, "wei", [kept])
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return review(tmp_path / "review")


def drive(
    session: Session,
    steps: Callable[[ScreenApp, Press], Awaitable[None]],
    language: str = "en",
    size: tuple[int, int] = (100, 34),
) -> None:
    """Run the screen without a terminal and hand its keys to a test."""

    async def run() -> None:
        app = ScreenApp(session, language)
        async with app.run_test(size=size) as pilot:

            async def press(*keys: str) -> None:
                await pilot.press(*keys)
                await pilot.pause()

            await press()
            await steps(app, press)

    asyncio.run(run())


def said(app: ScreenApp, part: str) -> str:
    return str(app.query_one(f"#{part}", Static).render())


def title_of(app: ScreenApp) -> str:
    assert app.current is not None
    return app.session.records(app.current)[0].title


def opened_decisions(folder: Path, by: str = "wei") -> list[tuple[str, str, tuple[str, ...], str, tuple[str, ...]]]:
    """Oracle: the folder read anew, by another session."""
    session = Session(folder, by, Stage.TITLE)
    return [
        (session.records(one.record)[0].title, str(one.decision), one.reasons, one.notes, one.tags)
        for one in session.own.values()
    ]


def test_every_key_does_what_it_says_and_is_on_the_disk_at_once(folder: Path) -> None:
    async def steps(app: ScreenApp, press: Press) -> None:
        titles = []
        for key in ("i", "e", "m", "1"):
            titles.append(title_of(app))
            await press(key)
            assert opened_decisions(folder)[-1][0] == titles[-1]
        expected = [("include", ()), ("exclude", ()), ("maybe", ()), ("exclude", ("population",))]
        assert [one[1:3] for one in opened_decisions(folder)] == expected
        assert "4 of 6 decided" in said(app, "head")
        await press("9")  # the protocol has no ninth reason
        assert len(opened_decisions(folder)) == 4

    drive(Session(folder, "wei", Stage.TITLE), steps)


def test_a_blinded_decision_is_not_in_the_shared_folder(folder: Path) -> None:
    async def steps(app: ScreenApp, press: Press) -> None:
        assert "sealed until all have finished" in said(app, "head")
        await press("w", *"secret", "enter")
        await press("i")

    drive(Session(folder, "wei", Stage.TITLE), steps)
    decided = [event for event in open_review(folder).events if event.kind is Kind.DECIDED]
    assert [set(event.values) for event in decided] == [{"record", "stage", "sealed"}]
    assert "secret" in private_file(folder, "wei").read_text(encoding="utf-8")
    shared = [path for path in folder.rglob("*") if path.is_file() and "private" not in path.parts]
    assert not [path for path in shared if b"secret" in path.read_bytes()]


def test_a_decision_whose_secret_is_lost_is_asked_for_again(folder: Path) -> None:
    first = Session(folder, "wei", Stage.TITLE)
    name = first.order()[0]
    first.decide(name, Decision.EXCLUDE)
    private_file(folder, "wei").unlink()
    again = Session(folder, "wei", Stage.TITLE)
    assert [message.code for message in again.messages] == ["screening.secret-lost"]
    assert name in again.order()
    assert again.total == len(TITLES)
    again.decide(name, Decision.INCLUDE)
    assert opened_decisions(folder)[0][1] == "include"


def test_an_open_review_writes_open_decisions(tmp_path: Path) -> None:
    folder = review(tmp_path / "open", blind=False)

    async def steps(app: ScreenApp, press: Press) -> None:
        assert "sealed" not in said(app, "head")
        await press("e")

    drive(Session(folder, "wei", Stage.TITLE), steps)
    decided = [event for event in open_review(folder).events if event.kind is Kind.DECIDED]
    assert [event.text("decision") for event in decided] == ["exclude"]


def test_notes_and_tags_wait_for_the_decision_and_survive_a_kill(folder: Path) -> None:
    async def write(app: ScreenApp, press: Press) -> None:
        await press("w", *"abc", "space", *"de", "enter")
        await press("t", *"x,", "space", *"y,x", "enter")
        assert "Note: abc de" in said(app, "mine")

    drive(Session(folder, "wei", Stage.TITLE), write)  # ends without a decision, as a killed process would

    async def decide(app: ScreenApp, press: Press) -> None:
        assert "Note: abc de" in said(app, "mine")
        await press("i")
        assert opened_decisions(folder)[0][1:] == ("include", (), "abc de", ("x", "y"))
        await press("p", "w", "!", "enter")
        assert opened_decisions(folder)[0][1:] == ("include", (), "abc de!", ("x", "y"))

    drive(Session(folder, "wei", Stage.TITLE), decide)


def test_escape_leaves_the_line_and_its_letters_decide_nothing(folder: Path) -> None:
    async def steps(app: ScreenApp, press: Press) -> None:
        await press("w", *"iem1q", "escape")
        assert opened_decisions(folder) == []
        assert app.session.jotted == {}
        assert not app.query_one("#line", Input).has_class("open")
        await press("i")
        assert len(opened_decisions(folder)) == 1

    drive(Session(folder, "wei", Stage.TITLE), steps)


def test_undo_takes_back_one_after_the_other_and_shows_them(folder: Path) -> None:
    async def steps(app: ScreenApp, press: Press) -> None:
        first = title_of(app)
        await press("i")
        second = title_of(app)
        await press("e", "u")
        assert title_of(app) == second
        await press("u")
        assert title_of(app) == first
        assert opened_decisions(folder) == []
        await press("u")
        assert "no decision to take back" in said(app, "told")
        await press("e")
        assert opened_decisions(folder)[0][:2] == (first, "exclude")

    drive(Session(folder, "wei", Stage.TITLE), steps)
    assert sum(event.kind is Kind.UNDONE for event in open_review(folder).events) == 2


def test_next_and_previous_walk_and_skipped_records_come_again(folder: Path) -> None:
    async def steps(app: ScreenApp, press: Press) -> None:
        seen = []
        for _ in TITLES:
            seen.append(title_of(app))
            await press("n")
        assert sorted(seen) == sorted(TITLES)
        assert title_of(app) == seen[0]
        await press("right", "left")
        assert title_of(app) == seen[0]
        await press("p", "p", "p")
        assert app.place == 0

    drive(Session(folder, "wei", Stage.TITLE), steps)


def test_the_end_is_told_and_further_keys_do_no_harm(folder: Path) -> None:
    async def steps(app: ScreenApp, press: Press) -> None:
        await press(*"eeeeee")
        assert "every record" in said(app, "text")
        await press("i", "1", "w", "n", "m")
        assert len(opened_decisions(folder)) == 6
        await press("u")
        assert app.current is not None

    drive(Session(folder, "wei", Stage.TITLE), steps)


def test_the_end_says_how_one_decided_and_what_comes_next(tmp_path: Path) -> None:
    async def sealed(app: ScreenApp, press: Press) -> None:
        await press(*"iemeee")
        assert "Included 1" in said(app, "text")
        assert "Excluded 4" in said(app, "text")
        assert "review unseal" in said(app, "text")
        app.session.own = {name: replace(one, sealed=False) for name, one in app.session.own.items()}
        await press("p", "n")
        assert "review unseal" not in said(app, "text")  # once they are open
        assert said(app, "reasons") == ""

    async def alone(app: ScreenApp, press: Press) -> None:
        await press(*"eeeeee")
        assert "review status" in said(app, "text")

    drive(Session(review(tmp_path / "two" / "r"), "wei", Stage.TITLE), sealed)
    drive(Session(review(tmp_path / "one" / "r", reviewers=1), "wei", Stage.TITLE), alone)

    async def nobody(app: ScreenApp, press: Press) -> None:
        assert "no record for you to read" in said(app, "text")

    drive(Session(review(tmp_path / "none" / "r"), "wei", Stage.FULLTEXT), nobody)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_terminal_of_80_by_24_shows_progress_reasons_and_keys_whole(tmp_path: Path, language: str) -> None:
    """Oracle: the lines on the screen itself."""
    folder = review(tmp_path / "r")
    protocol = folder / "protocol.toml"
    told = [f'[[reasons]]\nid = "more-{n}"\ntext = "a further reason of some length {n}"\n' for n in range(9)]
    text = protocol.read_text(encoding="utf-8")
    protocol.write_text(text.replace("[[outcomes]]", f"{''.join(told)}[[outcomes]]", 1), encoding="utf-8")

    async def steps(app: ScreenApp, press: Press) -> None:
        lines = ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]
        whole = "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")
        assert len(lines) == 24
        assert ("0 of 6 decided" if language == "en" else "已决定 0 / 6") in whole
        assert ("u undo" if language == "en" else "u 撤销") in whole
        for number in range(9):
            reason = app.session.reasons()[number]
            assert f" {number + 1}  {reason[2] if language == 'zh' and reason[2] else reason[1]}" in whole
        assert "more-7, more-8" in whole  # these have no key, which is said

    drive(Session(folder, "wei", Stage.TITLE), steps, language, (80, 24))


def test_a_note_leaves_the_text_where_it_was_scrolled_to(tmp_path: Path) -> None:
    folder = review(tmp_path / "r", titles=tuple("a long invented title " * 20 for _ in range(2)))

    async def steps(app: ScreenApp, press: Press) -> None:
        await press("down", "down")
        place = app.query_one("#record").scroll_offset
        assert place.y > 0
        await press("w", "x", "enter")
        assert app.query_one("#record").scroll_offset == place
        await press("n")
        assert app.query_one("#record").scroll_offset.y == 0

    drive(Session(folder, "wei", Stage.TITLE), steps, size=(60, 18))


def test_what_was_decided_last_is_told_beside_the_next_record(folder: Path) -> None:
    async def steps(app: ScreenApp, press: Press) -> None:
        title = title_of(app)
        await press("e")
        assert "Excluded: " + title[:40] in said(app, "told")

    drive(Session(folder, "wei", Stage.TITLE), steps)


def test_it_resumes_where_it_stopped_in_the_same_order(tmp_path: Path) -> None:
    """Oracle: the same review screened without a break."""
    without, broken = review(tmp_path / "a" / "r"), review(tmp_path / "b" / "r")
    whole: list[str] = []
    parts: list[str] = []

    def answer(title: str) -> Decision:
        return Decision.INCLUDE if "irolimus" in title or "西罗" in title else Decision.EXCLUDE

    session = Session(without, "wei", Stage.TITLE)
    for _ in TITLES:
        name = session.order()[0]
        whole.append(session.records(name)[0].title)
        session.decide(name, answer(whole[-1]))
    for _ in TITLES:
        session = Session(broken, "wei", Stage.TITLE)
        name = session.order()[0]
        parts.append(session.records(name)[0].title)
        session.decide(name, answer(parts[-1]))
    assert whole == parts
    assert whole[-1] == "Pain after knee surgery" or whole[-1] == "Surgery of the knee"


def test_a_killed_process_loses_nothing_it_has_shown_as_decided(folder: Path) -> None:
    """kill -9 right after a decision returned: the next session has it."""
    script = (
        "import os, sys; from pathlib import Path\n"
        "from sirolens.cli.screen_session import Session\n"
        "from sirolens.evidence.review.events import Decision, Stage\n"
        "session = Session(Path(sys.argv[1]), 'wei', Stage.TITLE)\n"
        "name = session.order()[0]; session.decide(name, Decision.INCLUDE); print(name, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    session = Session(folder, "wei", Stage.TITLE)
    assert session.own[done.stdout.strip()].decision is Decision.INCLUDE
    assert session.messages == ()


def test_a_large_review_learns_its_order_every_tenth_decision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen_session, "SMALL", 1)
    titles = tuple(f"{'Sirolimus in' if n % 3 == 0 else 'Knee'} study {n}" for n in range(24))
    session = Session(review(tmp_path / "large", titles=titles), "wei", Stage.TITLE)
    methods = []
    for _ in range(11):
        name = session.order()[0]
        methods.append(str(session.ranking().method))
        wanted = "Sirolimus" in session.records(name)[0].title
        session.decide(name, Decision.INCLUDE if wanted else Decision.EXCLUDE)
    assert methods[:10] == ["like-question"] * 10
    assert methods[10] in ("svm", "like-included")


def test_order_and_language_are_turned_by_their_keys(folder: Path) -> None:
    async def steps(app: ScreenApp, press: Press) -> None:
        assert title_of(app) != TITLES[1]
        assert "nearest the protocol" in said(app, "head")
        await press("o")
        assert title_of(app) == TITLES[0]
        await press("n")
        assert title_of(app) == TITLES[1]
        assert "order of import" in said(app, "head")
        await press("l")
        assert "按导入顺序" in said(app, "head")
        assert "西罗莫司与ITP（虚构）" in said(app, "head")
        assert "研究对象不符" in said(app, "reasons")
        assert "other design" in said(app, "reasons")  # it has no Chinese words of its own
        assert "纳入" in said(app, "keys")

    drive(Session(folder, "wei", Stage.TITLE), steps)


def test_the_screen_speaks_chinese(folder: Path) -> None:
    async def steps(app: ScreenApp, press: Press) -> None:
        assert "已决定 0 / 6" in said(app, "head")
        await press("i", "p")
        assert "纳入" in said(app, "mine")

    drive(Session(folder, "wei", Stage.TITLE), steps, "zh")


def test_full_texts_need_a_reason_and_know_no_maybe(tmp_path: Path) -> None:
    folder = review(tmp_path / "full", blind=False, reviewers=1)
    session = Session(folder, "wei", Stage.TITLE)
    for name in session.order()[:2]:
        session.decide(name, Decision.INCLUDE)
        append(folder, "wei", [(Kind.RETRIEVED, {"record": name})])

    async def steps(app: ScreenApp, press: Press) -> None:
        assert "full texts" in said(app, "head")
        await press("e")
        assert "needs a reason" in said(app, "told")
        await press("m")
        assert "no decision on a full text" in said(app, "told")
        await press("2", "i")
        assert "2 of 2 decided" in said(app, "head")

    drive(Session(folder, "wei", Stage.FULLTEXT), steps)
    found = Session(folder, "wei", Stage.FULLTEXT).own.values()
    assert [(one.decision, one.reasons) for one in found] == [
        (Decision.EXCLUDE, ("design",)),
        (Decision.INCLUDE, ()),
    ]


def test_an_open_sample_is_read_in_its_own_order(tmp_path: Path) -> None:
    folder = review(tmp_path / "sample", blind=False, reviewers=1)
    for make in (lambda state: plan_draft(state, StopPlan(seed="invented")), opening_draft):
        append(folder, "wei", [make(open_review(folder).state)])
    session = Session(folder, "wei", Stage.TITLE)
    assert session.order() == session.sample

    async def steps(app: ScreenApp, press: Press) -> None:
        assert "random order" in said(app, "head")

    drive(session, steps)


def test_a_folder_that_cannot_be_written_keeps_the_record_on_the_screen(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(app: ScreenApp, press: Press) -> None:
        before = title_of(app)

        def full(*_: object) -> None:
            raise OSError(28, os.strerror(28))

        monkeypatch.setattr(os, "fsync", full)
        await press("i")
        monkeypatch.undo()
        assert title_of(app) == before
        assert os.strerror(28) in said(app, "told")
        await press("i")
        assert opened_decisions(folder)[0][:2] == (before, "include")

    drive(Session(folder, "wei", Stage.TITLE), steps)


def spans(text: str, question: str) -> list[str]:
    found = marked(text, question)
    return [found.plain[span.start : span.end] for span in found.spans]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SIROLIMUS and the thrombocytopenias", ["SIROLIMUS"]),
        ("本例血小板减少，血少", ["血小板减少"]),
        ("sirolimus治疗", ["sirolimus"]),
        ("nothing here", []),
        ("", []),
    ],
)
def test_the_protocols_words_are_marked_in_both_languages(text: str, expected: list[str]) -> None:
    assert spans(text, "sirolimus in thrombocytopenia 免疫性血小板减少症") == expected


def test_a_publication_is_shown_with_everything_its_copies_know() -> None:
    place = Position(sha256="0" * 64, ordinal=1, first_line=1, last_line=1)
    names = tuple(Author(printed=f"Invented {letter}") for letter in "ABCDEFG")
    english = Record(
        id="r-1",
        source="ris",
        position=place,
        raw="",
        title="Sirolimus",
        authors=names,
        year=2026,
        volume="3",
        issue="1",
        doi="10.99999/fake",
        abstract="English words",
        keywords=("itp",),
        retracted=True,
    )
    chinese = Record(id="r-2", source="ris", position=place, raw="", title="西罗莫司", abstract="中文摘要")
    text = shown((english, chinese), "", "en").plain
    wanted = ("Sirolimus", "西罗莫司", "Invented F et al.", "2026 · 3(1)", "doi:10.99999/fake", "Retracted", "itp")
    for part in (*wanted, "English words", "中文摘要", "2 records"):
        assert part in text
    assert "Invented G" not in text
    bare = Record(id="r-3", source="ris", position=place, raw="")
    assert "(no title)" in shown((bare,), "", "en").plain
    assert "no abstract" in shown((bare,), "", "en").plain


def test_without_a_terminal_the_screen_says_what_to_use(folder: Path) -> None:
    done = sirolens("review", "screen", folder, "--as", "wei")
    assert done.code == 2
    assert "needs a terminal" in done.err
    assert "li" in sirolens("review", "screen", folder, "--as", "nobody").err


def test_the_stop_commands_go_from_plan_to_verdict(tmp_path: Path) -> None:
    folder = review(tmp_path / "stop", blind=False, reviewers=1)
    base = ("review", "stop")
    where = ("--review", folder, "--by", "wei")
    assert "No stop plan" in sirolens(*base, "status", *where).out
    assert "seed" in sirolens(*base, "plan", *where).err
    assert sirolens(*base, "plan", "--seed", "invented", *where).code == 0
    assert "has not been opened" in sirolens(*base, *where).out
    opened = json.loads(sirolens(*base, "open", "--json", *where).out)
    assert opened["answer"] == "screen-all"
    assert opened["looks"] == [1, 2, 3, 4, 5]
    assert "Screen all" in sirolens(*base, *where).out
    assert "may not stop" in sirolens(*base, "accept", "--person", "Wei (invented)", *where).err


def test_a_look_opens_what_everybody_has_finished_of_the_sample(tmp_path: Path) -> None:
    folder = review(tmp_path / "look")
    sirolens("review", "stop", "plan", "--seed", "invented", "--review", folder, "--by", "wei")
    sirolens("review", "stop", "open", "--review", folder, "--by", "wei")
    for by, many in (("wei", 3), ("li", 2)):
        session = Session(folder, by, Stage.TITLE)
        for name in session.sample[:many]:
            session.decide(name, Decision.EXCLUDE)
    screened = []
    for step, by in (("status", "wei"), ("look", "wei"), ("look", "li"), ("status", "li")):
        told = sirolens("review", "stop", step, "--json", "--review", folder, "--by", by).out
        screened.append(json.loads(told)["screened"])
    assert screened == [0, 0, 2, 2]


def test_the_agreement_command_tells_all_three(tmp_path: Path) -> None:
    folder = review(tmp_path / "agree", blind=False)
    for by, keys in (("wei", "ieieie"), ("li", "ieieii")):
        session = Session(folder, by, Stage.TITLE, ranked=False)
        for name, key in zip(session.order(), keys, strict=True):
            session.decide(name, Decision.INCLUDE if key == "i" else Decision.EXCLUDE)
    told = sirolens("review", "agreement", "--review", folder).out
    assert "6 records decided by two or more" in told
    assert "kappa: 0.67" in told
    found = json.loads(sirolens("review", "agreement", "--json", "--review", folder).out)
    assert [one["name"] for one in found["coefficients"]] == ["kappa", "ac1", "brennan-prediger"]
