# SPDX-License-Identifier: Apache-2.0
"""Charts as JSON: written and read back the same, never crashed by any bytes, corrections in order."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.chart import Chart
from sirolens.errors import ChartError
from sirolens.interop.chart_json import TOP_FIELDS, from_json, read_chart, write_chart
from sirolens.interop.chart_sections import SECTIONS
from tests.interop.charts import LEVEL, PATIENT, PRESCRIPTION, faults, read, said_in_both, sound, text, the
from tests.interop.strategies import charts

# The written text is never read with a conversion or a merge; these flags only repeat what the values are.
HARMLESS = {
    "chart.retracted",
    "chart.implausible",
    "chart.dose-above-cap",
    "chart.dose-before-start",
    "chart.more-alike",
}


@settings(deadline=None, max_examples=120)
@given(charts(retractions=True))
def test_a_written_chart_reads_back_the_same(chart: Chart) -> None:
    found, flags = from_json(write_chart(chart))
    assert found == chart
    assert {flag.code for flag in flags} <= HARMLESS


@settings(deadline=None, max_examples=40)
@given(charts())
def test_writing_is_a_function_of_the_chart(chart: Chart) -> None:
    assert write_chart(from_json(write_chart(chart))[0]) == write_chart(chart)


def _only_chart_errors(data: bytes | str) -> None:
    with suppress(ChartError):  # anything else fails the test
        from_json(data)


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300)))
def test_any_bytes_are_a_chart_or_a_chart_error(data: bytes | str) -> None:
    _only_chart_errors(data)


WHOLE = text(
    sound(
        doses=[{"at": "2026-09-03", "status": "missed"}],
        therapies=[{"start": "2026-09", "drug": "克拉霉素", "amount": 500, "unit": "mg"}],
        bleedings=[{"at": "2026-09-01", "asked": "graded", "grade": 2, "scale": "WHO"}],
        cell_counts=[{"at": "2026-09-01", "cell": "treg", "value": 3.1, "unit": "%", "gate": "CD25+CD127low of CD4+"}],
        prescriptions=[
            {"start": "2026-09-01 08:00", "regimen": [{"kind": "once", "amount": 6, "unit": "mg"}, "2 mg daily"]}
        ],
    )
).encode()


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(WHOLE)), st.integers(0, 30), st.binary(max_size=8))
def test_a_damaged_chart_is_read_or_refused_never_crashed(start: int, taken: int, put: bytes) -> None:
    _only_chart_errors(WHOLE[:start] + put + WHOLE[start + taken :])


TELLING = (
    *("ng/mL", "mg", "2 mg daily", "cmia", "weight", "sirolimus", "true", "<0.5", "7,5", "9" * 400),
    *("2026-09-15T07:40+08:00", "2026-09-15", "9999-12-31T23:59", "0001-01-01"),
    *("2200-12-31T23:59-15:00", "1900-01-01T00:00+15:59"),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(TELLING),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


@st.composite
def _mixed_up(draw: st.DrawFn) -> dict[str, Any]:
    """The right names with anything under them."""
    chart: dict[str, Any] = sound() if draw(st.booleans()) else {}
    for name in draw(st.lists(st.sampled_from(TOP_FIELDS), max_size=4)):
        section = SECTIONS.get(name)
        if section is None or draw(st.integers(0, 5)) == 0:
            chart[name] = draw(values)
            continue
        names = [field.name for field in section.fields]
        chart[name] = draw(st.lists(st.dictionaries(st.sampled_from(names), values, max_size=8), max_size=3))
    return chart


@settings(deadline=None, max_examples=300)
@given(_mixed_up())
def test_the_right_names_with_anything_under_them_never_crash(chart: dict[str, Any]) -> None:
    _only_chart_errors(json.dumps(chart))


def test_facts_are_kept_in_the_order_they_happened() -> None:
    later = LEVEL | {"at": "2026-10-01T08:00+08:00"}
    assert [level.at.month for level in read(sound(levels=[later, LEVEL]))[0].levels] == [9, 10]


def test_a_correction_takes_effect_when_it_was_recorded() -> None:
    first = LEVEL | {"id": "a", "value": 72.0}
    second = LEVEL | {"replaces": "a", "recorded": "2026-09-20T10:00+08:00"}
    chart, _ = read(sound(levels=[first, second]))
    assert [level.level_ng_ml for level in chart.known(datetime(2026, 9, 18, tzinfo=UTC)).levels] == [72.0]
    assert [level.level_ng_ml for level in chart.known(datetime(2026, 9, 21, tzinfo=UTC)).levels] == [7.2]


@pytest.mark.parametrize(
    ("correction", "code"),
    [
        ({"replaces": "a"}, "chart.correction-undated"),
        ({"replaces": "b", "recorded": "2026-09-20T10:00+08:00"}, "chart.correction-of-nothing"),
        ({"replaces": "a", "recorded": "2026-09-15T07:40+08:00"}, "chart.correction-too-early"),
        ({"id": "a"}, "chart.id-twice"),
    ],
)
def test_a_correction_that_makes_no_sense_is_refused(correction: dict[str, str], code: str) -> None:
    the(faults(sound(levels=[LEVEL | {"id": "a"}, LEVEL | {"value": 8.0} | correction])), code)


BEFORE, AFTER = datetime(2026, 9, 18, tzinfo=UTC), datetime(2026, 9, 21, tzinfo=UTC)
NEXT_DAY, LATER = "2026-09-20T10:00+08:00", "2026-09-25T10:00+08:00"


def known_values(chart: Chart, at: datetime) -> list[float]:
    return [level.level_ng_ml for level in chart.known(at).levels]


def test_a_retraction_takes_effect_when_it_was_recorded_and_is_told() -> None:
    chart, flags = read(sound(levels=[LEVEL | {"retracted": NEXT_DAY}]))
    assert (known_values(chart, BEFORE), known_values(chart, AFTER)) == ([7.2], [])
    said_in_both(the(flags, "chart.retracted"))
    assert chart.last_recorded == datetime(2026, 9, 20, 2, tzinfo=UTC)  # so that a command without --at sees it


def test_a_retraction_on_the_day_of_the_record_takes_effect_at_once() -> None:
    chart, _ = read(sound(levels=[LEVEL | {"retracted": "2026-09-15"}]))
    assert chart.levels[0].retracted == chart.levels[0].recorded
    assert known_values(chart, AFTER) == []


@pytest.mark.parametrize(
    ("levels", "code"),
    [
        ([LEVEL | {"retracted": "2026-09-14T10:00+08:00"}], "chart.retracted-before"),
        (
            [LEVEL | {"id": "a", "retracted": LATER}, LEVEL | {"value": 8.0, "replaces": "a", "recorded": NEXT_DAY}],
            "chart.retraction-of-replaced",
        ),
        ([LEVEL | {"retracted": "yes"}], "chart.time-unreadable"),
    ],
)
def test_a_retraction_of_what_was_not_there_is_refused(levels: list[dict[str, Any]], code: str) -> None:
    said_in_both(the(faults(sound(levels=levels)), code))


def test_a_retracted_correction_does_not_bring_back_what_it_corrected() -> None:
    first = LEVEL | {"id": "a", "value": 72.0}
    second = LEVEL | {"replaces": "a", "recorded": NEXT_DAY, "retracted": LATER}
    chart, flags = read(sound(levels=[first, second]))
    assert known_values(chart, BEFORE) == [72.0]
    assert known_values(chart, AFTER) == [7.2]
    assert known_values(chart, datetime(2026, 9, 26, tzinfo=UTC)) == []
    said_in_both(the(flags, "chart.retracted-correction"))


def test_the_right_value_may_stand_at_the_instant_of_a_retracted_one() -> None:
    chart, _ = read(sound(levels=[LEVEL | {"value": 72.0, "retracted": NEXT_DAY}, LEVEL | {"recorded": NEXT_DAY}]))
    assert (known_values(chart, BEFORE), known_values(chart, AFTER)) == ([72.0], [7.2])


def test_of_a_row_entered_twice_one_may_be_retracted() -> None:
    once, twice = LEVEL, LEVEL | {"recorded": "2026-09-16T08:00+08:00", "retracted": NEXT_DAY}
    for rows in ([once, twice], [twice, once]):
        chart, flags = read(sound(levels=rows))
        assert (known_values(chart, BEFORE), known_values(chart, AFTER)) == ([7.2], [7.2])
        the(flags, "chart.repeated")


def test_what_was_retracted_may_be_entered_again() -> None:
    chart, flags = read(sound(levels=[LEVEL | {"retracted": NEXT_DAY}, LEVEL | {"recorded": LATER}]))
    known = [known_values(chart, datetime(2026, 9, day, tzinfo=UTC)) for day in (18, 21, 26)]
    assert known == [[7.2], [], [7.2]]
    assert "chart.repeated" not in {flag.code for flag in flags}


def test_a_retraction_in_the_future_is_flagged() -> None:
    data = text(sound(levels=[LEVEL | {"retracted": "2062-09-20T10:00+08:00"}]))
    _, flags = from_json(data, received=AFTER)
    said_in_both(the(flags, "chart.retracted-later"))


def test_corrections_cannot_go_round_in_a_circle() -> None:
    one = LEVEL | {"id": "a", "replaces": "b", "recorded": "2026-09-20T10:00+08:00"}
    other = LEVEL | {"id": "b", "replaces": "a", "recorded": "2026-09-21T10:00+08:00"}
    the(faults(sound(levels=[one, other])), "chart.correction-too-early")


def test_doses_without_a_clock_time_are_taken_at_the_time_of_the_start() -> None:
    start = datetime(2026, 9, 1, 13, 30, tzinfo=UTC)
    chart, _ = read(sound(prescriptions=[PRESCRIPTION | {"start": "2026-09-01T21:30+08:00"}]))
    assert [intake.at for intake in chart.intakes(start + timedelta(days=2))] == [start, start + timedelta(days=1)]
    chart, _ = read(sound(prescriptions=[PRESCRIPTION | {"start": "2026-09-01"}]))
    assert chart.intakes(start + timedelta(days=2))[0].at == datetime(2026, 9, 1, 0, tzinfo=UTC)


def test_the_first_dose_is_found_by_the_clinics_clock() -> None:
    evening = [PRESCRIPTION | {"start": "2026-09-01", "regimen": "2 mg daily at 20:00"}]
    found = faults(sound(prescriptions=evening, levels=[LEVEL | {"at": "2026-09-01T19:00+08:00"}]))
    the(found, "chart.level-without-dose")
    read(sound(prescriptions=evening, levels=[LEVEL | {"at": "2026-09-01T21:00+08:00"}]))


def test_a_stop_given_as_a_day_includes_that_day() -> None:
    chart, _ = read(sound(therapies=[{"start": "2026-09-01", "stop": "2026-09-14", "drug": "clarithromycin"}]))
    assert chart.therapies[0].stop == datetime(2026, 9, 14, 16, tzinfo=UTC)


def test_recorded_on_a_day_means_not_before_it_happened() -> None:
    chart, _ = read(sound(levels=[LEVEL | {"recorded": "2026-09-15"}]))
    assert chart.levels[0].recorded == chart.levels[0].at
    chart, _ = read(sound(levels=[LEVEL | {"recorded": "2026-09-16"}]))
    assert chart.levels[0].recorded == datetime(2026, 9, 15, 16, tzinfo=UTC)


def test_facts_after_the_chart_was_received_are_flagged() -> None:
    _, flags = from_json(text(sound()), received=datetime(2026, 9, 10, tzinfo=UTC))
    assert {flag.code for flag in flags} == {"chart.in-the-future"}
    with pytest.raises(ValueError, match="no time zone"):
        from_json(text(sound()), received=datetime(2026, 9, 10))


def test_notes_are_for_people_and_change_nothing() -> None:
    assert read(sound(note="x", levels=[LEVEL | {"note": "y"}]))[0] == read(sound())[0]


def test_a_diagnosis_that_is_assumed_is_told() -> None:
    patient = {name: value for name, value in PATIENT.items() if name != "diagnosis"}
    chart, flags = read(sound(patient=patient))
    assert chart.patient.diagnosis == "primary-itp"
    said_in_both(the(flags, "chart.diagnosis-assumed"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "none.json", "file.missing"), (tmp_path / "a\0b", "file.unreadable")):
        with pytest.raises(ChartError) as refused:
            read_chart(path)
        the(refused.value.messages, code)


def test_very_many_flags_of_a_kind_are_summed_up() -> None:
    counts = [
        {"at": f"2026-09-{1 + day:02}T0{hour}:00+08:00", "value": 45000, "unit": "/uL"}
        for day in range(28)
        for hour in range(4)
    ]
    _, flags = read(sound(platelet_counts=counts))
    assert [flag.code for flag in flags].count("chart.converted") == 20
    more = the(flags, "chart.more-alike")
    assert more.values["count"] == 28 * 4 - 20
    assert "45000 /uL" in said_in_both(more)[0]


def test_a_prescription_may_end_on_the_day_the_next_begins() -> None:
    later = PRESCRIPTION | {"start": "2026-09-10T08:00+08:00", "regimen": "1 mg daily"}
    chart, flags = read(sound(prescriptions=[PRESCRIPTION | {"stop": "2026-09-10"}, later]))
    amounts = [intake.amount_mg for intake in chart.intakes(datetime(2026, 9, 12, tzinfo=UTC))]
    assert amounts == [2.0] * 9 + [1.0] * 2
    assert flags == ()
