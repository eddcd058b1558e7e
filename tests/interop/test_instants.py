# SPDX-License-Identifier: Apache-2.0
"""Times are read in the clinic's zone, and asked for where the clock change leaves none or two of them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.errors import ChartError
from sirolens.interop.instants import Precision, known_zone, read_day, read_instant, start_of_day
from tests.interop.charts import said_in_both

ZONES = (
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Beirut",
    "America/St_Johns",
    "Pacific/Apia",
    "Africa/Casablanca",
)
zones = st.sampled_from(ZONES).map(ZoneInfo)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@settings(deadline=None, max_examples=300)
@given(st.datetimes(datetime(1950, 1, 1), datetime(2080, 1, 1)), zones)
def test_a_written_time_with_offset_is_the_same_instant_everywhere(local: datetime, zone: ZoneInfo) -> None:
    instant = local.replace(microsecond=0, tzinfo=UTC)
    written = instant.astimezone(zone).isoformat()
    assert read_instant(written, zone=SHANGHAI)[0] == instant


@settings(deadline=None, max_examples=400)
@given(st.datetimes(datetime(1950, 1, 1), datetime(2037, 1, 1)), zones)
def test_a_naive_time_is_read_only_when_it_is_one_instant(local: datetime, zone: ZoneInfo) -> None:
    """Oracle: count the instants (the two offsets of the day around) that the zone shows as this clock time."""
    local = local.replace(second=0, microsecond=0)
    offsets = {(local.replace(tzinfo=zone) + timedelta(days=days)).utcoffset() for days in (-1, 0, 1)}
    shown = {
        instant
        for offset in offsets
        if offset is not None
        for instant in [local.replace(tzinfo=UTC) - offset]
        if instant.astimezone(zone).replace(tzinfo=None) == local
    }
    text = local.isoformat(timespec="minutes")
    if len(shown) == 1:
        assert read_instant(text, zone=zone) == (shown.pop(), Precision.CLOCK, True)
    else:
        with pytest.raises(ChartError, match="time-twice" if shown else "time-skipped") as refused:
            read_instant(text, zone=zone)
        said_in_both(refused.value.messages[0])


@pytest.mark.parametrize(
    ("zone", "skipped", "twice"),
    [
        ("Europe/Berlin", "2026-03-29T02:30", "2026-10-25T02:30"),
        ("America/New_York", "2026-03-08T02:30", "2026-11-01T01:30"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-04-05T01:45"),
        ("America/Havana", "2026-03-08T00:30", "2026-11-01T00:30"),
        ("Asia/Shanghai", "1986-05-04T02:30", "1986-09-14T01:30"),
        ("America/St_Johns", "2006-04-02T00:30", "2006-10-28T23:30"),
    ],
)
def test_the_two_times_of_a_clock_change_can_be_told_apart_by_their_offsets(
    zone: str, skipped: str, twice: str
) -> None:
    clinic = ZoneInfo(zone)
    with pytest.raises(ChartError, match="time-skipped"):
        read_instant(skipped, zone=clinic)
    with pytest.raises(ChartError, match="time-twice") as refused:
        read_instant(twice, zone=clinic)
    values = refused.value.messages[0].values
    first, second = (read_instant(str(values[name]), zone=clinic)[0] for name in ("first", "second"))
    assert timedelta(minutes=29) < second - first < timedelta(hours=2)
    assert {i.astimezone(clinic).strftime("%Y-%m-%dT%H:%M") for i in (first, second)} == {twice}


@settings(deadline=None, max_examples=300)
@given(st.dates(date(1950, 1, 1), date(2080, 1, 1)), zones)
def test_a_day_begins_with_its_first_instant(day: date, zone: ZoneInfo) -> None:
    start = start_of_day(day, zone)
    assert start.astimezone(zone).date() >= day  # later only for a day that a zone skipped (Apia, 30 Dec 2011)
    assert (start - timedelta(microseconds=1)).astimezone(zone).date() < day


def test_a_day_that_never_was_begins_with_the_next() -> None:
    assert start_of_day(date(2011, 12, 30), ZoneInfo("Pacific/Apia")).astimezone(ZoneInfo("Pacific/Apia")).day == 31


def test_an_end_given_as_a_day_includes_it_and_its_length_is_that_of_the_day() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)):
        start, _, _ = read_instant(day, zone=berlin, needed=Precision.DAY)
        end, _, _ = read_instant(day, zone=berlin, needed=Precision.DAY, end=True)
        assert end - start == timedelta(hours=hours)


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-01T08:00",
        "2026-9-1 8:00",
        "2026/09/01 08:00",
        "2026.9.1 8:00:00",
        "2026年9月1日 8:00",
        "2026年9月1日 8时00分",
        "２０２６－０９－０１　０８：００",
        "2026-09-01T00:00Z",
        "2026-09-01t08:00+0800",
        "2026-09-01T08:00:00.000+08:00",
    ],
)
def test_the_usual_ways_of_writing_a_time_are_one_instant(text: str) -> None:
    assert read_instant(text, zone=SHANGHAI)[0] == datetime(2026, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("01/09/2026 08:00", "chart.date-order"),
        ("9-1-26", "chart.date-order"),
        ("2026-09-01", "chart.clock-missing"),
        ("2026-13-01T08:00", "chart.no-such-time"),
        ("2026-09-01T24:00", "chart.no-such-time"),
        ("2026-09-01T08:60", "chart.no-such-time"),
        ("2026-09-01T08:00+25:00", "chart.no-such-time"),
        ("0026-09-01T08:00", "chart.year-out-of-range"),
        ("20260901", "chart.time-unreadable"),
        ("46266.333", "chart.time-unreadable"),
        ("tomorrow", "chart.time-unreadable"),
        ("2026-09-01 8 am", "chart.time-unreadable"),
    ],
)
def test_other_ways_are_refused_by_name(text: str, code: str) -> None:
    with pytest.raises(ChartError) as refused:
        read_instant(text, zone=SHANGHAI)
    assert [message.code for message in refused.value.messages] == [code]
    said_in_both(refused.value.messages[0])


def test_a_month_is_enough_only_where_it_is_asked() -> None:
    assert read_instant("2026-05", zone=SHANGHAI, needed=Precision.MONTH)[0] == datetime(2026, 4, 30, 16, tzinfo=UTC)
    with pytest.raises(ChartError, match="day-missing"):
        read_instant("2026-05", zone=SHANGHAI, needed=Precision.DAY)


def test_without_a_zone_only_an_offset_helps() -> None:
    with pytest.raises(ChartError, match="zone-needed"):
        read_instant("2026-09-01T08:00", zone=None)
    assert read_instant("2026-09-01T08:00+08:00", zone=None)[0] == datetime(2026, 9, 1, tzinfo=UTC)


def test_days_are_days() -> None:
    assert read_day("2000-02-29") == date(2000, 2, 29)
    for text, code in (("2001-02-29", "no-such-day"), ("2001-02-20T08:00", "day-only"), ("2001-02", "day-missing")):
        with pytest.raises(ChartError, match=code):
            read_day(text)


@settings(deadline=None, max_examples=300)
@given(
    st.one_of(st.text(max_size=25), st.from_regex(r"[12]\d{3}-\d\d?-\d\d?T\d\d:\d\d(Z|[+-]\d\d:\d\d)?", fullmatch=True))
)
def test_any_text_is_a_time_or_refused(text: str) -> None:
    for zone in (SHANGHAI, None):
        for needed in Precision:
            with suppress(ChartError):
                read_instant(text, zone=zone, needed=needed, end=True)


@pytest.mark.parametrize(
    "name", ["", "CST", "right/Asia/Shanghai", "../etc/passwd", "/etc/localtime", "Europe", "a\0b"]
)
def test_what_is_no_zone_of_the_world_is_none(name: str) -> None:
    assert known_zone(name) is None
