# SPDX-License-Identifier: Apache-2.0
"""Bad input of a chart is refused or flagged: file, line, field, value, what was expected, in two languages."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sirolens.chart import Quantification
from sirolens.interop.chart_json import from_json
from sirolens.message import Severity
from tests.interop.charts import (
    COUNT,
    FILE,
    LEVEL,
    PATIENT,
    PRESCRIPTION,
    WEIGHT,
    faults,
    read,
    said_in_both,
    sound,
    text,
    the,
)


def level(**changes: Any) -> dict[str, Any]:
    return sound(levels=[LEVEL | changes])


def lab(**changes: Any) -> dict[str, Any]:
    return sound(labs=[WEIGHT | changes])


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


# what is wrong -> the chart, the code of the fault, its field, and what its words must name
REFUSED: dict[str, tuple[dict[str, Any], str, str, tuple[str, ...]]] = {
    "a level without a unit": (
        sound(levels=[without(LEVEL, "unit")]),
        "chart.unit-missing",
        "levels[0].value",
        ("7.2", "ng/mL"),
    ),
    "a level in ng/dL whose digits fit ng/mL": (
        level(unit="ng/dL"),
        "chart.unit-doubt",
        "levels[0].value",
        ("7.2 ng/dL", "0.072 ng/mL"),
    ),
    "a level in ug/mL whose digits fit ng/mL": (
        level(unit="µg/mL"),
        "chart.unit-doubt",
        "levels[0].value",
        ("7.2 µg/mL", "7200 ng/mL"),
    ),
    "a level in nmol/L that falls out of the window": (
        level(value=0.52, unit="nmol/L"),
        "chart.unit-doubt",
        "levels[0].value",
        ("0.52 nmol/L", "ng/mL"),
    ),
    "an unknown unit": (level(unit="furlongs"), "units.unknown", "levels[0].value", ("furlongs", "ng/mL")),
    "mg where mcg was meant": (
        sound(prescriptions=[PRESCRIPTION | {"regimen": "2000 mg daily"}]),
        "chart.impossible",
        "prescriptions[0].regimen",
        ("2000 mg",),
    ),
    "mcg where mg was meant": (
        sound(prescriptions=[PRESCRIPTION | {"regimen": "2 mcg daily"}]),
        "chart.unit-doubt",
        "prescriptions[0].regimen",
        ("2 mcg", "0.002 mg"),
    ),
    "a dose without a unit": (
        sound(prescriptions=[PRESCRIPTION | {"regimen": "2 daily"}]),
        "chart.unit-missing",
        "prescriptions[0].regimen",
        ("2", "mg"),
    ),
    "a decimal comma that the file does not declare": (
        level(value="7,5"),
        "chart.decimal-comma",
        "levels[0].value",
        ("7,5",),
    ),
    "1,234": (level(value="1,234"), "chart.thousands", "levels[0].value", ("1,234",)),
    "1,234 where a decimal comma is declared": (
        level(value="1,234") | {"decimal_mark": ","},
        "chart.thousands",
        "levels[0].value",
        ("1,234",),
    ),
    "a point where a decimal comma is declared": (
        level(value="7.5") | {"decimal_mark": ","},
        "chart.decimal-mark",
        "levels[0].value",
        ("7.5", ","),
    ),
    "a negative level": (level(value=-1), "chart.negative", "levels[0].value", ("-1 ng/mL",)),
    "a level of zero": (level(value=0), "chart.level-zero", "levels[0].value", ("<0.5",)),
    "a level that is no number": (level(value="seven"), "chart.not-a-number", "levels[0].value", ("seven",)),
    "a level with no dose and no steady state": (
        sound(prescriptions=None),
        "chart.level-without-dose",
        "levels[0]",
        ("7.2 ng/mL", "since_about"),
    ),
    "a level before the first dose": (
        level(at="2026-09-01T07:59+08:00"),
        "chart.level-without-dose",
        "levels[0]",
        ("7.2 ng/mL",),
    ),
    "two values at one instant by one assay": (
        sound(levels=[LEVEL, LEVEL | {"value": 8.0}]),
        "chart.values-at-once",
        "levels[1].value",
        ("7.2 ng/mL", "8 ng/mL"),
    ),
    "one level twice with different details": (
        sound(levels=[LEVEL, LEVEL | {"last_dose_at": "2026-09-14T08:00+08:00"}]),
        "chart.details-differ",
        "levels[1].value",
        ("7.2 ng/mL",),
    ),
    "a limit and a value at one instant": (
        sound(levels=[LEVEL | {"value": 0.5}, LEVEL | {"value": "<0.5"}]),
        "chart.values-at-once",
        "levels[1].value",
        ("0.5 ng/mL", "<0.5 ng/mL"),
    ),
    "two platelet counts at one instant": (
        sound(platelet_counts=[COUNT, COUNT | {"value": 46}]),
        "chart.values-at-once",
        "platelet_counts[1].value",
        ("45", "46"),
    ),
    "a dose before the sample that is later than the sample": (
        level(last_dose_at="2026-09-15T08:00+08:00"),
        "chart.dose-not-before-sample",
        "levels[0].last_dose_at",
        ("08:00", "07:40"),
    ),
    "a level in plasma": (level(matrix="血浆"), "chart.matrix", "levels[0].matrix", ()),
    "a naive time where the chart names no zone": (
        level(at="2026-09-15T07:40") | {"zone": ""},
        "chart.zone-needed",
        "levels[0].at",
        ("2026-09-15T07:40", "+08:00"),
    ),
    "no time zone": (sound(zone=None), "chart.zone-missing", "", ("Asia/Shanghai",)),
    "an unknown time zone": (sound(zone="Asia/Shanghia"), "chart.zone-unknown", "zone", ("Asia/Shanghai",)),
    "a clock time that does not exist": (
        level(at="2026-03-29T02:30") | {"zone": "Europe/Berlin"},
        "chart.time-skipped",
        "levels[0].at",
        ("2026-03-29T02:30", "Europe/Berlin"),
    ),
    "a clock time that comes twice": (
        level(at="2026-10-25T02:30") | {"zone": "Europe/Berlin"},
        "chart.time-twice",
        "levels[0].at",
        ("+02:00", "+01:00"),
    ),
    "a date day first": (
        level(at="15/09/2026 07:40"),
        "chart.date-order",
        "levels[0].at",
        ("15/09/2026", "2026-09-01"),
    ),
    "a day that does not exist": (
        level(at="2026-02-30T07:40"),
        "chart.no-such-time",
        "levels[0].at",
        ("2026-02-30T07:40",),
    ),
    "a level without a clock time": (level(at="2026-09-15"), "chart.clock-missing", "levels[0].at", ("2026-09-15",)),
    "a weight of 700 kg": (lab(value=700), "chart.impossible", "labs[0].value", ("700 kg", "0.3-500 kg")),
    "an age of -1": (
        sound(patient=PATIENT | {"age_years": -1}),
        "chart.out-of-range",
        "patient.age_years",
        ("-1", "120"),
    ),
    "a haematocrit of 0.38 without a unit": (
        lab(name="haematocrit", value=0.38, unit=None),
        "chart.unit-missing",
        "labs[0].value",
        ("0.38", "%"),
    ),
    "a haematocrit of 0.38 percent": (
        lab(name="haematocrit", value=0.38, unit="%"),
        "chart.haematocrit-fraction",
        "labs[0].value",
        ("0.38 %", "L/L"),
    ),
    "a haematocrit of 38 L/L": (
        lab(name="HCT", value=38, unit="L/L"),
        "chart.unit-doubt",
        "labs[0].value",
        ("38 L/L", "3800 %"),
    ),
    "a prescription of tacrolimus in Chinese": (
        sound(prescriptions=[PRESCRIPTION | {"drug": "他克莫司"}]),
        "chart.look-alike",
        "prescriptions[0].drug",
        ("他克莫司",),
    ),
    "a level of tacrolimus": (level(drug="FK506"), "chart.look-alike", "levels[0].drug", ("FK506",)),
    "rapamycin beside sirolimus": (
        sound(therapies=[{"start": "2026-09-01", "drug": "雷帕霉素"}]),
        "chart.sirolimus-as-therapy",
        "therapies[0].drug",
        ("雷帕霉素",),
    ),
    "sirolimus and rapamycin ordered at once": (
        sound(prescriptions=[PRESCRIPTION | {"drug": "西罗莫司"}, PRESCRIPTION | {"drug": "雷帕霉素"}]),
        "chart.prescriptions-at-once",
        "prescriptions[1]",
        ("西罗莫司", "雷帕霉素"),
    ),
    "two prescriptions that overlap": (
        sound(
            prescriptions=[
                PRESCRIPTION | {"stop": "2026-10-01"},
                PRESCRIPTION | {"start": "2026-09-20T08:00+08:00", "regimen": "1 mg daily"},
            ]
        ),
        "chart.prescriptions-at-once",
        "prescriptions[1]",
        ("sirolimus",),
    ),
    "a dose recorded twice": (
        sound(doses=[{"at": "2026-09-02T08:00+08:00", "amount": 2, "unit": "mg"}] * 2),
        "chart.doses-at-once",
        "doses[1]",
        ("08:00",),
    ),
    "an unknown field": (
        sound(levels=[LEVEL | {"asay": "cmia"}]),
        "chart.field-unknown",
        "levels[0].asay",
        ("asay", "assay"),
    ),
    "an unknown list": (sound(levles=[]), "chart.field-unknown", "levles", ("levles", "levels")),
    "a missing field": (sound(levels=[without(LEVEL, "value")]), "chart.field-missing", "levels[0]", ("value",)),
    "a laboratory value with a slip": (
        lab(name="wieght"),
        "chart.lab-unknown",
        "labs[0].name",
        ("wieght", "weight"),
    ),
    "an unknown assay": (level(assay="cmiaa"), "chart.choice-unknown", "levels[0].assay", ("cmiaa", "cmia")),
    "platelets without a unit": (
        sound(platelet_counts=[without(COUNT, "unit")]),
        "chart.unit-missing",
        "platelet_counts[0].value",
        ("45", "10^9/L"),
    ),
    "platelets per microlitre whose digits fit 10^9/L": (
        sound(platelet_counts=[COUNT | {"unit": "/uL"}]),
        "chart.unit-doubt",
        "platelet_counts[0].value",
        ("45 /uL", "0.045"),
    ),
    "a regimen that cannot be read": (
        sound(prescriptions=[PRESCRIPTION | {"regimen": "2 mg dialy"}]),
        "chart.regimen-unreadable",
        "prescriptions[0].regimen",
        ("2 mg dialy",),
    ),
    "a dose per square metre": (
        sound(prescriptions=[PRESCRIPTION | {"regimen": "2 mg/m2 daily"}]),
        "chart.dose-per-size",
        "prescriptions[0].regimen",
        ("mg/m2",),
    ),
    "a regimen with two readings": (
        sound(prescriptions=[PRESCRIPTION | {"regimen": "每日2次 2 mg"}]),
        "chart.regimen-two-readings",
        "prescriptions[0].regimen",
        ("每日2次 2 mg",),
    ),
    "a level recorded before it was taken": (
        level(recorded="2026-09-14T12:00+08:00"),
        "chart.recorded-before",
        "levels[0].recorded",
        (),
    ),
    "a fact before birth": (
        sound(patient=without(PATIENT, "age_years", "age_at") | {"born": "2026-09-10"}),
        "chart.before-birth",
        "prescriptions[0]",
        (),
    ),
    "a version that does not exist": (sound(sirolens_chart=9), "chart.version", "sirolens_chart", ("9", "1")),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_bad_input_is_refused_with_file_line_field_value_and_expectation(case: str) -> None:
    chart, code, field, named = REFUSED[case]
    message = the(faults(chart), code)
    assert message.severity is Severity.ERROR
    assert message.place is not None
    assert message.place.file == FILE
    assert (message.place.field or "") == field
    _line_is_right(chart, field, message.place.line, of_a_row=code in OF_SEVERAL_ROWS)
    for words in said_in_both(message):
        assert FILE in words
        assert not [value for value in named if value not in words], words


OF_SEVERAL_ROWS = {
    "chart.values-at-once",
    "chart.details-differ",
}  # what only two rows together show names the line of the second row


def _line_is_right(chart: dict[str, Any], field: str, line: int | None, *, of_a_row: bool) -> None:
    """The line is that of the field, or of the opening of the row when the field is missing."""
    lines = text(chart).splitlines()
    assert line is not None
    last = field.rpartition(".")[2]
    if not of_a_row and ("." in field or (field and "[" not in field)):
        assert f'"{last}"' in lines[line - 1]
    else:
        assert "{" in lines[line - 1]


def test_all_faults_are_told_at_once() -> None:
    chart = sound(
        levels=[LEVEL | {"value": -1, "assay": "x", "at": "2026-02-30T00:00"}, without(LEVEL, "unit")],
        labs=[WEIGHT | {"value": 700}],
        zone="Nowhere/Land",
    )
    codes = {message.code for message in faults(chart)}
    wanted = {"chart.negative", "chart.choice-unknown", "chart.no-such-time", "chart.unit-missing"}
    assert wanted | {"chart.impossible", "chart.zone-unknown"} <= codes


def test_very_many_faults_are_counted_not_listed() -> None:
    found = faults(sound(platelet_counts=[without(COUNT, "unit")] * 500))
    assert len(found) == 201
    assert found[-1].code == "chart.more-faults"
    assert found[-1].values["count"] == 300
    said_in_both(found[-1])


FLAGGED: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    "ug/L": (level(unit="ug/L"), "chart.converted", ("7.2 ug/L", "7.2 ng/mL")),
    "ng/dL that converts plausibly": (level(value=720, unit="ng/dL"), "chart.converted", ("720 ng/dL", "7.2 ng/mL")),
    "nmol/L": (level(value=7.9, unit="nmol/L"), "chart.converted", ("7.9 nmol/L", "7.221943 ng/mL")),
    "mcg": (
        sound(prescriptions=[PRESCRIPTION | {"regimen": "2000 mcg daily"}]),
        "chart.converted",
        ("2000 mcg", "2 mg"),
    ),
    "haematocrit in L/L": (
        lab(name="haematocrit", value=0.38, unit="L/L"),
        "chart.converted",
        ("0.38 L/L", "38 %"),
    ),
    "weight in pounds": (lab(value=100, unit="lb"), "chart.converted", ("100 lb", "45.359237 kg")),
    "platelets in 万/μL": (
        sound(platelet_counts=[COUNT | {"value": 4.5, "unit": "万/μL"}]),
        "chart.converted",
        ("4.5 万/μL", "45 10^9/L"),
    ),
    "full-width digits": (level(value="７．２"), "chart.full-width", ("７．２", "7.2")),
    "a naked decimal point": (
        lab(name="bilirubin", value=".9", unit="mg/dL"),
        "chart.naked-decimal",
        (".9", "0.9"),
    ),
    "a naive time in a chart with a zone": (
        level(at="2026-09-15T07:40"),
        "chart.naive-times",
        ("2026-09-15T07:40", "Asia/Shanghai"),
    ),
    "a repeated level": (sound(levels=[LEVEL, LEVEL]), "chart.repeated", ()),
    "a repeated row": (sound(labs=[WEIGHT, WEIGHT]), "chart.repeated", ()),
    "an unusual level": (level(value=80), "chart.implausible", ("80 ng/mL", "0.5-60 ng/mL")),
    "a past dose above the soft cap": (
        sound(prescriptions=[PRESCRIPTION | {"regimen": "5 mg daily"}]),
        "chart.dose-above-cap",
        ("5 mg", "4 mg"),
    ),
    "a past dose above the hard cap": (
        sound(doses=[{"at": "2026-09-02T08:00+08:00", "amount": 30, "unit": "mg"}]),
        "chart.dose-above-cap",
        ("30 mg", "6 mg"),
    ),
    "an order under another name of the drug": (
        sound(
            prescriptions=[
                PRESCRIPTION | {"drug": "雷帕霉素"},
                PRESCRIPTION | {"start": "2026-09-10T08:00+08:00", "drug": "sirolimus"},
            ]
        ),
        "chart.same-ingredient",
        ("雷帕霉素", "sirolimus"),
    ),
    "a laboratory value nobody uses": (
        lab(name="potassium", value=4.1, unit="mmol/L"),
        "chart.lab-set-aside",
        ("potassium",),
    ),
    "a drug that is not known": (
        sound(therapies=[{"start": "2026-09-01", "drug": "claritromycin"}]),
        "chart.drug-unknown",
        ("claritromycin", "clarithromycin"),
    ),
    "QD": (
        sound(prescriptions=[PRESCRIPTION | {"regimen": "2 mg QD"}]),
        "chart.abbreviation-daily",
        ("2 mg QD",),
    ),
    "a dose planned before the start": (
        sound(prescriptions=[PRESCRIPTION | {"start": "2026-09-01T09:30+08:00", "regimen": "2 mg daily at 08:00"}]),
        "chart.dose-before-start",
        ("2 mg", "08:00", "09:30"),
    ),
}


@pytest.mark.parametrize("case", sorted(FLAGGED))
def test_what_was_read_with_care_is_flagged_with_both_readings(case: str) -> None:
    chart, code, named = FLAGGED[case]
    message = the(read(chart)[1], code)
    assert message.severity in (Severity.INFO, Severity.WARNING)
    assert message.place is not None
    assert message.place.file == FILE
    assert message.place.line is not None
    for words in said_in_both(message):
        assert not [value for value in named if value not in words], words


def test_a_sound_chart_has_no_flag() -> None:
    assert read(sound())[1] == ()


def test_values_are_converted_as_the_flags_say() -> None:
    chart, _ = read(level(value=720, unit="ng/dL"))
    assert chart.levels[0].level_ng_ml == pytest.approx(7.2, rel=1e-12)
    chart, _ = read(sound(platelet_counts=[COUNT | {"value": 4.5, "unit": "万/μL"}]))
    assert chart.platelet_counts[0].count_10e9_l == 45.0


def test_identical_levels_are_merged_into_one() -> None:
    assert len(read(sound(levels=[LEVEL, LEVEL]))[0].levels) == 1


def test_two_assays_at_one_instant_are_two_levels() -> None:
    chart, _ = read(sound(levels=[LEVEL, LEVEL | {"value": 6.1, "assay": "lc-ms/ms"}]))
    assert len(chart.levels) == 2


def test_a_decimal_comma_is_read_where_the_file_declares_it() -> None:
    chart, flags = read(level(value="7,5") | {"decimal_mark": ","})
    assert chart.levels[0].level_ng_ml == 7.5
    assert flags == ()


def test_below_the_limit_is_kept_as_a_limit() -> None:
    for changes in ({"value": "<0.5"}, {"value": 0.5, "quantification": "BLQ"}, {"value": "＜0.5"}):
        (found,) = read(level(**changes))[0].levels
        assert (found.level_ng_ml, found.quantification) == (0.5, Quantification.BELOW)


def test_a_dose_above_the_label_stays_a_fact() -> None:
    chart, _ = read(sound(doses=[{"at": "2026-09-02T08:00+08:00", "amount": 45, "unit": "mg"}]))
    assert chart.doses[0].amount_mg == 45.0


def test_steady_state_stated_without_dose_times_carries_a_level() -> None:
    prescription = {"start": "2026-05", "since_about": True, "regimen": "2 mg daily"}
    chart, _ = read(sound(prescriptions=[prescription]))
    assert chart.prescriptions[0].since_about


def test_a_fault_in_a_prescription_does_not_also_call_every_level_doseless() -> None:
    codes = [message.code for message in faults(sound(prescriptions=[PRESCRIPTION | {"regimen": "2 daily"}]))]
    assert codes == ["chart.unit-missing"]


def test_nothing_of_the_patients_identity_is_repeated() -> None:
    secret = "张三丰"
    patients = [
        PATIENT | {"name": secret},
        PATIENT | {"姓名": secret, "phone": "13912345678"},
        PATIENT | {"id": "11010519491231002X"},
        PATIENT | {"sex": secret},
        without(PATIENT, "age_years", "age_at") | {"born": "31.12.1949"},
    ]
    for patient in patients:
        for message in faults(sound(patient=patient)):
            for words in (*said_in_both(message), str(message), repr(message)):
                assert not [hidden for hidden in (secret, "139", "1949") if hidden in words]


def test_names_of_people_are_asked_out_of_the_chart() -> None:
    codes = [message.code for message in faults(sound(patient=PATIENT | {"name": "x"}))]
    assert codes == ["chart.identity"]
    codes = [message.code for message in faults(sound(patient=PATIENT | {"id": "11010519491231002X"}))]
    assert codes == ["chart.identity-number"]


def test_a_chart_handed_over_is_left_as_it_was() -> None:
    chart = sound()
    before = copy.deepcopy(chart)
    read(chart)
    assert chart == before


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "file.empty", None),
        (b"\xef\xbb\xbf \n", "file.empty", None),
        (text(sound()).encode("utf-16"), "file.encoding", None),
        (text(sound()).encode("utf-16-le"), "file.encoding", None),
        ('{"note": "他克莫司 與 血藥濃度"}'.encode("big5"), "file.encoding", 1),
        ('{\n"note": "Müller"}'.encode("latin-1"), "file.encoding", 2),
        (b"PK\x03\x04rest", "file.not-text", None),
        (text(sound(note="血药浓度")).encode()[:-40], "chart.json-truncated", None),
        ('{"sirolens_chart": 1, "note": "血'.encode()[:-1], "file.cut-off", 1),
        (b"[1, 2]", "chart.not-a-chart", 1),
        (b'{"zone": "UTC"}', "chart.not-a-chart", 1),
    ],
)
def test_a_file_that_is_no_chart_is_named_for_what_it_is(data: bytes, code: str, line: int | None) -> None:
    message = the(tuple(m for m in faults(data) if m.code == code), code)
    assert message.place is not None
    assert message.place.file == FILE
    assert line is None or message.place.line == line
    said_in_both(message)


def test_a_truncated_chart_names_the_line_where_it_breaks_off() -> None:
    whole = text(sound())
    cut = whole[: whole.index('"assay"')]
    message = the(faults(cut), "chart.json-truncated")
    assert message.place is not None
    assert message.place.line == cut.rstrip().count("\n") + 1
    opened = message.values["opened_line"]
    assert isinstance(opened, int)
    assert whole.splitlines()[opened - 1].strip() == "{"
    said_in_both(message)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_charts_are_read_in_the_encodings_of_chinese_clinics(encoding: str) -> None:
    chart = sound(
        levels=[LEVEL | {"drug": "西罗莫司", "matrix": "全血"}],
        therapies=[{"start": "2026-09-01", "drug": "克拉霉素"}],
    )
    found, flags = from_json(text(chart).encode(encoding), file=FILE)
    assert found.therapies[0].drug == "clarithromycin"
    assert [flag.code for flag in flags] == (["file.read-as-gb18030"] if encoding == "gb18030" else [])
