# SPDX-License-Identifier: Apache-2.0
"""Figures of a review with invented numbers, in sizes from none to a hundred studies: no study, only shapes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from gettext import NullTranslations
from unittest import mock

from sirolens.message import Message, info
from sirolens.report import catalogue
from sirolens.report.baujat_figure import BaujatPlot
from sirolens.report.bubble_figure import BubblePlot
from sirolens.report.drawing import Drawing
from sirolens.report.effect_axis import EffectScale
from sirolens.report.flow_figure import FlowArm, FlowBox, FlowDiagram, FlowLine, FlowStep
from sirolens.report.forest_figure import ForestPlot, ForestRow, RowKind
from sirolens.report.funnel_figure import FunnelPlot
from sirolens.report.traffic_figure import Light, LightName, TrafficLights, TrafficSummary

SIZES = (1, 2, 20, 100)
LONG_EN = "Invented multicentre cohort of adults with refractory thrombocytopenia and a very long name, part II, 2031"
LONG_ZH = "虚构的多中心难治性免疫性血小板减少症成人患者长期随访研究（第二部分，扩展队列，含缓解后停药随访）2031"


def said(en: str, zh: str) -> Message:
    """Words in both languages, for the catalogue of these tests."""
    return info("bilingual.both", en=en, zh=zh)


class _Both(NullTranslations):
    """A catalogue of one text, which is what the message brings in the language asked for."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self.language = language

    def gettext(self, message: str) -> str:
        return f"{{{self.language}}}"


@contextmanager
def words() -> Iterator[None]:
    """Give the domain "bilingual" its words for a while."""
    shipped = catalogue._translations

    def with_both(domain: str, language: str) -> NullTranslations:
        return _Both(language) if domain == "bilingual" else shipped(domain, language)

    with mock.patch.object(catalogue, "_translations", with_both):
        yield


AXIS = said("Overall response at 3 months", "3 个月总体缓解率")
CRITERIA = said("Response criteria not reported.", "未报告缓解标准。")
DERIVED = said("Count derived from a printed percentage.", "例数由原文百分比推算。")
ODD = said(
    "Tau² = 0.41 (logit; 95 % interval 0.02–3.1), I² = 63 %, Q = 8.1 (df 3, P = 0.04).",
    "Tau² = 0.41（logit 尺度；95% 区间 0.02–3.1），I² = 63%，Q = 8.1（df 3，P = 0.04）。",
)
FEW = said(
    "Two studies: the interval of the pooled share rests on an assumption more than on data; read the studies first.",
    "仅有两项研究：合并率的区间更多取决于假设而非数据，请先看各研究结果。",
)


def name(index: int) -> str:
    if index % 7 == 3:
        return LONG_EN
    if index % 7 == 5:
        return LONG_ZH
    return f"Invented {chr(65 + index % 26)} {2001 + index % 30}"


def wilson(k: int, n: int) -> tuple[float, float]:
    """Bounds of about the right width; the figures do not care by which method."""
    p, z2 = k / n, 3.84
    half = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n)))
    middle = p + z2 / (2 * n)
    return max((middle - half) / (1 + z2 / n), 0.0), min((middle + half) / (1 + z2 / n), 1.0)


def study(index: int, total: int) -> ForestRow:
    n = 6 + (index * 37) % 90
    k = round(n * (0.15 + 0.8 * ((index * 0.618034) % 1)))
    low, high = wilson(k, n)
    notes = (0,) if index % 4 == 1 else (0, 1) if index % 9 == 8 else ()
    return ForestRow(
        name=name(index),
        middle=k / n,
        low=low,
        high=high,
        columns=(f"{k}/{n}",),
        weight=n / (50.0 * total),
        notes=notes,
    )


