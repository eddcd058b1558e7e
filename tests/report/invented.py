# SPDX-License-Identifier: Apache-2.0
"""An invented course and an invented document for the report's tests: no patient, no model, only shapes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from gettext import NullTranslations
from unittest import mock
from zoneinfo import ZoneInfo

from sirolens.message import checked, critical, info, warning
from sirolens.report import catalogue
from sirolens.report.document import (
    Column,
    Document,
    Figure,
    Findings,
    Frame,
    Heading,
    Headline,
    Interval,
    KeyFact,
    KeyFacts,
    PageBreak,
    Paragraph,
    Table,
)
from sirolens.report.dose_figure import DoseBars, DoseRow
from sirolens.report.level_figure import Band, DoseBar, LevelCourse, LevelPoint
from sirolens.report.platelet_figure import Bleed, PlateletCourse, PlateletPoint, Rescue
from sirolens.source import Mark, Source

ZONE = "Asia/Shanghai"
START = datetime(2026, 9, 1, 8, tzinfo=ZoneInfo(ZONE))
NOW = START + timedelta(days=42, hours=1)
END = NOW + timedelta(days=28)


def days(number: float) -> datetime:
    return START + timedelta(days=number)


def _level(hours: float) -> float:
    """A made-up sawtooth that rises to a steady state: the sum of daily doses of a one-compartment curve."""
    total, day = 0.0, 0
    while day * 24 <= hours:
        since = hours - day * 24
        if day not in (17,):
            dose = 2.0 if day < 43 else 2.5
            total += dose * 1.35 * (math.exp(-0.0116 * since) - math.exp(-0.9 * since))
        day += 1
    return total


@cache
def band() -> Band:
    count = 70 * 8
    hours = [3.0 * index for index in range(count)]
    median = [_level(hour) for hour in hours]
    return Band(
        at=tuple(START + timedelta(hours=hour) for hour in hours),
        median=tuple(median),
        low50=tuple(0.86 * one for one in median),
        high50=tuple(1.17 * one for one in median),
        low90=tuple(0.66 * one for one in median),
        high90=tuple(1.55 * one for one in median),
    )


def doses() -> tuple[DoseBar, ...]:
    status = {17: "missed", 18: "uncertain"}
    return tuple(
        DoseBar(
            at=days(day),
            amount_mg=2.0 if day < 43 else 2.5,
            status="planned" if day >= 43 else status.get(day, "taken"),
        )
        for day in range(70)
    )


def platelets(now: datetime | None = None) -> PlateletCourse:
    counts = {-5: 8.0, 0: 11.0, 4: 46.0, 7: 31.0, 14: 18.0, 21: 27.0, 28: 38.0, 35: 66.0, 42: 112.0}
    return PlateletCourse(
        counts=tuple(PlateletPoint(at=days(day), count_10e9_l=count) for day, count in counts.items()),
        bleedings=(Bleed(at=days(-5), grade=2), Bleed(at=days(13), grade=1)),
        rescues=(
            Rescue(start=days(1), stop=days(4), drug="ivig"),
            Rescue(start=days(14), stop=days(18), drug="dexamethasone"),
        ),
        now=now,
    )


@cache
def course() -> LevelCourse:
    return LevelCourse(
        now=NOW,
        target_low_ng_ml=5.0,
        target_high_ng_ml=15.0,
        band=band(),
        points=(
            LevelPoint(at=days(2.98), level_ng_ml=2.0, assay="lc-ms/ms", quantification="below"),
            LevelPoint(at=days(13.97), level_ng_ml=7.4, assay="lc-ms/ms"),
            LevelPoint(at=days(24.2), level_ng_ml=16.2, assay="lc-ms/ms", excluded=True),
            LevelPoint(at=days(27.98), level_ng_ml=9.1, assay="cmia"),
            LevelPoint(at=days(41.98), level_ng_ml=8.3, assay="lc-ms/ms"),
        ),
        doses=doses(),
        platelets=platelets(),
    )


def bars() -> DoseBars:
    rows = (
        (info("demo.daily", dose_mg=2.0), 0.07, 0.9, 0.03, 8.6, 5.2, 13.4, False),
        (info("demo.daily", dose_mg=2.5), 0.02, 0.83, 0.15, 10.8, 6.5, 16.8, True),
        (info("demo.daily", dose_mg=1.5), 0.31, 0.685, 0.005, 6.5, 3.9, 10.1, False),
        (info("demo.alternate", first_mg=1.0, second_mg=2.0), 0.33, 0.665, 0.005, 6.4, 3.7, 10.3, False),
        (info("demo.daily", dose_mg=1.0), 0.72, 0.279, 0.001, 4.3, 2.6, 6.7, False),
    )
    return DoseBars(
        rows=tuple(
            DoseRow(
                regimen=regimen,
                low_probability=low,
                in_probability=inside,
                high_probability=high,
                trough_ng_ml=trough,
                trough_low_ng_ml=trough_low,
                trough_high_ng_ml=trough_high,
                current=current,
            )
            for regimen, low, inside, high, trough, trough_low, trough_high, current in rows
        ),
        target_low_ng_ml=5.0,
        target_high_ng_ml=15.0,
    )


TEXTS = {
    "demo.daily": ("{dose_mg} daily", "每日 {dose_mg}"),
    "demo.alternate": ("{first_mg} and {second_mg} in turn, daily", "{first_mg} 与 {second_mg} 隔日交替"),
    "demo.title": ("Sirolimus advice", "西罗莫司给药建议"),
    "demo.banner": (
        "{patient}: woman, {age_years}, {weight_kg}, primary ITP; now {dose_mg} daily",
        "{patient}：女，{age_years}，{weight_kg}，原发免疫性血小板减少症；目前每日 {dose_mg}",
    ),
    "demo.headline": (
        "Best chance: {dose_mg} daily. It keeps the true trough in {low}–{high_ng_ml} with {in_probability}.",
        "达标概率最高的方案：每日 {dose_mg}，真实谷浓度处于 {low}–{high_ng_ml} 的概率为 {in_probability}。",
    ),
    "demo.next": (
        "Next trough: {day}, before the morning dose, when the new dose has reached steady state.",
        "下次谷浓度：{day} 清晨服药前，此时新剂量已达稳态。",
    ),
    "demo.expectedness": ("Expectedness", "符合预期程度"),
    "demo.suitability": ("Suitability", "方案适宜性"),
    "demo.prediction": ("Prediction", "预测"),
    "demo.monitoring": ("Re-monitoring", "复测"),
    "demo.warning": ("Warnings", "警示"),
    "demo.pharmacist": ("For the pharmacist", "供药师参考"),
    "demo.expected": (
        "The last level, {level_ng_ml} on {day}, is what the model expected ({expected_ng_ml}).",
        "最近一次血药浓度 {level_ng_ml}（{day}）与模型预期（{expected_ng_ml}）相符。",
    ),
    "demo.clears": (
        "The patient clears sirolimus {ratio} times as fast as a typical adult.",
        "该患者清除西罗莫司的速度约为典型成人的 {ratio} 倍。",
    ),
    "demo.course-alt": (
        "Levels rise to about 9 ng/mL and stay inside the target; platelets rise above 100 ×10⁹/L.",
        "血药浓度升至约 9 ng/mL 并保持在目标范围内；血小板升至 100 ×10⁹/L 以上。",
    ),
    "demo.course-caption": (
        "Model, levels, doses and platelet counts on the same dates.",
        "模型、血药浓度、给药与血小板计数（同一时间轴）。",
    ),
    "demo.bars-alt": ("2 mg daily has the highest chance of a trough in the target.", "每日 2 mg 谷浓度达标概率最高。"),
    "demo.options": ("Practical regimens, the best chance first", "可行方案（按达标概率排序）"),
    "demo.regimen": ("Regimen", "给药方案"),
    "demo.tablets": ("Tablets", "片数"),
    "demo.in": ("In target", "达标概率"),
    "demo.above": ("Above", "高于目标"),
    "demo.trough": ("Expected trough (90 %)", "预期谷浓度（90%）"),
    "demo.change": ("Change", "变化"),
    "demo.proportional": ("Proportional rule beside it: {dose_mg} daily.", "比例法对照：每日 {dose_mg}。"),
    "demo.falling": (
        "Platelets fell from {before_10e9_l} to {after_10e9_l} while the level was {level_ng_ml}: "
        "this may be the drug. No increase is offered until this is acknowledged.",
        "血药浓度为 {level_ng_ml} 时血小板由 {before_10e9_l} 降至 {after_10e9_l}：可能为药物所致。"
        "确认前不提供加量选项。",
    ),
    "demo.assay": (
        "The assay changed from {previous_assay} to {assay} on {day}; the two read differently.",
        "检测方法于 {day} 由 {previous_assay} 改为 {assay}；两种方法读数存在差异。",
    ),
    "demo.hypothesis": ("A dose step of {change_mg} was assumed.", "假设剂量调整 {change_mg}。"),
    "demo.checks": (
        "Interactions: {checks} {checks:check|checks} made, nothing found.",
        "相互作用：已核对 {checks} 项，未见异常。",
    ),
    "demo.target": ("Target", "目标范围"),
    "demo.dose-now": ("Dose now", "当前剂量"),
    "demo.haematocrit": ("Haematocrit", "红细胞压积"),
    "demo.range": ("{low}–{high_ng_ml}, trough in whole blood", "{low}–{high_ng_ml}，全血谷浓度"),
    "demo.mechanism": (
        "In the mechanism model regulatory T cells rise over the first three months.",
        "在机制模型中，调节性 T 细胞在前三个月内升高。",
    ),
}


class _Words(NullTranslations):
    def __init__(self, column: int) -> None:
        super().__init__()
        self.column = column

    def gettext(self, message: str) -> str:
        return TEXTS[message][self.column] if message in TEXTS else message


@contextmanager
def words() -> Iterator[None]:
    """Give the domain "demo" its words for a while."""
    shipped = catalogue._translations

    def with_demo(domain: str, language: str) -> NullTranslations:
        return _Words(("en", "zh").index(language)) if domain == "demo" else shipped(domain, language)

    with mock.patch.object(catalogue, "_translations", with_demo):
        yield


TABLETS = ("2 × 1 mg", "2 × 1 mg + 0.5 mg", "1 mg + 0.5 mg", "1 mg / 2 × 1 mg", "1 mg")


def options() -> Table:
    return Table(
        caption=info("demo.options"),
        columns=(
            Column(head=info("demo.regimen"), name="regimen"),
            Column(head=info("demo.tablets"), name="tablets"),
            Column(head=info("demo.in"), name="in_probability"),
            Column(head=info("demo.above"), name="high_probability"),
            Column(head=info("demo.trough"), name="trough_ng_ml"),
            Column(head=info("demo.change"), name="change_daily_mg"),
        ),
        rows=tuple(
            (
                row.regimen,
                tablets,
                row.in_probability,
                row.high_probability,
                Interval(middle=row.trough_ng_ml or 0, low=row.trough_low_ng_ml or 0, high=row.trough_high_ng_ml or 0),
                change,
            )
            for row, change, tablets in zip(bars().rows, (-0.5, 0.0, -1.0, -1.0, None), TABLETS, strict=True)
        ),
        notes=(info("demo.proportional", dose_mg=2.2222),),
        marked=(1,),
    )


def findings() -> Findings:
    label = Source(title="Rapamune label, section 7", mark=Mark.SEEN, year=2024, url="https://example.org/label")
    return Findings(
        messages=(
            critical("demo.falling", before_10e9_l=66.0, after_10e9_l=31.0, level_ng_ml=16.24, source=label),
            warning("demo.assay", previous_assay="cmia", assay="lc-ms/ms", day=days(41).date()),
            info("demo.hypothesis", change_mg=0.5, source=Source(title="House rule", mark=Mark.ASSUMED)),
            checked("demo.checks", checks=11),
        )
    )


@cache
def document() -> Document:
    low, high = "5", 15.0
    return Document(
        title=info("demo.title"),
        banner=info("demo.banner", patient="DEMO-01", age_years=34.0, weight_kg=58.0, dose_mg=2.5),
        made_at=NOW.astimezone(UTC),
        version="0.1.0",
        zone=ZONE,
        invented=True,
        blocks=(
            Headline(
                text=info("demo.headline", dose_mg=2.0, low=low, high_ng_ml=high, in_probability=0.9),
                details=(info("demo.next", day=days(56).date()),),
            ),
            KeyFacts(
                facts=(
                    KeyFact(label=info("demo.dose-now"), value=info("demo.daily", dose_mg=2.5)),
                    KeyFact(label=info("demo.target"), value=info("demo.range", low=low, high_ng_ml=high)),
                    KeyFact(label=info("demo.haematocrit"), value=38.0, name="haematocrit_percent"),
                )
            ),
            Heading(text=info("demo.expectedness")),
            Paragraph(
                sentences=(
                    info("demo.expected", level_ng_ml=8.3, day=days(41.98).date(), expected_ng_ml=8.61),
                    info("demo.clears", ratio=1.1),
                )
            ),
            Figure(
                name="course",
                drawing=course(),
                alt=info("demo.course-alt"),
                caption=info("demo.course-caption"),
            ),
            Heading(text=info("demo.suitability")),
            options(),
            Figure(name="options", drawing=bars(), alt=info("demo.bars-alt")),
            Heading(text=info("demo.warning")),
            findings(),
            PageBreak(),
            Heading(text=info("demo.pharmacist")),
            Heading(text=info("demo.prediction"), level=3),
            Frame(
                blocks=(
                    Paragraph(sentences=(info("demo.mechanism"),)),
                    Figure(name="research-platelets", drawing=platelets(NOW), alt=info("demo.course-alt")),
                )
            ),
        ),
    )
