# SPDX-License-Identifier: Apache-2.0
"""Which quantities a chart may hold, what is plausible for each, and how a declared value is read.

Each quantity has two windows. Outside the absolute one a value is impossible and refused. Outside the plausible one it
is a fact with a flag, unless it came there by conversion while its digits lie inside: then the unit is probably wrong
and the value is refused with the question. The windows are this project's own choice (mark ``judge``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import final

from sirolens.errors import ChartError, InputError
from sirolens.interop.numbers import LONGEST_ECHO, Number, clip, plain_width
from sirolens.message import Message, Place, error, info, warning
from sirolens.source import Mark, Source
from sirolens.units import CANONICAL, accepted_units, convert, normalise

__all__ = ["DOSE", "LABS", "LEVEL", "PLATELETS", "WINDOWS", "Measurement", "lab_name", "measure", "number_text"]

WINDOWS = Source(
    title="Windows of plausible values at the border of sirolens: a proposal, to be reviewed by each site",
    mark=Mark.JUDGE,
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A measured quantity of a chart.

    Parameters
    ----------
    name : str
        As in the chart.
    quantity : str
        Key of `sirolens.units.CANONICAL`.
    plausible, absolute : tuple of float
        Lowest and highest value, canonical unit: outside the first it is flagged, outside the second refused.
    spellings : tuple of str
        Other names, lower case.
    """

    name: str
    quantity: str
    plausible: tuple[float, float]
    absolute: tuple[float, float]
    spellings: tuple[str, ...] = ()


def _lab(
    name: str, quantity: str, plausible: tuple[float, float], absolute: tuple[float, float], *spellings: str
) -> Measurement:
    return Measurement(name=name, quantity=quantity, plausible=plausible, absolute=absolute, spellings=spellings)


LEVEL = _lab("level", "concentration", (0.5, 60.0), (0.0, 300.0))
DOSE = _lab("dose", "dose", (0.05, 40.0), (0.001, 400.0))
PLATELETS = _lab("platelets", "count", (1.0, 1500.0), (0.0, 5000.0))