def forest(count: int) -> ForestPlot:
    pooled = (
        ForestRow(
            name=said("Pooled (binomial-normal)", "合并（二项-正态模型）"),
            kind=RowKind.POOLED,
            middle=0.62,
            low=0.48,
            high=0.74,
            columns=("",),
            weight=1.0,
        ),
        ForestRow(name=said("Prediction interval", "预测区间"), kind=RowKind.PREDICTION, low=0.12, high=0.95),
    )
    return ForestPlot(
        rows=(*(study(index, count) for index in range(count)), *pooled),
        axis=AXIS,
        columns=(said("Responders / patients", "缓解例数 / 总例数"),),
        notes=(CRITERIA, DERIVED),
        statements=(ODD, FEW),
    )


def grouped() -> ForestPlot:
    rows: list[ForestRow] = []
    for group, words in enumerate(
        (
            said("Primary ITP", "原发性 ITP"),
            said("Secondary ITP (lupus, Evans syndrome, ALPS)", "继发性 ITP（狼疮、Evans 综合征、ALPS）"),
        )
    ):
        rows.append(ForestRow(name=words, kind=RowKind.HEADING))
        rows += [study(4 * group + index, 8) for index in range(4)]
        rows.append(
            ForestRow(
                name=said("Subtotal", "亚组合计"),
                kind=RowKind.SUBTOTAL,
                middle=0.5 + 0.2 * group,
                low=0.3 + 0.2 * group,
                high=0.7 + 0.2 * group,
                columns=("48/90",),
                weight=0.5,
            )
        )
        rows.append(ForestRow(name=ODD, kind=RowKind.NOTE))
    rows.append(ForestRow(name=said("No patient counted", "未计例数的研究"), columns=("0/0",)))
    rows.append(ForestRow(name=said("Pooled", "合并"), kind=RowKind.POOLED, middle=0.61, low=0.44, high=0.76))
    rows.append(ForestRow(name=said("Prediction interval", "预测区间"), kind=RowKind.PREDICTION, low=0.1, high=0.96))
    return ForestPlot(
        rows=tuple(rows),
        axis=AXIS,
        columns=(said("k / n", "例数"),),
        notes=(CRITERIA, DERIVED),
        statements=(
            said(
                "Test for a difference between groups: QM = 2.1 (df 1, P = 0.15).",
                "亚组差异检验：QM = 2.1（df 1，P = 0.15）。",
            ),
        ),
    )


def ratios() -> ForestPlot:
    rows = (
        ForestRow(name="Invented A 2021", middle=0.8, low=0.3, high=2.1, columns=("12/20", "14/21"), weight=0.6),
        ForestRow(
            name="Invented B 2023", middle=3.2, low=0.01, high=900.0, columns=("3/4", "1/3"), weight=0.05, notes=(0,)
        ),
        ForestRow(name=LONG_ZH, middle=1.4, low=0.9, high=2.2, columns=("40/80", "33/82"), weight=0.35),
        ForestRow(
            name="Invented D 2024",
            columns=("0/9", "0/8"),
            instead=said("not estimable: no event in either arm", "无法估计：两组均无事件"),
        ),
        ForestRow(
            name=said("Pooled", "合并"),
            kind=RowKind.POOLED,
            middle=1.12,
            low=0.7,
            high=1.8,
            columns=("55/113", "48/114"),
            weight=1.0,
        ),
        ForestRow(name=said("Prediction interval", "预测区间"), kind=RowKind.PREDICTION, low=0.2, high=6.3),
    )
    return ForestPlot(
        rows=rows,
        axis=said("Odds ratio of response", "缓解的比值比"),
        scale=EffectScale.RATIO,
        columns=(said("Sirolimus", "西罗莫司"), said("Ciclosporin", "环孢素")),
        notes=(DERIVED,),
        statements=(ODD,),
        sides=(said("favours ciclosporin", "支持环孢素"), said("favours sirolimus", "支持西罗莫司")),
    )


