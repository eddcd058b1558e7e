# SPDX-License-Identifier: Apache-2.0
"""Regimens in words mean the same in English and Chinese, and what has two readings is refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.errors import ChartError
from sirolens.interop.regimen_text import MOST_PARTS, parse_regimen, twelve_hours_apart
from sirolens.regimen import (
    Regimen,
    alternate_days,
    daily,
    every,
    hold,
    once,
    taper,
    twice_daily,
    weekdays,
)
from tests.interop.charts import said_in_both

SAME: list[tuple[Regimen, tuple[str, ...]]] = [
    (
        daily(2),
        (
            *("2 mg daily", "2mg daily", "2 MG ONCE DAILY", "2 mg every day", "2 mg/day", "2 mg a day", "2.0 mg daily"),
            *("每日2 mg", "每天2毫克", "2 mg 每日1次", "每日１次，每次２ｍｇ", "2㎎ 每日一次", "2 mg/日"),
        ),
    ),
    (daily(2, at=time(7, 30)), ("2 mg daily at 07:30", "2 mg daily at 7:30", "每日2 mg 7:30", "每日2 mg，于07:30")),
    (daily(0.5), ("500 mcg daily", "0.5 mg daily", "500微克 每日1次", "500 µg daily")),
    (alternate_days(1), ("1 mg every other day", "1 mg on alternate days", "隔日1 mg", "1 mg 隔日一次", "隔天1毫克")),
    (daily(2, every_days=3), ("2 mg every 3 days", "每3日2 mg", "2 mg 每3天1次")),
    (twice_daily(1), ("1 mg twice daily", "1 mg twice a day", "每日2次，每次1 mg", "每日两次,每次1mg", "早晚各1 mg")),
    (twice_daily(1, at=(time(7), time(19))), ("1 mg twice daily at 07:00 and 19:00", "1 mg 每日2次 07:00和19:00")),
    (
        twice_daily(1, 0.5),
        ("1 mg morning, 0.5 mg evening", "1 mg in the morning and 0.5 mg in the evening", "早1 mg，晚0.5 mg"),
    ),
    (
        weekdays(mon=2, wed=2, fri=2),
        (
            *("2 mg mon wed fri", "2 mg on Monday, Wednesday and Friday", "2 mg Mon/Wed/Fri", "2 mg mon, wed, fri"),
            *("周一三五 2 mg", "每周一、周三、周五2 mg", "2 mg 星期一、三、五"),
        ),
    ),
    (every(2, 48), ("2 mg every 48 h", "2 mg every 48 hours", "每48小时 2 mg", "2 mg 每48小时1次")),
    (
        once(6).then(daily(2)),
        ("6 mg once then 2 mg daily", "loading dose 6 mg; 2 mg daily", "负荷剂量6 mg，然后每日2 mg"),
    ),
    (
        hold().lasting(7).then(daily(1)),
        ("hold for 7 days then 1 mg daily", "停药 共7天；每日1 mg", "stop for 1 week; 1 mg daily"),
    ),
    (
        daily(2).lasting(14).then(daily(1)),
        ("2 mg daily for 14 days then 1 mg daily", "每日2 mg 共14天；每日1 mg", "2 mg daily for 2 weeks; 1 mg daily"),
    ),
    (hold(), ("hold", "stopped", "停药", "暂停用药")),
    (
        taper(2, step_mg=0.5, every_days=14),
        (
            "taper from 2 mg by 0.5 mg every 14 days",
            "taper from 2 mg by 0.5 mg every 2 weeks to 0",
            "自2 mg起每14天减0.5 mg至停药",
        ),
    ),
    (
        taper(2, step_mg=0.5, every_days=14, to_mg=1),
        ("taper from 2 mg by 0.5 mg every 14 days to 1 mg", "从2mg起每14天减0.5mg至1mg"),
    ),
]


@pytest.mark.parametrize(("wanted", "text"), [(wanted, text) for wanted, texts in SAME for text in texts])
def test_words_mean_the_regimen_they_name(wanted: Regimen, text: str) -> None:
    assert parse_regimen(text)[0] == wanted


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("每日2次 2 mg", "chart.regimen-two-readings"),
        ("2 daily", "chart.unit-missing"),
        ("2,0 mg daily", "chart.decimal-comma"),
        ("1,234 mg daily", "chart.thousands"),
        ("2 mcg daily", "chart.unit-doubt"),
        ("2000 mg daily", "chart.impossible"),
        ("0 mg daily", "chart.impossible"),
        ("2 mg/m2 daily", "chart.dose-per-size"),
        ("2 mg/m² 每日1次", "chart.dose-per-size"),
        ("0.1 mg/kg daily", "chart.dose-per-size"),
        ("0.8毫克/平方米 每日2次", "chart.dose-per-size"),
        ("2 mL daily", "chart.dose-volume"),
        ("2毫升 每日1次", "chart.dose-volume"),
        ("1 tablet daily", "chart.dose-pieces"),
        ("1片 每日1次", "chart.dose-pieces"),
        ("2 mg", "chart.regimen-unreadable"),
        ("daily", "chart.regimen-unreadable"),
        ("2 mg dialy", "chart.regimen-unreadable"),
        ("2 mg daily then", "chart.regimen-unreadable"),
        ("1 mg twice daily at 07:00", "chart.regimen-unreadable"),
        ("2 mg every 48 h at 07:00", "chart.regimen-unreadable"),
        ("2 mg daily at 25:00", "chart.no-such-time"),
        ("2 mg every 9999 h", "chart.interval"),
        ("2 mg daily for 9999 days", "chart.regimen-too-long"),
        ("40 mg once; " * (MOST_PARTS + 1) + "2 mg daily", "chart.regimen-too-many-parts"),
        ("taper from 40 mg by 0.01 mg every 7 days", "chart.regimen-too-many-parts"),
        ("2 mg every 0 days", "regimen.days-not-positive"),
        ("2 mg daily then 1 mg daily", "regimen.then-after-endless"),
        ("taper from 1 mg by 0.5 mg every 14 days to 2 mg", "regimen.taper-not-downward"),
    ],
)
def test_what_is_wrong_is_said_by_name(text: str, code: str) -> None:
    with pytest.raises(ChartError) as refused:
        parse_regimen(text)
    assert [message.code for message in refused.value.messages] == [code]
    said_in_both(refused.value.messages[0])


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("2 mg qd", ["chart.abbreviation-daily"]),
        ("2 mg QOD", ["chart.abbreviation-alternate"]),
        ("1 mg b.i.d.", ["chart.abbreviation-twice"]),
        ("500 mcg daily", ["chart.converted"]),
        ("每日１次，每次２ｍｇ", ["chart.full-width"]),
        (".5 mg daily", ["chart.naked-decimal"]),
        ("2 mg daily", []),
        ("每日1次，每次2 mg", []),
    ],
)
def test_what_was_read_with_care_is_flagged(text: str, codes: list[str]) -> None:
    flags = parse_regimen(text)[1]
    assert [flag.code for flag in flags] == codes
    for flag in flags:
        said_in_both(flag)


def test_a_declared_decimal_comma_holds_in_words_too() -> None:
    assert parse_regimen("1,5 mg daily", decimal_mark=",")[0] == daily(1.5)


def test_the_clock_of_the_start_is_the_default() -> None:
    assert parse_regimen("2 mg daily", clock=time(21))[0] == daily(2, at=time(21))
    assert parse_regimen("1 mg twice daily", clock=time(21))[0] == twice_daily(1, at=(time(9), time(21)))
    assert twelve_hours_apart(time(0, 30)) == (time(0, 30), time(12, 30))


TOKENS = st.sampled_from(
    (
        *("2", "0.5", "1,5", "mg", "mcg", "mL", "片", "daily", "twice daily", "每日", "隔日", "1次", "每次", "mon"),
        *("周一", "三", ",", "，", ";", "then", "for", "14", "days", "at", "08:00", "99:99", "every", "h", "hold"),
        *("taper from", "by", "to", "once", "/", "m2"),
    )
)


@settings(deadline=None, max_examples=400)
@given(
    st.one_of(
        st.lists(TOKENS, max_size=10).map(" ".join), st.lists(TOKENS, max_size=10).map("".join), st.text(max_size=30)
    )
)
def test_any_words_are_a_regimen_or_refused(text: str) -> None:
    with suppress(ChartError):
        parse_regimen(text)