LABS = MappingProxyType(
    {
        lab.name: lab
        for lab in (
            _lab("weight", "mass", (2.0, 200.0), (0.3, 500.0), "体重", "body weight", "body_weight"),
            _lab("height", "length", (40.0, 210.0), (20.0, 260.0), "身高"),
            _lab(
                "haematocrit", "haematocrit", (15.0, 65.0), (5.0, 80.0), "hematocrit", "hct", "红细胞压积", "血细胞比容"
            ),
            _lab("haemoglobin", "haemoglobin", (50.0, 210.0), (20.0, 280.0), "hemoglobin", "hb", "hgb", "血红蛋白"),
            _lab(
                "bilirubin", "bilirubin", (1.0, 500.0), (0.1, 1500.0), "tbil", "total bilirubin", "总胆红素", "胆红素"
            ),
            _lab("direct_bilirubin", "bilirubin", (0.1, 400.0), (0.0, 1200.0), "dbil", "直接胆红素"),
            _lab(
                "cholesterol", "cholesterol", (1.5, 15.0), (0.3, 50.0), "tc", "total cholesterol", "总胆固醇", "胆固醇"
            ),
            _lab("ldl_cholesterol", "cholesterol", (0.3, 12.0), (0.0, 45.0), "ldl", "ldl-c", "低密度脂蛋白胆固醇"),
            _lab("hdl_cholesterol", "cholesterol", (0.2, 5.0), (0.0, 15.0), "hdl", "hdl-c", "高密度脂蛋白胆固醇"),
            _lab("triglyceride", "triglyceride", (0.2, 20.0), (0.05, 120.0), "tg", "triglycerides", "甘油三酯"),
            _lab("glucose", "glucose", (1.5, 40.0), (0.3, 80.0), "glu", "血糖", "葡萄糖"),
            _lab("alt", "enzyme", (1.0, 3000.0), (0.0, 30000.0), "alat", "gpt", "谷丙转氨酶", "丙氨酸氨基转移酶"),
            _lab("ast", "enzyme", (1.0, 3000.0), (0.0, 30000.0), "asat", "got", "谷草转氨酶", "天门冬氨酸氨基转移酶"),
            _lab("creatinine", "creatinine", (10.0, 1500.0), (5.0, 4000.0), "cr", "scr", "crea", "肌酐", "血肌酐"),
            _lab("albumin", "protein", (10.0, 60.0), (3.0, 90.0), "alb", "白蛋白"),
            _lab("white_cells", "count", (0.2, 150.0), (0.0, 1000.0), "wbc", "leukocytes", "白细胞", "白细胞计数"),
            _lab("neutrophils", "count", (0.05, 80.0), (0.0, 600.0), "anc", "中性粒细胞", "中性粒细胞计数"),
            _lab("lymphocytes", "count", (0.05, 80.0), (0.0, 900.0), "淋巴细胞", "淋巴细胞计数"),
            _lab("urine_protein", "ratio", (0.0, 15.0), (0.0, 60.0), "upcr", "protein/creatinine", "尿蛋白肌酐比"),
            _lab("child_pugh", "score", (5.0, 15.0), (5.0, 15.0), "child-pugh", "child_pugh_score"),
            _lab("level:ciclosporin", "drug-level", (10.0, 800.0), (0.0, 5000.0), "ciclosporin_trough", "环孢素谷浓度"),
            _lab("il-6", "cytokine", (0.0, 1e4), (0.0, 1e6), "il6", "白细胞介素6"),
            _lab("il-10", "cytokine", (0.0, 1e4), (0.0, 1e6), "il10", "白细胞介素10"),
            _lab("tgf-beta", "cytokine", (0.0, 1e5), (0.0, 1e7), "tgf-b", "tgf-β", "tgfb"),
            _lab("baff", "cytokine", (0.0, 1e5), (0.0, 1e7), "blys"),
        )
    }
)
"""Laboratory values and body measures by name; what is not here is set aside with a warning."""

_LAB_BY_SPELLING = {spelling: lab.name for lab in LABS.values() for spelling in (lab.name, *lab.spellings)}

# Units written otherwise that mean the canonical one: nothing was converted, so nothing is flagged.
_SAME = frozenset({"10*9/l", "x10^9/l", "x10*9/l", "10e9/l", "10*6/l", "x10^6/l", "毫克", "percent"}) | frozenset(
    {"公斤", "千克", "厘米", "iu/l", "[iu]/l", "纳克/毫升", "points", "分"}
)
_NO_UNIT_NEEDED = frozenset({"score"})


def number_text(value: float) -> str:
    """Write a number for a message: ten digits at most, no trailing zeros.

    >>> number_text(7.0), number_text(6.582024), number_text(0.1 + 0.2)
    ('7', '6.582024', '0.3')
    """
    return f"{value:.10g}"


def lab_name(text: str) -> str | None:
    """Return the name of a laboratory value from any spelling; None when it is not known.

    >>> lab_name("HCT"), lab_name("总胆红素"), lab_name("potassium")
    ('haematocrit', 'bilirubin', None)
    """
    return _LAB_BY_SPELLING.get(" ".join(plain_width(text).lower().split()))