def differences() -> ForestPlot:
    rows = (
        ForestRow(
            name="Invented A 2021", middle=-12.5, low=-40.2, high=15.2, columns=("45 (12)", "57 (20)"), weight=0.4
        ),
        ForestRow(name="Invented B 2023", middle=4.0, low=-3.0, high=11.0, columns=("60 (8)", "56 (9)"), weight=0.6),
        ForestRow(name=said("Pooled", "合并"), kind=RowKind.POOLED, middle=1.0, low=-9.0, high=11.0, weight=1.0),
    )
    return ForestPlot(
        rows=rows,
        axis=said("Difference in mean platelet count", "平均血小板计数之差"),
        scale=EffectScale.DIFFERENCE,
        columns=(said("Sirolimus, mean (SD)", "西罗莫司，均值（SD）"), said("Control, mean (SD)", "对照，均值（SD）")),
        sides=(said("higher with control", "对照组更高"), said("higher with sirolimus", "西罗莫司组更高")),
    )


def left_out(count: int) -> ForestPlot:
    rows = tuple(
        ForestRow(
            name=said(f"without {name(index)}", f"剔除 {name(index)}"),
            kind=RowKind.STUDY,
            middle=0.6 + 0.01 * (index % 5),
            low=0.45,
            high=0.76,
        )
        for index in range(count)
    )
    whole = ForestRow(name=said("All studies", "全部研究"), kind=RowKind.POOLED, middle=0.62, low=0.48, high=0.74)
    return ForestPlot(rows=(*rows, whole), axis=AXIS, name_head=said("Left out", "剔除的研究"), weights=False)


def effects(count: int) -> tuple[tuple[float, ...], tuple[float, ...], tuple[str, ...]]:
    errors = tuple(0.12 + 0.9 * ((index * 0.618034) % 1) for index in range(count))
    places = tuple(0.5 + 2.4 * error * (((index * 0.7548777) % 1) - 0.5) * 2 for index, error in enumerate(errors))
    return places, errors, tuple(name(index) for index in range(count))


def funnel(count: int, filled: int = 0) -> FunnelPlot:
    places, errors, names = effects(count)
    return FunnelPlot(
        effects=(*places, math.nan),
        errors=(*errors, 0.0),
        names=(*names, "nothing"),
        centre=0.5,
        axis=AXIS,
        filled_effects=tuple(1.0 - places[index] for index in range(filled)),
        filled_errors=errors[:filled],
        statements=(said("Tests of asymmetry are refused below ten studies.", "少于 10 项研究时不做不对称检验。"),),
    )


def baujat(count: int) -> BaujatPlot:
    return BaujatPlot(
        heterogeneity=tuple(4 * ((index * 0.618034) % 1) ** 3 for index in range(count)),
        influence=tuple(0.9 * ((index * 0.7548777) % 1) ** 3 for index in range(count)),
        names=tuple(name(index) for index in range(count)),
        statements=(said("With equal effects, on the logit scale.", "固定效应模型，logit 尺度。"),),
    )


def bubble(count: int) -> BubblePlot:
    places, errors, names = effects(count)
    xs = tuple(5.0 + 10.0 * ((index * 0.41421356) % 1) for index in range(count))
    line = tuple(float(x) for x in range(5, 16)) if count > 2 else ()
    return BubblePlot(
        covariate=xs,
        effects=places,
        weights=tuple(1 / error**2 for error in errors),
        names=names,
        x_axis=said("Median trough, ng/mL", "谷浓度中位数，ng/mL"),
        y_axis=AXIS,
        line_x=line,
        line=tuple(0.1 * x - 0.5 for x in line),
        low=tuple(0.1 * x - 1.0 - 0.02 * abs(x - 10) for x in line),
        high=tuple(0.1 * x + 0.02 * abs(x - 10) for x in line),
        statements=(
            said("Exploration: fewer than ten studies per covariate.", "仅为探索：每个协变量不足 10 项研究。"),
        ),
    )


ROB = (
    LightName(light=Light.GOOD, name=said("Low", "低")),
    LightName(light=Light.SOME, name=said("Some concerns", "有一定顾虑")),
    LightName(light=Light.BAD, name=said("High", "高")),
    LightName(light=Light.WORST, name=said("Critical", "极高")),
    LightName(light=Light.UNKNOWN, name=said("No information", "无信息")),
    LightName(light=Light.NONE, name=said("Not applicable", "不适用")),
)
DOMAINS = (
    said("Bias arising from the randomisation process", "随机化过程中的偏倚"),
    said("Bias due to deviations from intended interventions", "偏离既定干预的偏倚"),
    said("Bias due to missing outcome data", "结局数据缺失的偏倚"),
    said("Bias in measurement of the outcome", "结局测量的偏倚"),
    said("Bias in selection of the reported result", "结果选择性报告的偏倚"),
    said("Overall", "总体"),
)


