# SPDX-License-Identifier: Apache-2.0
"""Event tables: what is right is read as it stands, what is wrong is named by file, line, column and value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.errors import InputError, TableError
from sirolens.interop.nonmem import CHUNK_LINES, read_table
from sirolens.models.event_table import BELOW, parameter_sets, to_events
from sirolens.report.words import say

GOOD = (
    "id,time,amt,rate,dv,evid,ii,addl,cmt,wt\n1,0,2,0,.,1,24,6,1,60\n1,167,.,.,7.5,0,.,.,.,60\n2,0,1,0,.,1,0,0,1,20\n"
)


def _table(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "events.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_columns_are_read_in_any_case_and_a_dot_is_missing(tmp_path: Path) -> None:
    table, flags = read_table(_table(tmp_path, GOOD), ["WT"])
    assert table.ids == ("1", "2")
    assert table.start.tolist() == [0, 2, 3]
    assert table.observed_ng_ml.tolist()[1] == 7.5
    assert np.isnan(table.observed_ng_ml[0])
    assert table.covariates["WT"].tolist() == [60.0, 60.0, 20.0]
    assert table.line.tolist() == [2, 3, 4]
    assert not flags


def test_columns_nobody_uses_are_named(tmp_path: Path) -> None:
    _, flags = read_table(_table(tmp_path, GOOD), [])
    assert [flag.code for flag in flags] == ["nonmem.columns-not-used"]
    assert flags[0].values["columns"] == ("WT",)


HEADER = "ID,TIME,AMT,DV,EVID,RATE,II,ADDL,SS,MDV,BLQ,LLOQ\n"
FAULTS = {
    "nonmem.not-a-number": "1,0,2;5,.,1,0,0,0,0,1,0,.\n",
    "nonmem.clock-time": "1,08:00,2,.,1,0,0,0,0,1,0,.\n",
    "nonmem.not-finite": "1,0,inf,.,1,0,0,0,0,1,0,.\n",
    "nonmem.not-in-range": "1,0,2,.,7,0,0,0,0,1,0,.\n",
    "nonmem.missing": "1,.,2,.,1,0,0,0,0,1,0,.\n",
    "nonmem.negative": "1,0,.,-3,0,0,0,0,0,0,0,.\n",
    "nonmem.zero-level": "1,0,.,0,0,0,0,0,0,0,0,.\n",
    "nonmem.dose-without-amount": "1,0,0,.,1,0,0,0,0,1,0,.\n",
    "nonmem.amount-without-dose": "1,0,2,5,0,0,0,0,0,0,0,.\n",
    "nonmem.rate": "1,0,2,.,1,-3,0,0,0,1,0,.\n",
    "nonmem.interval-missing": "1,0,2,.,1,0,0,5,0,1,0,.\n",
    "nonmem.time-goes-back": "1,5,2,.,1,0,0,0,0,1,0,.\n1,4,.,5,0,0,0,0,0,0,0,.\n",
    "nonmem.limit-missing": "1,5,.,.,0,0,0,0,0,0,1,.\n",
    "nonmem.fields-in-row": "1,0,2,.,1\n",
    "nonmem.id-missing": ".,0,2,.,1,0,0,0,0,1,0,.\n",
    "nonmem.id-comes-back": "1,0,2,.,1,0,0,0,0,1,0,.\n2,0,2,.,1,0,0,0,0,1,0,.\n1,9,.,5,0,0,0,0,0,0,0,.\n",
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("code", "rows"), FAULTS.items(), ids=list(FAULTS))
def test_each_fault_names_file_line_column_and_value(tmp_path: Path, code: str, rows: str, language: str) -> None:
    with pytest.raises(TableError) as caught:
        read_table(_table(tmp_path, HEADER + rows), [])
    found = [message for message in caught.value.messages if message.code == code]
    assert found, str(caught.value)
    place = found[0].place
    assert place is not None
    assert place.file == str(tmp_path / "events.csv")
    assert place.line == HEADER.count("\n") + rows.count("\n")
    said = say(found[0], language)
    assert "events.csv" in said
    assert str(found[0].values["value"]) in said
    assert code not in said


def test_all_faults_are_told_at_once_and_the_rest_is_counted(tmp_path: Path) -> None:
    rows = "".join(f"1,{i},x,.,1,0,0,0,0,1,0,.\n" for i in range(80))
    with pytest.raises(TableError) as caught:
        read_table(_table(tmp_path, HEADER + rows), [])
    assert caught.value.messages[-1].code == "nonmem.further-faults"
    assert len(caught.value.messages) == 51
    assert caught.value.messages[-1].values["faults"] == 30


@pytest.mark.parametrize("text", ["", "\n\n", "ID,TIME,AMT\n", "ID,TIME\n1,0\n", "ID,TIME,AMT,AMT\n1,0,1,1\n"])
def test_a_table_without_content_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        read_table(_table(tmp_path, text), [])


def test_below_quantification_keeps_its_limit(tmp_path: Path) -> None:
    table, _ = read_table(_table(tmp_path, HEADER + "1,0,2,.,1,0,0,0,0,1,0,.\n1,24,.,.,0,0,0,0,0,0,1,2\n"), [])
    assert table.censoring.tolist() == [0, BELOW]
    assert table.limit_ng_ml[1] == 2.0
    assert table.is_measured.tolist() == [False, True]


def test_gb18030_and_byte_order_mark_are_read(tmp_path: Path) -> None:
    for data in ("\ufeff" + GOOD).encode(), ("# 患者事件表，浓度单位\n" + GOOD).encode("gb18030"):
        table, _ = read_table(_table(tmp_path, data), ["WT"])
        assert table.ids == ("1", "2")


def test_identical_rows_are_flagged_and_kept(tmp_path: Path) -> None:
    rows = "1,0,2,.,1,0,0,0,0,1,0,.\n1,24,.,5,0,0,0,0,0,0,0,.\n1,24,.,5,0,0,0,0,0,0,0,.\n"
    table, flags = read_table(_table(tmp_path, HEADER + rows), [])
    assert table.time_h.size == 3
    assert [flag.code for flag in flags] == ["nonmem.identical-rows"]


def test_a_table_of_many_chunks_is_the_same_as_its_rows(tmp_path: Path) -> None:
    n = 2 * CHUNK_LINES + 7
    text = "ID,TIME,AMT,DV\n" + "".join(f"{i // 10},{i % 10},.,{i % 7 + 1}\n" for i in range(n))
    table, _ = read_table(_table(tmp_path, text), [])
    assert table.time_h.size == n
    assert table.observed_ng_ml.tolist() == [i % 7 + 1.0 for i in range(n)]
    assert len(table.ids) == (n + 9) // 10


def test_patients_with_constant_covariates_have_one_parameter_set(tmp_path: Path) -> None:
    text = "ID,TIME,AMT,DV,WT\n1,0,2,.,60\n1,24,2,.,.\n1,30,.,5,61\n2,0,2,.,20\n2,24,.,4,20\n"
    table, _ = read_table(_table(tmp_path, text), ["WT"])
    filled = table.carried()
    assert filled["WT"].tolist() == [60, 60, 61, 20, 20]
    sets = parameter_sets(table, filled)
    assert sets.of_record.tolist() == [0, 0, 1, 0, 0]
    assert sets.first_record.tolist() == [[0, 2], [3, 3]]
    forward, backward = to_events(table, sets), to_events(table, sets, backward=True)
    assert forward.before[-3:].tolist() == [0, 0, 0]
    assert 1 in backward.before.tolist()


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_a_named_fault(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "events.csv"
    path.write_bytes(data)
    told: tuple[object, ...] = ("read",)
    try:
        read_table(path, ["WT"])
    except InputError as fault:
        told = fault.messages
    assert told
