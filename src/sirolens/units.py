# SPDX-License-Identifier: Apache-2.0
"""The canonical units of sirolens and the only conversions into them.

Inside sirolens a quantity has one unit, and its name ends in it: mg, h, L, ng/mL, 10^9/L. A border (a file, a
form, a message from another system) calls `convert`; nothing else converts. Spellings follow UCUM, with the
spellings people type accepted beside it. What cannot be converted is refused with the list of what can.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from types import MappingProxyType

from sirolens.errors import InputError
from sirolens.message import Place, error
from sirolens.source import Mark, Source, Sourced

__all__ = ["CANONICAL", "MOLAR_MASS_G_MOL", "Converted", "accepted_units", "convert", "normalise"]

MOLAR_MASS_G_MOL = MappingProxyType(
    {
        "sirolimus": Sourced(
            value=914.17,
            unit="g/mol",
            source=Source(
                title="Physiologically based pharmacokinetic model of rapamycin (SBML parameter Mr_rap, 914.1719)",
                mark=Mark.SEEN,
                year=2025,
                doi="10.5281/zenodo.17091694",
            ),
        ),
        "bilirubin": Sourced(value=584.67, unit="g/mol", source=Source(title="Formula C33H36N4O6", mark=Mark.DERIVED)),
        "cholesterol": Sourced(value=386.66, unit="g/mol", source=Source(title="Formula C27H46O", mark=Mark.DERIVED)),
        "creatinine": Sourced(value=113.12, unit="g/mol", source=Source(title="Formula C4H7N3O", mark=Mark.DERIVED)),
        "glucose": Sourced(value=180.16, unit="g/mol", source=Source(title="Formula C6H12O6", mark=Mark.DERIVED)),
        "triglyceride": Sourced(
            value=885.4, unit="g/mol", source=Source(title="Triolein, formula C57H104O6", mark=Mark.DERIVED)
        ),
    }
)

_SIROLIMUS = MOLAR_MASS_G_MOL["sirolimus"].value
_BILIRUBIN = MOLAR_MASS_G_MOL["bilirubin"].value
_CHOLESTEROL = MOLAR_MASS_G_MOL["cholesterol"].value
_CREATININE = MOLAR_MASS_G_MOL["creatinine"].value
_GLUCOSE = MOLAR_MASS_G_MOL["glucose"].value
_TRIGLYCERIDE = MOLAR_MASS_G_MOL["triglyceride"].value

# quantity -> canonical unit, then each accepted spelling (after `normalise`) with its factor into it
_TABLE: dict[str, tuple[str, dict[str, float]]] = {
    "dose": ("mg", {"mg": 1.0, "mcg": 1e-3, "ug": 1e-3, "g": 1e3, "毫克": 1.0, "微克": 1e-3}),
    "concentration": (
        "ng/mL",
        {
            "ng/ml": 1.0,
            "ug/l": 1.0,
            "mcg/l": 1.0,
            "ng/dl": 0.01,
            "ug/ml": 1e3,
            "mcg/ml": 1e3,
            "ug/dl": 10.0,
            "mcg/dl": 10.0,
            "mg/l": 1e3,
            "pg/ml": 1e-3,
            "ng/l": 1e-3,
            "nmol/l": _SIROLIMUS / 1e3,
            "umol/l": _SIROLIMUS,
            "纳克/毫升": 1.0,
            "微克/升": 1.0,
        },
    ),
    "count": (
        "10^9/L",
        {
            "10^9/l": 1.0,
            "10*9/l": 1.0,
            "x10^9/l": 1.0,
            "x10*9/l": 1.0,
            "10e9/l": 1.0,
            "g/l": 1.0,
            "10^3/ul": 1.0,
            "10*3/ul": 1.0,
            "x10^3/ul": 1.0,
            "k/ul": 1.0,
            "10*4/ul": 10.0,
            "10^4/ul": 10.0,
            "x10^4/ul": 10.0,
            "万/ul": 10.0,
            "万/mm3": 10.0,
            "万/mm^3": 10.0,
            "/ul": 1e-3,
            "cells/ul": 1e-3,
            "{cells}/ul": 1e-3,
            "个/ul": 1e-3,
            "/mm3": 1e-3,
            "/mm^3": 1e-3,
            "10*6/l": 1e-3,
            "10^6/l": 1e-3,
            "x10^6/l": 1e-3,
        },
    ),
    "cells": (
        "10^6/L",
        {
            "10^6/l": 1.0,
            "10*6/l": 1.0,
            "x10^6/l": 1.0,
            "/ul": 1.0,
            "cells/ul": 1.0,
            "{cells}/ul": 1.0,
            "个/ul": 1.0,
            "/mm3": 1.0,
            "/mm^3": 1.0,
            "10^9/l": 1e3,
            "10*9/l": 1e3,
            "x10^9/l": 1e3,
        },
    ),
    "mass": (
        "kg",
        {
            "kg": 1.0,
            "g": 1e-3,
            "lb": 0.45359237,
            "[lb_av]": 0.45359237,
            "lbs": 0.45359237,
            "pounds": 0.45359237,
            "公斤": 1.0,
            "千克": 1.0,
            "斤": 0.5,
        },
    ),
    "length": ("cm", {"cm": 1.0, "m": 100.0, "mm": 0.1, "in": 2.54, "[in_i]": 2.54, "厘米": 1.0, "米": 100.0}),
    "time": ("h", {"h": 1.0, "hr": 1.0, "min": 1 / 60, "d": 24.0, "day": 24.0, "days": 24.0, "wk": 168.0}),
    "age": ("a", {"a": 1.0, "y": 1.0, "year": 1.0, "years": 1.0, "mo": 1 / 12, "month": 1 / 12, "months": 1 / 12}),
    "haematocrit": ("%", {"%": 1.0, "percent": 1.0, "l/l": 100.0}),
    "fraction": ("%", {"%": 1.0, "percent": 1.0}),
    "haemoglobin": ("g/L", {"g/l": 1.0, "g/dl": 10.0}),
    "protein": ("g/L", {"g/l": 1.0, "g/dl": 10.0}),
    "enzyme": ("U/L", {"u/l": 1.0, "iu/l": 1.0, "[iu]/l": 1.0}),
    "bilirubin": ("umol/L", {"umol/l": 1.0, "mg/dl": 1e4 / _BILIRUBIN}),
    "creatinine": ("umol/L", {"umol/l": 1.0, "mg/dl": 1e4 / _CREATININE}),
    "cholesterol": ("mmol/L", {"mmol/l": 1.0, "mg/dl": 10 / _CHOLESTEROL}),
    "triglyceride": ("mmol/L", {"mmol/l": 1.0, "mg/dl": 10 / _TRIGLYCERIDE}),
    "glucose": ("mmol/L", {"mmol/l": 1.0, "mg/dl": 10 / _GLUCOSE}),
    "ratio": ("mg/mg", {"mg/mg": 1.0, "g/g": 1.0, "mg/g": 1e-3, "mg/mmol": 1 / _CREATININE}),
    # Of a drug other than sirolimus, whose molar mass is not known here.
    "drug-level": ("ng/mL", {"ng/ml": 1.0, "ug/l": 1.0, "mcg/l": 1.0, "mg/l": 1e3, "ug/ml": 1e3, "mcg/ml": 1e3}),
    "score": ("1", {"1": 1.0, "points": 1.0, "分": 1.0}),
    "cytokine": ("pg/mL", {"pg/ml": 1.0, "ng/ml": 1e3, "ng/l": 1.0}),
}

CANONICAL = MappingProxyType({quantity: unit for quantity, (unit, _) in _TABLE.items()})
"""The unit each quantity has inside sirolens."""


_LITRES = re.compile(r"(?<![a-z])([mdu]?)l(?![a-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A value in the canonical unit beside what was declared.

    Parameters
    ----------
    value : float
        The value in the canonical unit of its quantity.
    unit : str
        That unit.
    declared_value : float
        The number as it was written.
    declared_unit : str
        The unit as it was written.
    """

    value: float
    unit: str
    declared_value: float
    declared_unit: str

    @property
    def changed(self) -> bool:
        """Whether the number differs from what was written: then a flag shows both."""
        return self.value != self.declared_value