def traffic(count: int) -> TrafficLights:
    lights = tuple(light.light for light in ROB)
    return TrafficLights(
        studies=tuple(name(index) for index in range(count)),
        domains=DOMAINS,
        lights=tuple(
            tuple(lights[(index * 5 + place * (1 + index % 3)) % 6] for place in range(6)) for index in range(count)
        ),
        meanings=ROB,
        study_head=said("Study", "研究"),
        overall=True,
        statements=(said("One rater; abstracts only.", "单人评价；仅依据摘要。"),),
    )


def jbi() -> TrafficLights:
    domains = tuple(
        said(
            f"Item {index}: was the condition measured in a standard, reliable way for all participants?",
            f"条目 {index}：是否对所有受试者采用标准、可靠的方法测量病情？",
        )
        for index in range(1, 11)
    )
    lights = (Light.GOOD, Light.BAD, Light.UNKNOWN, Light.NONE)
    return TrafficLights(
        studies=tuple(name(index) for index in range(8)),
        domains=domains,
        lights=tuple(tuple(lights[(index + place) % 4] for place in range(10)) for index in range(8)),
        meanings=(
            LightName(light=Light.GOOD, name=said("Yes", "是")),
            LightName(light=Light.BAD, name=said("No", "否")),
            LightName(light=Light.UNKNOWN, name=said("Unclear", "不清楚")),
            LightName(light=Light.NONE, name=said("Not applicable", "不适用")),
        ),
        study_head=said("Study", "研究"),
    )


def summary() -> TrafficSummary:
    return TrafficSummary(
        domains=DOMAINS,
        shares=(
            (0.5, 0.3, 0.1, 0.0, 0.1, 0.0),
            (0.2, 0.2, 0.2, 0.2, 0.1, 0.1),
            (1.0, 0, 0, 0, 0, 0),
            (0, 0, 0, 0, 1.0, 0),
            (math.nan,) * 6,
            (0.3, 0.01, 0.29, 0.3, 0.1, 0.0),
        ),
        meanings=ROB,
        axis=said("Share of the studies' weight", "按权重计的研究比例"),
        overall=True,
    )


def _box(*lines: tuple[Message, int | None, str]) -> FlowBox:
    return FlowBox(
        lines=tuple(
            FlowLine(text=words, count=count, bold="bold" in look, indent="indent" in look, pending="pending" in look)
            for words, count, look in lines
        )
    )


