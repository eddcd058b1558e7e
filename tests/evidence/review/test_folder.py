# SPDX-License-Identifier: Apache-2.0
"""The folder of a review: several processes, kill -9, half lines, a lost cache. Oracle: what was acknowledged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sirolens.errors import InputError
from sirolens.evidence.importing import import_bytes
from sirolens.evidence.review.cache import CACHE
from sirolens.evidence.review.events import Event, Kind, to_line
from sirolens.evidence.review.files import append_events
from sirolens.evidence.review.folder import append, find_review, init, keep_import, open_review

RIS = "TY  - JOUR\nTI  - Invented study {n}\nAU  - Invented, A\nPY  - 2026\nER  - \n\n"
WRITER = """
import sys
from pathlib import Path
from sirolens.evidence.review.folder import append
from sirolens.evidence.review.events import Kind
folder, by, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(count):
    (event,) = append(folder, by, [(Kind.UNDONE, {"event": f"e-{by}-{number}", "why": "x" * 400})])
    print(event.id, flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "review"
    init(place, by="wei")
    return place


def _write(folder: Path, by: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), by, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_writers_at_once_lose_nothing_and_no_two_events_have_one_time(folder: Path) -> None:
    count = 40
    writers = [_write(folder, by, count) for by in ("wei", "wei", "li")]
    told = [line for writer in writers for line in writer.communicate()[0].split()]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    events = open_review(folder).events
    assert {event.id for event in events} == set(told)
    assert len(told) == len(set(told)) == 3 * count
    assert len({event.at for event in events}) == 3 * count


def test_kill_minus_nine_in_the_middle_of_appends_loses_nothing_that_was_acknowledged(folder: Path) -> None:
    for _ in range(2):
        writer = _write(folder, "wei", 100_000)
        assert writer.stdout is not None
        told = [writer.stdout.readline().strip() for _ in range(15)]
        os.kill(writer.pid, signal.SIGKILL)
        told += writer.communicate()[0].split("\n")[:-1]
        found = {event.id for event in open_review(folder).events}
        assert set(told) <= found
    (after,) = append(folder, "wei", [(Kind.UNDONE, {"event": "e-1"})])
    assert open_review(folder).events[-1] == after


@pytest.mark.parametrize("rest", [b'{"at":"2026-01-0', "张".encode()[:2], b"\x00" * 40])
def test_a_half_last_line_is_told_and_set_aside_as_it_was(folder: Path, rest: bytes) -> None:
    (kept,) = append(folder, "wei", [(Kind.UNDONE, {"event": "e-1"})])
    with (folder / "events" / "wei.jsonl").open("ab") as stream:
        stream.write(rest)
    review = open_review(folder)
    assert review.events == (kept,)
    (message,) = review.messages
    assert message.code == "review.half-line-set-aside"
    assert Path(str(message.values["file"])).read_bytes() == rest
    assert open_review(folder).messages == ()


def test_a_whole_event_without_its_line_end_counts(folder: Path) -> None:
    event = Event.new(Kind.UNDONE, by="wei", at=datetime(2026, 1, 1, tzinfo=UTC), event="e-1")
    (folder / "events" / "wei.jsonl").write_text(to_line(event), encoding="utf-8")
    review = open_review(folder)
    assert (review.events, [message.code for message in review.messages]) == ((event,), ["review.line-end-mended"])


def test_a_damaged_line_in_the_middle_is_refused_with_its_place_and_nothing_is_changed(folder: Path) -> None:
    append(folder, "wei", [(Kind.UNDONE, {"event": "e-1"})])
    path = folder / "events" / "wei.jsonl"
    path.write_bytes(b"{broken\n" + path.read_bytes())
    before = path.read_bytes()
    with pytest.raises(InputError) as caught:
        open_review(folder)
    (message,) = caught.value.messages
    assert (message.code, message.place and message.place.line) == ("review.event-unreadable", 1)
    assert path.read_bytes() == before


def test_an_event_in_the_file_of_another_reviewer_is_refused(folder: Path) -> None:
    append(folder, "wei", [(Kind.UNDONE, {"event": "e-1"})])
    (folder / "events" / "wei.jsonl").rename(folder / "events" / "li.jsonl")
    with pytest.raises(InputError, match=r"review\.event-of-another"):
        open_review(folder)


def test_a_clock_that_is_behind_never_puts_an_event_before_what_its_maker_saw(folder: Path) -> None:
    append(folder, "li", [(Kind.UNDONE, {"event": "e-1"})])
    seen = open_review(folder).events[-1]
    (event,) = append_events(folder, "wei", [(Kind.UNDONE, {"event": "e-2"})], now=seen.at - timedelta(hours=1))
    assert event.order > seen.order


def test_a_clock_that_ran_far_ahead_is_told_and_not_followed(folder: Path) -> None:
    append_events(folder, "li", [(Kind.UNDONE, {"event": "e-1"})], now=datetime.now(UTC) + timedelta(days=400))
    (event,) = append(folder, "wei", [(Kind.UNDONE, {"event": "e-2"})])
    assert event.at < datetime.now(UTC) + timedelta(days=2)
    assert [message.code for message in open_review(folder).messages] == ["review.clock-ahead"]


def test_wrong_values_write_nothing(folder: Path) -> None:
    with pytest.raises(InputError, match=r"review\.event-key-missing"):
        append(folder, "wei", [(Kind.UNDONE, {"event": "e-1"}), (Kind.UNDONE, {})])
    assert open_review(folder).events == ()


def test_a_review_is_found_from_a_folder_inside_it_and_not_made_over_another(folder: Path, tmp_path: Path) -> None:
    assert "SPDX" not in (folder / "protocol.toml").read_text(encoding="utf-8")
    assert find_review(folder / "imports").resolve() == folder.resolve()
    with pytest.raises(InputError, match=r"review\.no-review"):
        find_review(tmp_path)
    with pytest.raises(InputError, match=r"review\.folder-not-empty"):
        init(folder, by="li")


def _take_in(folder: Path, data: bytes, name: str) -> None:
    (search,) = append(
        folder, "wei", [(Kind.SEARCHED, {"database": "X", "arm": "databases", "strategy": "s", "run_on": "2026-01-01"})]
    )
    append(folder, "wei", [keep_import(folder, data, import_bytes(data, name=name), name=name, search=search.id)])


def test_records_come_from_the_cache_and_the_cache_can_be_lost_or_damaged(folder: Path) -> None:
    data = "".join(RIS.format(n=n) for n in range(3)).encode()
    _take_in(folder, data, "invented.ris")
    first = open_review(folder).state
    assert len(first.records) == 3
    assert (folder / CACHE).exists()
    assert open_review(folder).state.records == first.records
    (folder / CACHE).write_bytes(b"no database" * 100)
    assert open_review(folder).state.records == first.records
    (folder / CACHE).unlink()
    assert open_review(folder).state.records == first.records
    (kept,) = (folder / "imports").iterdir()
    assert kept.read_bytes() == data


def test_a_kept_file_that_is_gone_or_changed_is_named(folder: Path) -> None:
    _take_in(folder, RIS.format(n=1).encode(), "invented.ris")
    (kept,) = (folder / "imports").iterdir()
    kept.write_bytes(b"something else")
    codes = [message.code for message in open_review(folder).loaded[1]]
    assert codes == ["review.file-changed", "review.records-missing"]
    kept.unlink()
    assert "review.file-lost" in [message.code for message in open_review(folder).loaded[1]]


def test_opening_the_cache_from_two_processes_at_once_works(folder: Path) -> None:
    _take_in(folder, "".join(RIS.format(n=n) for n in range(200)).encode(), "invented.ris")
    script = (
        "import sys; from pathlib import Path; from sirolens.evidence.review.folder import open_review\n"
        "print(len(open_review(Path(sys.argv[1])).state.records))"
    )
    readers = [
        subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [reader.communicate(timeout=60)[0].strip() for reader in readers] == ["200", "200"]


def test_two_branches_of_one_reviewer_merge_line_by_line_in_git(folder: Path) -> None:
    def git(*words: str) -> None:
        who = ["-c", "user.name=Invented", "-c", "user.email=invented@example.org", "-c", "init.defaultBranch=main"]
        subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)

    append(folder, "wei", [(Kind.UNDONE, {"event": "e-0"})])
    git("init")
    git("add", ".")
    git("commit", "-m", "start")
    git("checkout", "-b", "laptop")
    append(folder, "wei", [(Kind.UNDONE, {"event": "e-laptop"})])
    git("commit", "-am", "laptop")
    git("checkout", "main")
    time.sleep(0.01)
    append(folder, "wei", [(Kind.UNDONE, {"event": "e-desk"})])
    git("commit", "-am", "desk")
    git("merge", "laptop", "-m", "both")
    assert {event.text("event") for event in open_review(folder).events} == {"e-0", "e-laptop", "e-desk"}