def normalise(unit: str) -> str:
    """Bring a typed unit to the spelling the tables use.

    Full-width characters become plain ones, both micro signs become ``u``, superscripts become ``^n``, case and
    spaces go.

    >>> normalise(" µg／L "), normalise("×10⁹/L")
    ('ug/l', 'x10^9/l')
    """
    # Superscripts go first, since NFKC would make 10⁹ into 109; micro signs last, since NFKC makes ㎍ into μg.
    text = unit.translate({ord("⁹"): "^9", ord("³"): "^3", ord("⁴"): "^4", ord("⁶"): "^6", ord("×"): "x"})
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    return plain.replace("µ", "u").replace("μ", "u").lower()


def accepted_units(quantity: str) -> tuple[str, ...]:
    """List the spellings accepted for a quantity, as they are usually written; case does not matter.

    >>> accepted_units("haematocrit")
    ('%', 'percent', 'L/L')
    """
    return tuple(_LITRES.sub(lambda litre: f"{litre[1]}L", spelling) for spelling in _TABLE[quantity][1])


def convert(value: float, unit: str, quantity: str, *, place: Place | None = None) -> Converted:
    """Convert a declared value into the canonical unit of its quantity.

    Parameters
    ----------
    value : float
        The number as written.
    unit : str
        The unit as written.
    quantity : str
        What is measured: a key of `CANONICAL`.
    place : Place, optional
        Where it stands, for the error.

    Raises
    ------
    InputError
        ``units.unknown`` when the unit is none of the quantity's.

    Examples
    --------
    >>> convert(7.66, "nmol/L", "concentration").value
    7.0025...
    """
    canonical, factors = _TABLE[quantity]
    factor = factors.get(normalise(unit))
    if factor is None:
        raise InputError(
            error(
                "units.unknown",
                place=place,
                value=value,
                unit=unit,
                quantity=quantity,
                accepted=accepted_units(quantity),
            )
        )
    return Converted(value=value * factor, unit=canonical, declared_value=value, declared_unit=unit)