def flow(*, other: bool, previous: bool, draft: bool = False, databases: int = 3) -> FlowDiagram:
    identified = _box(
        (said("Records identified from", "检索到的文献"), None, "bold"),
        (said("Databases", "数据库"), 1234, ""),
        *(
            (said(f"Database {index + 1}", f"数据库 {index + 1}"), 1234 // databases, "indent")
            for index in range(databases)
        ),
        (said("Registers", "注册平台"), 12, ""),
    )
    removed = _box(
        (said("Records removed before screening", "筛选前剔除的文献"), None, "bold"),
        (said("Already known from the earlier version", "既往版本已有"), 31, ""),
        (said("Duplicate records", "重复文献"), 402, ""),
        (said("Records left unread after an accepted stop", "达到预设停止规则后未筛的文献"), 0, ""),
        (said("Removed for other reasons", "其他原因剔除"), 2, ""),
    )
    pending = ((said("Pending: not decided or in conflict", "待定：未判定或意见不一"), 3, "pending"),) if draft else ()
    main = FlowArm(
        head=said("Identification of new studies via databases and registers", "通过数据库和注册平台识别新研究"),
        steps=(
            FlowStep(row=0, box=identified, aside=removed),
            FlowStep(
                row=1,
                box=_box((said("Records screened", "筛选的文献"), 811, ""), *pending),
                aside=_box((said("Records excluded", "排除的文献"), 700, "")),
            ),
            FlowStep(
                row=2,
                box=_box((said("Reports sought for retrieval", "拟获取全文的报告"), 111, "")),
                aside=_box((said("Reports not retrieved", "未能获取的报告"), 4, "")),
            ),
            FlowStep(
                row=3,
                box=_box((said("Reports assessed for eligibility", "评估合格性的报告"), 107, "")),
                aside=_box(
                    (said("Reports excluded", "排除的报告"), 90, "bold"),
                    (said("Wrong population", "人群不符"), 50, "indent"),
                    (said("No extractable outcome of platelet response", "无可提取的血小板反应结局"), 39, "indent"),
                    (said("Overlapping cohort", "队列重叠"), 1, "indent"),
                ),
            ),
        ),
    )
    arm = FlowArm(
        head=said("Identification of new studies via other methods", "通过其他途径识别新研究"),
        steps=(
            FlowStep(
                row=0,
                box=_box(
                    (said("Records identified from", "检索到的文献"), None, "bold"),
                    (said("Websites", "网站"), 1, ""),
                    (said("Organisations", "机构"), 2, ""),
                    (said("Citation searching", "引文检索"), 20, ""),
                ),
            ),
            FlowStep(
                row=2,
                box=_box((said("Reports sought for retrieval", "拟获取全文的报告"), 23, "")),
                aside=_box((said("Reports not retrieved", "未能获取的报告"), 1, "")),
            ),
            FlowStep(
                row=3,
                box=_box((said("Reports assessed for eligibility", "评估合格性的报告"), 22, "")),
                aside=_box(
                    (said("Reports excluded", "排除的报告"), 20, "bold"),
                    (said("No sirolimus", "未用西罗莫司"), 20, "indent"),
                ),
            ),
        ),
    )
    new = _box(
        (said("New studies included in review", "本次新纳入的研究"), 15, ""),
        (said("Reports of new included studies", "新纳入研究的报告"), 19, ""),
    )
    total = _box(
        (said("Total studies included in review", "纳入研究总数"), 26, ""),
        (said("Reports of total included studies", "纳入研究的报告总数"), 33, ""),
    )
    earlier = _box(
        (said("Studies included in previous version of review", "既往版本纳入的研究"), 12, ""),
        (said("Reports of studies included in previous version of review", "既往版本纳入研究的报告"), 15, ""),
    )
    changes = _box(
        (said("Studies of the previous version that dropped out", "既往版本中退出的研究"), 2, ""),
        (said("Studies reconsidered", "重新纳入的研究"), 1, ""),
    )
    return FlowDiagram(
        main=main,
        new=new,
        other=arm if other else None,
        draft=draft,
        previous_head=said("Previous studies", "既往研究") if previous else None,
        previous=earlier if previous else None,
        total=total if previous else None,
        changes=changes if previous else None,
        statements=(said("Invented numbers.", "数字为虚构。"),),
    )


def drawings() -> dict[str, Drawing]:
    """Every figure in every size."""
    found: dict[str, Drawing] = {
        "forest-grouped": grouped(),
        "forest-ratio": ratios(),
        "forest-difference": differences(),
        "forest-without": left_out(8),
        "forest-0": ForestPlot(rows=(), axis=AXIS),
        "funnel-filled": funnel(24, filled=5),
        "funnel-0": FunnelPlot(effects=(), errors=(), names=(), centre=math.nan, axis=AXIS),
        "baujat-0": baujat(0),
        "bubble-0": bubble(0),
        "jbi": jbi(),
        "traffic-0": traffic(0),
        "summary": summary(),
        "flow-main": flow(other=False, previous=False),
        "flow-both": flow(other=True, previous=False, draft=True),
        "flow-update": flow(other=True, previous=True, databases=5),
    }
    for size in SIZES:
        found |= {
            f"forest-{size}": forest(size),
            f"funnel-{size}": funnel(size),
            f"baujat-{size}": baujat(size),
            f"bubble-{size}": bubble(size),
            f"traffic-{size}": traffic(size),
        }
    return found
