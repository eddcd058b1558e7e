# SPDX-License-Identifier: Apache-2.0
"""Results are written whole or not at all, and what belongs together all or none."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pandas
import pytest

from sirolens.errors import InputError
from sirolens.interop import write
from sirolens.interop.write import check_targets, table_bytes, write_together, write_whole


def _codes(caught: pytest.ExceptionInfo[InputError]) -> list[str]:
    return [message.code for message in caught.value.messages]


def test_a_file_is_replaced_whole_and_is_as_readable_as_any_other(tmp_path: Path) -> None:
    path, ordinary = tmp_path / "a.txt", tmp_path / "b.txt"
    path.write_text("before")
    ordinary.write_text("x")
    write_whole(path, b"after")
    assert path.read_bytes() == b"after"
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)
    assert sorted(tmp_path.iterdir()) == [path, ordinary]


def test_one_file_that_cannot_be_written_leaves_all_of_them_as_they_were(tmp_path: Path) -> None:
    first = tmp_path / "a.txt"
    first.write_text("before")
    for impossible in (tmp_path / "nowhere" / "b.txt", tmp_path):
        with pytest.raises(InputError) as caught:
            write_together({first: b"after", impossible: b"x"})
        assert _codes(caught) == ["write.impossible"]
        assert str(impossible) in str(caught.value)
        assert first.read_text() == "before"
        assert list(tmp_path.iterdir()) == [first]


def test_a_full_disk_half_way_leaves_no_scrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(InputError) as caught:
        write_together({tmp_path / "a.txt": b"after"})
    assert "No space left on device" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_tables_are_read_back_as_they_were(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"ID": ["1", "二"], "X": [0.1 + 0.2, float("nan")], "N": [1, 2]})
    for ending in write.FORMATS:
        path = tmp_path / f"a{ending}"
        write_whole(path, table_bytes(frame, path))
    csv = pandas.read_csv(tmp_path / "a.csv", float_precision="round_trip")
    pandas.testing.assert_frame_equal(csv, frame, check_exact=True)
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "a.parquet"), frame, check_exact=True)
    with pytest.raises(InputError) as caught:
        table_bytes(frame, tmp_path / "a.xlsx")
    assert _codes(caught) == ["write.format-unknown"]


def test_places_are_checked_before_anything_is_computed(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("x")
    link = tmp_path / "link.csv"
    link.symlink_to(data)
    check_targets([tmp_path / "a.csv", tmp_path / "b.PARQUET"], inputs=[data], tables=True)
    check_targets([tmp_path / "a.html"], inputs=[data])
    for targets, code in (
        ([tmp_path / "no" / "a.csv"], "write.no-folder"),
        ([tmp_path / "a.txt"], "write.format-unknown"),
        ([data], "write.over-input"),
        ([link], "write.over-input"),
        ([tmp_path / "a.csv", tmp_path / "." / "a.csv"], "write.twice"),
    ):
        with pytest.raises(InputError) as caught:
            check_targets(targets, inputs=[data], tables=True)
        assert _codes(caught) == [code]
    with pytest.raises(InputError) as caught:
        check_targets([tmp_path])
    assert _codes(caught) == ["write.is-folder"]