def measure(
    number: Number, unit: str | None, what: Measurement, *, place: Place | None = None
) -> tuple[float, tuple[Message, ...]]:
    """Bring a declared value to the canonical unit and judge it.

    Parameters
    ----------
    number : Number
        As typed; a unit typed behind the number counts as declared.
    unit : str, optional
        The unit declared beside it.
    what : Measurement
        What is measured.
    place : Place, optional
        Where it stands.

    Returns
    -------
    value : float
        In the canonical unit.
    flags : tuple of Message
        Conversions and implausible values.

    Raises
    ------
    ChartError
        No unit, an unknown one, a negative or impossible value, or a unit that is probably wrong.

    Examples
    --------
    >>> measure(Number(720.0), "ng/dL", LEVEL)[1][0].values["read_as"]
    '7.2 ng/mL'
    >>> measure(Number(7.2), "ng/dL", LEVEL)
    Traceback (most recent call last):
    sirolens.errors.ChartError: chart.unit-doubt(declared=7.2 ng/dL, quantity=concentration, read_as=0.072 ng/mL)
    """
    declared_unit = _declared_unit(number, unit, what, place)
    low, high = what.plausible
    if low <= number.value <= high and _is_canonical(declared_unit, what.quantity):
        return number.value, ()
    typed = f"{number.relation}{number_text(number.value)}"
    if number.value < 0:
        raise ChartError(error("chart.negative", place=place, value=f"{typed} {declared_unit}"))
    try:
        converted = convert(number.value, declared_unit, what.quantity, place=place)
    except InputError as fault:
        raise ChartError(*fault.messages) from None
    value, same = converted.value, _is_canonical(declared_unit, what.quantity)
    declared = f"{typed} {declared_unit}"
    read_as = f"{number.relation}{number_text(value)} {converted.unit}"
    _refuse(number.value, value, what, same=same, declared=declared, read_as=read_as, place=place)
    flags: list[Message] = []
    if not same:
        make = warning if converted.changed else info
        flags.append(make("chart.converted", place=place, declared=declared, read_as=read_as, quantity=what.quantity))
    if not low <= value <= high and not number.relation:
        window = f"{number_text(low)}-{number_text(high)} {converted.unit}"
        flags.append(warning("chart.implausible", place=place, source=WINDOWS, read_as=read_as, expected=window))
    return value, tuple(flags)


def _declared_unit(number: Number, unit: str | None, what: Measurement, place: Place | None) -> str:
    if number.unit and unit and normalise(number.unit) != normalise(unit):
        raise ChartError(error("chart.unit-twice", place=place, first=clip(number.unit), second=clip(unit)))
    declared = unit or number.unit
    if len(declared) > LONGEST_ECHO:
        declared = clip(declared)
    if declared:
        return declared
    if what.quantity in _NO_UNIT_NEEDED:
        return CANONICAL[what.quantity]
    raise ChartError(
        error(
            "chart.unit-missing",
            place=place,
            value=number_text(number.value),
            quantity=what.quantity,
            expected=CANONICAL[what.quantity],
            accepted=accepted_units(what.quantity),
        )
    )


@lru_cache(maxsize=256)  # few units repeat in every row; what somebody typed may be anything
def _is_canonical(unit: str, quantity: str) -> bool:
    plain = normalise(unit)
    if plain == normalise(CANONICAL[quantity]):
        return True
    return plain in _SAME and plain in map(normalise, accepted_units(quantity))


def _refuse(
    raw: float, value: float, what: Measurement, *, same: bool, declared: str, read_as: str, place: Place | None
) -> None:
    """Raise when the value cannot be, or when its unit is probably wrong."""
    low, high = what.plausible
    fits_unconverted = low <= raw <= high
    if what.name == "haematocrit" and same and 0 < raw <= 1:
        raise ChartError(error("chart.haematocrit-fraction", place=place, source=WINDOWS, declared=declared))
    if not same and fits_unconverted and not low <= value <= high:
        raise ChartError(
            error(
                "chart.unit-doubt",
                place=place,
                source=WINDOWS,
                declared=declared,
                read_as=read_as,
                quantity=what.quantity,
            )
        )
    least, most = what.absolute
    if not least <= value <= most:
        unit = CANONICAL[what.quantity]
        window = f"{number_text(least)}-{number_text(most)} {unit}"
        raise ChartError(error("chart.impossible", place=place, source=WINDOWS, read_as=read_as, expected=window))
