# SPDX-License-Identifier: Apache-2.0
"""The words a chart may use for things that come from a short list, in English and Chinese, and names of columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sirolens.chart import BleedingAsked, DoseStatus, Quantification, Sex
from sirolens.interop.drug_names import DRUGS
from sirolens.interop.measurements import LABS

__all__ = [
    "ACTIONS",
    "ASKED",
    "ASSAYS",
    "COLUMNS",
    "DIAGNOSES",
    "FOODS",
    "FORMS",
    "IDENTITY",
    "MATRICES",
    "POPULATIONS",
    "PROCEDURES",
    "QUANTIFICATIONS",
    "ROLES",
    "SCOPES",
    "SEXES",
    "STATUSES",
    "words_of_a_chart",
]


def _spelled(**words: tuple[str, ...]) -> Mapping[str, str]:
    return MappingProxyType(
        {spelling: word.replace("_", "-") for word, others in words.items() for spelling in (word, *others)}
    )


def _named(words: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    return MappingProxyType({spelling: word for word, others in words.items() for spelling in (word, *others)})


SEXES = MappingProxyType(
    {
        **dict.fromkeys(("female", "f", "女", "女性"), Sex.FEMALE),
        **dict.fromkeys(("male", "m", "男", "男性"), Sex.MALE),
        **dict.fromkeys(("unknown", "u", "未知", "不详"), Sex.UNKNOWN),
    }
)
POPULATIONS = MappingProxyType({"中国": "chinese", "中国人": "chinese", "华人": "chinese"})
DIAGNOSES = _named(
    {
        "primary-itp": ("itp", "primary itp", "原发性itp", "原发免疫性血小板减少症", "原发性免疫性血小板减少症"),
        "secondary-itp": ("secondary itp", "继发性itp", "继发性免疫性血小板减少症"),
        "evans": ("evans syndrome", "evans综合征", "伊文氏综合征"),
    }
)
FORMS = _spelled(
    tablet=("tablets", "tab", "片", "片剂"),
    solution=("oral solution", "liquid", "口服液", "口服溶液", "溶液"),
    unknown=("未知", "不详"),
)
FOODS = _spelled(
    fed=("with food", "after food", "餐后", "随餐"),
    fasted=("fasting", "without food", "空腹"),
    consistent=("always the same", "固定"),
    unknown=("未知", "不详"),
)
STATUSES = MappingProxyType(
    {
        **dict.fromkeys(("taken", "已服", "已服用"), DoseStatus.TAKEN),
        **dict.fromkeys(("missed", "漏服", "未服"), DoseStatus.MISSED),
        **dict.fromkeys(("uncertain", "不确定"), DoseStatus.UNCERTAIN),
    }
)
ASSAYS = _named(
    {
        "lc-ms/ms": ("lc-ms", "lcms", "lc/ms", "lcms/ms", "lc-msms", "液相色谱串联质谱", "液质联用", "质谱"),
        "hplc-uv": ("hplc", "高效液相色谱", "高效液相"),
        "cmia": ("architect", "化学发光微粒子免疫分析", "化学发光"),
        "emit": ("酶放大免疫", "酶增强免疫"),
        "meia": ("微粒子酶免疫",),
        "fpia": ("荧光偏振免疫",),
        "acmia": ("dimension",),
        "eclia": ("电化学发光",),
        "unknown": ("未知", "不详"),
    }
)
MATRICES = _named(
    {
        "whole-blood": ("whole blood", "blood", "edta", "edta whole blood", "全血"),
        "plasma": ("血浆",),
        "serum": ("血清",),
    }
)
QUANTIFICATIONS = MappingProxyType(
    {
        **dict.fromkeys(("measured", "=", "已测得"), Quantification.MEASURED),
        **dict.fromkeys(("below", "<", "blq", "<lloq", "低于定量下限"), Quantification.BELOW),
        **dict.fromkeys(("above", ">", "alq", ">uloq", "高于定量上限"), Quantification.ABOVE),
    }
)
ASKED = MappingProxyType(
    {
        **dict.fromkeys(("none", "无出血", "无"), BleedingAsked.NONE),
        **dict.fromkeys(("graded", "yes", "有出血", "有"), BleedingAsked.GRADED),
        **dict.fromkeys(("not-asked", "not asked", "未询问"), BleedingAsked.NOT_ASKED),
    }
)
ROLES = _named(
    {
        "co-medication": ("comedication", "concomitant medication", "合并用药", "联合用药"),
        "itp": ("itp therapy", "itp treatment", "itp治疗"),
        "rescue": ("挽救治疗", "急救治疗"),
        "cover": ("procedure cover", "操作前用药", "围手术期用药"),
        "unknown": ("not recorded", "未知", "不详", "未记录"),
    }
)
PROCEDURES = _named(
    {
        "splenectomy": ("脾切除", "脾切除术"),
        "surgery": ("operation", "手术"),
        "live-vaccine": ("live vaccine", "活疫苗"),
    }
)
ACTIONS = _named(
    {
        "stopped": ("drug withdrawn", "withdrawn", "discontinued", "停药", "永久停药", "停用"),
        "held": ("drug interrupted", "interrupted", "暂停", "暂停用药"),
        "reduced": ("dose reduced", "dose rate reduced", "减量"),
        "increased": ("dose increased", "加量"),
        "none": ("dose not changed", "no change", "未调整", "不变", "无"),
        "not-applicable": ("not applicable", "不适用"),
        "unknown": ("not evaluable", "not recorded", "未知", "不详", "未记录"),
    }
)
"""What was done with sirolimus because of an adverse event; another word is kept as it was written."""
SCOPES = _named({"treatment": ("治疗",), "research": ("研究", "科研")})

IDENTITY = frozenset(
    {"name", "patient_name", "full_name", "first_name", "last_name", "surname", "family_name", "given_name", "initials"}
    | {"phone", "telephone", "mobile", "email", "address", "postcode", "zip", "id_card", "national_id", "passport"}
    | {"ssn", "mrn", "medical_record_number", "insurance_number", "photo", "mother", "father", "guardian"}
    | {"姓名", "名字", "患者姓名", "病人姓名", "电话", "手机", "手机号", "地址", "住址", "邮箱", "身份证", "身份证号"}
    | {"病历号", "住院号", "门诊号", "就诊卡号", "医保号", "家属", "监护人", "联系人", "联系电话"}
)
"""Fields that tell who a person is: refused without being repeated."""

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "at": ("time", "date", "时间", "日期", "采样时间", "采血时间", "检测时间", "检验时间", "服药时间", "就诊日期"),
        "start": ("start_date", "from", "开始时间", "开始日期", "起始日期"),
        "stop": ("stop_date", "end", "end_date", "until", "停止时间", "停止日期", "结束日期", "结束时间"),
        "recorded": ("recorded_at", "记录时间"),
        "stop_recorded": ("停止记录时间",),
        "id": ("编号",),
        "replaces": ("corrects", "更正"),
        "retracted": ("retracted_at", "作废时间", "撤回时间"),
        "note": ("comment", "remark", "备注"),
        "value": ("result", "结果", "数值", "检验结果", "血药浓度", "浓度", "谷浓度", "血小板计数"),
        "unit": ("units", "单位"),
        "amount": ("dose", "剂量"),
        "assay": ("method", "检测方法", "方法"),
        "matrix": ("specimen", "标本", "样本类型"),
        "last_dose_at": ("last_dose", "上次服药时间", "末次服药时间"),
        "quantification": ("定量范围",),
        "excluded": ("排除原因",),
        "drug": ("medication", "药物", "药品", "药名", "药品名称"),
        "regimen": ("dosing", "给药方案", "用法用量", "方案"),
        "since_about": ("大约开始",),
        "form": ("formulation", "剂型"),
        "food": ("进食",),
        "status": ("状态", "服药情况"),
        "retreatment": ("再治疗",),
        "name": ("test", "analyte", "项目", "检验项目", "指标"),
        "upper_normal": ("uln", "upper_limit", "正常上限", "参考上限"),
        "lower_normal": ("lln", "lower_limit", "正常下限", "参考下限"),
        "cell": ("细胞", "细胞亚群"),
        "gate": ("phenotype", "设门", "门控"),
        "term": ("event", "事件", "不良事件"),
        "grade": ("分级", "级别"),
        "ctcae_version": ("ctcae", "ctcae版本"),
        "serious": ("严重",),
        "related": ("相关性",),
        "action": ("处理",),
        "role": ("用途",),
        "interval_h": ("间隔小时",),
        "kind": ("procedure", "类型", "操作"),
        "planned_for": ("计划时间",),
        "asked": ("出血询问",),
        "scale": ("量表",),
        "scope": ("范围",),
        "given": ("是否同意",),
        "sex": ("gender", "性别"),
        "born": ("birth_date", "date_of_birth", "出生日期"),
        "age_years": ("age", "年龄"),
        "age_at": ("年龄日期",),
        "population": ("人群",),
        "diagnosis": ("诊断",),
        "invented": ("虚构",),
        "zone": ("time_zone", "timezone", "时区"),
        "decimal_mark": ("decimal", "小数点"),
        "sirolens_chart": (),
    }
)
"""Other names of each field, for the columns of CSV."""


def words_of_a_chart() -> Iterator[str]:
    """Yield the words a chart may hold, by which its encoding is told."""
    for table in (SEXES, POPULATIONS, DIAGNOSES, FORMS, FOODS, STATUSES, ASSAYS, MATRICES, QUANTIFICATIONS, ASKED):
        yield from table
    for table in (ROLES, PROCEDURES, SCOPES, ACTIONS):
        yield from table
    for spellings in (*COLUMNS.values(), *DRUGS.values(), *(lab.spellings for lab in LABS.values())):
        yield from spellings
    yield from IDENTITY
    yield from ("每日", "隔日", "停药", "毫克", "微克", "每次", "周一", "口腔溃疡", "血小板", "高脂血症", "感染")
