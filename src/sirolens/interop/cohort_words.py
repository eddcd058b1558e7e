# SPDX-License-Identifier: Apache-2.0
"""The words of a cohort's tables: names of files and columns, of reported responses and of ways out of a study."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sirolens.interop.chart_words import COLUMNS

__all__ = [
    "COHORT_COLUMNS",
    "CONTROL_NAMES",
    "LEFT_WHY",
    "PATIENTS_COLUMNS",
    "PATIENTS_NAMES",
    "RESPONSES",
    "RESPONSE_NAMES",
]

PATIENTS_NAMES = ("patients", "患者", "病人", "受试者")
RESPONSE_NAMES = ("responses", "疗效")
CONTROL_NAMES = ("controls", "对照", "健康对照")

COHORT_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **COLUMNS,
        "patient": ("patient_id", "subject", "subject_id", "usubjid", "患者", "患者编号", "受试者", "受试者编号"),
        "arm": ("treatment_arm", "group", "组别", "分组"),
        "died": ("death_date", "死亡日期"),
        "left": ("last_seen", "last_follow_up", "末次随访日期", "离组日期"),
        "left_why": ("reason_left", "离组原因"),
        "response": ("reported_response", "疗效", "疗效评价"),
        "landmark_d": ("landmark", "day", "评估时点天数"),
    }
)
"""Other names of each column of a cohort's tables."""

PATIENTS_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {**COHORT_COLUMNS, "patient": ("id", "编号", *COHORT_COLUMNS["patient"])}
)
"""In the table of patients the pseudonym may also be called id."""


def _named(words: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    return MappingProxyType({spelling: word for word, others in words.items() for spelling in (word, *others)})


RESPONSES = _named(
    {
        "complete": ("cr", "complete response", "complete remission", "完全反应", "完全缓解"),
        "partial": ("pr", "partial response", "partial remission", "部分反应", "部分缓解"),
        "response": ("r", "responder", "or", "有效", "反应"),
        "no-response": ("nr", "no response", "non-responder", "non-response", "无效", "无反应", "未缓解"),
        "relapse": ("relapsed", "loss of response", "复发"),
        "not-evaluable": ("ne", "not evaluable", "不可评价", "无法评价"),
    }
)
"""A reported response under its usual spellings; another word is kept as it was written, with a flag."""

LEFT_WHY = _named(
    {
        "completed": ("end of study", "完成", "完成研究"),
        "lost": ("lost to follow-up", "lost to follow up", "失访"),
        "withdrew": ("withdrawal", "withdrew consent", "withdrawal by subject", "退出", "撤回同意"),
        "adverse-event": ("adverse event", "toxicity", "不良事件"),
        "no-response": ("lack of efficacy", "no response", "无效"),
        "died": ("death", "死亡"),
        "other": ("其他",),
        "unknown": ("未知", "不详"),
    }
)
"""Why a patient left the study."""
