# SPDX-License-Identifier: Apache-2.0
"""How every dose, level, probability and date is written, once, for both languages.

The name of a value ends in its unit (``dose_mg``, ``level_ng_ml``, ``in_target_probability``), and the ending decides
how it is written. Doses follow the rules for safe prescribing: no trailing zero ("2 mg"), never a naked decimal point
("0.5 mg"). Levels have three significant digits; probabilities are whole percents that never claim certainty.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from zoneinfo import ZoneInfo

from sirolens.report.catalogue import template

__all__ = ["Unit", "bare_number", "format_date", "format_probability", "format_value", "unit_of", "unit_text"]

AS_TYPED = frozenset({"value", "declared_value", "raw_value", "raw"})  # echoes of what somebody wrote: never rounded


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text.replace("-", "\N{MINUS SIGN}")


def _fixed(value: float, places: int) -> str:
    """Round half up to a number of decimal places, without trailing zeros."""
    step = Decimal(1).scaleb(-places)
    return _plain(Decimal(repr(float(value))).quantize(step, rounding=ROUND_HALF_UP))


def _significant(value: float, digits: int) -> str:
    """Round half up to significant digits, without exponent and trailing zeros; whole numbers keep their digits."""
    if value == 0:
        return "0"
    number = Decimal(repr(float(value)))
    places = max(0, digits - 1 - number.adjusted())
    return _plain(number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))


def _dose(value: float) -> str:
    return _significant(value, 2) if 0 < abs(value) < 0.1 else _fixed(value, 2)


def _level(value: float) -> str:
    return _significant(value, 3)


def _whole(value: float) -> str:
    return _fixed(value, 0)


def _tenths(value: float) -> str:
    return _fixed(value, 1)


def _hundredths(value: float) -> str:
    return _fixed(value, 2)


def format_probability(value: float, language: str) -> str:
    """Write a probability as a whole percent that never claims certainty.

    >>> format_probability(0.834, "en"), format_probability(0.9999, "en"), format_probability(0.0, "zh")
    ('83 %', '>99 %', '<1%')
    """
    percent = UNITS["percent"]
    if math.isnan(value):
        return template("common.not-available", language) or "-"
    if value < 0.01:
        return percent.joined("<1", language)
    if value > 0.99:
        return percent.joined(">99", language)
    return percent.joined(_whole(100 * value), language)


def format_date(value: date, language: str, zone: str | None = None) -> str:
    """Write a day, or an instant with its clock time in the clinic's zone.

    >>> format_date(date(2026, 9, 1), "en"), format_date(date(2026, 9, 1), "zh")
    ('1 Sep 2026', '2026年9月1日')
    >>> from datetime import UTC
    >>> format_date(datetime(2026, 9, 1, 0, 30, tzinfo=UTC), "en", "Asia/Shanghai")
    '1 Sep 2026, 08:30'
    """
    day = template("common.date", language) or "{year}-{month}-{day}"
    month = template(f"common.month-{value.month}", language) or str(value.month)
    if not isinstance(value, datetime):
        return day.format(year=value.year, month=month, day=value.day)
    if value.tzinfo is not None and zone is not None:
        value = value.astimezone(ZoneInfo(zone))
    text = f"{format_date(value.date(), language)}{template('common.date-clock', language) or ' '}{value:%H:%M}"
    return f"{text} UTC" if zone is None and value.tzname() == "UTC" else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """How values whose names share an ending are written.

    Parameters
    ----------
    code : str
        Code of the text that joins number and unit, such as ``"{number} mg"``.
    number : callable
        Writes the bare number.
    """

    code: str
    number: Callable[[float], str] = _level

    def joined(self, text: str, language: str) -> str:
        """Put the unit beside a number already written."""
        singular = template(f"{self.code}-one", language) if text == "1" else None
        return (singular or template(self.code, language) or "{number}").replace("{number}", text)


# Ending of the name -> unit; the longest ending counts, so that `_l_h` is not `_h`.
UNITS = MappingProxyType(
    {
        "mg": Unit(code="common.unit-mg", number=_dose),
        "mcg": Unit(code="common.unit-mcg", number=_dose),
        "mg_h": Unit(code="common.unit-mg-h", number=_dose),
        "mg_d": Unit(code="common.unit-daily-mg", number=_dose),
        "daily_mg": Unit(code="common.unit-daily-mg", number=_dose),
        "mg_kg": Unit(code="common.unit-mg-kg"),
        "mg_m2": Unit(code="common.unit-mg-m2", number=_dose),
        "ng_ml": Unit(code="common.unit-ng-ml"),
        "ng_ml_per_mg": Unit(code="common.unit-ng-ml-per-mg"),
        "ng_h_ml": Unit(code="common.unit-ng-h-ml"),
        "pg_ml": Unit(code="common.unit-pg-ml"),
        "kg": Unit(code="common.unit-kg", number=_tenths),
        "cm": Unit(code="common.unit-cm", number=_tenths),
        "m2": Unit(code="common.unit-m2"),
        "kg_m2": Unit(code="common.unit-kg-m2", number=_tenths),
        "ml": Unit(code="common.unit-ml"),
        "l": Unit(code="common.unit-l"),
        "l_h": Unit(code="common.unit-l-h"),
        "per_h": Unit(code="common.unit-per-h"),
        "10e9_l": Unit(code="common.unit-10e9-l"),
        "10e6_l": Unit(code="common.unit-10e6-l"),
        "g_l": Unit(code="common.unit-g-l"),
        "u_l": Unit(code="common.unit-u-l"),
        "umol_l": Unit(code="common.unit-umol-l"),
        "mmol_l": Unit(code="common.unit-mmol-l"),
        "mg_mg": Unit(code="common.unit-mg-mg"),
        "g_mol": Unit(code="common.unit-g-mol", number=_tenths),
        "h": Unit(code="common.unit-h", number=_tenths),
        "min": Unit(code="common.unit-min"),
        "d": Unit(code="common.unit-days", number=_tenths),
        "days": Unit(code="common.unit-days", number=_tenths),
        "weeks": Unit(code="common.unit-weeks", number=_tenths),
        "months": Unit(code="common.unit-months", number=_tenths),
        "years": Unit(code="common.unit-years", number=_tenths),
        "age_years": Unit(code="common.unit-age-years", number=_tenths),
        "percent": Unit(code="common.unit-percent"),
        "fold": Unit(code="common.unit-fold"),
        "sd": Unit(code="common.unit-sd", number=_hundredths),
        "ms": Unit(code="common.unit-ms"),
    }
)
NAMES_OF_THEIR_OWN = frozenset({"days", "weeks", "months", "years", "percent"})


def unit_of(name: str) -> Unit | None:
    """Find the unit a value's name ends in, or None.

    >>> unit_of("trough_ng_ml").code, unit_of("cl_l_h").code, unit_of("drug")
    ('common.unit-ng-ml', 'common.unit-l-h', None)
    """
    parts = name.split("_")
    for first in range(len(parts)):
        unit = UNITS.get("_".join(parts[first:]))
        if unit is not None and (len(parts) > 1 or name in NAMES_OF_THEIR_OWN):
            return unit
    return None


def unit_text(name: str, language: str) -> str:
    """Write the unit for a column's head; empty where the name has none.

    >>> unit_text("count_10e9_l", "zh")
    '×10⁹/L'
    """
    unit = unit_of(name)
    return "" if unit is None else " ".join(unit.joined("", language).strip(" -").split())


def _is_change(name: str) -> bool:
    return name.startswith("change_") or "_change_" in name or name == "change"


def bare_number(name: str, value: float, language: str) -> str:
    """Write a number as its name asks, without its unit.

    >>> bare_number("trough_ng_ml", 7.2041, "en"), bare_number("change_mg", 0.5, "en")
    ('7.2', '+0.5')
    """
    if not math.isfinite(value):
        return template("common.not-available", language) or "-"
    if name.endswith("probability"):
        return format_probability(value, language)
    unit = unit_of(name)
    if name in AS_TYPED:
        return _plain(Decimal(repr(value)))
    if isinstance(value, int) and unit is None:
        text = _plain(Decimal(value))
    elif unit is None:
        text = _significant(value, 4)
    else:
        text = unit.number(value)
    return f"+{text}" if _is_change(name) and value > 0 and text != "0" else text


def format_value(
    name: str, value: str | int | float | bool | date | datetime | None, language: str, zone: str | None = None
) -> str:
    """Write one value with its unit.

    Parameters
    ----------
    name : str
        Name of the value; its ending is the unit.
    value : str, number, bool, date, datetime or None
        The value, in that unit.
    language : {"en", "zh"}
        The language.
    zone : str, optional
        The clinic's time zone, an IANA name; instants are written in it.

    Examples
    --------
    >>> format_value("dose_mg", 2.0, "en"), format_value("dose_mg", 0.5, "zh")
    ('2 mg', '0.5 mg')
    >>> format_value("count_10e9_l", 36.0, "en"), format_value("age_years", 1, "en")
    ('36 ×10⁹/L', '1 year')
    >>> format_value("ratio_fold", 4.0, "en"), format_value("ratio_fold", 4.0, "zh")
    ('4-fold', '4 倍')
    """
    if value is None:
        return template("common.not-stated", language) or "-"
    if isinstance(value, bool):
        return template("common.yes" if value else "common.no", language) or str(value)
    if isinstance(value, date):
        return format_date(value, language, zone)
    if isinstance(value, str):
        return value
    text = bare_number(name, value, language)
    unit = unit_of(name)
    if unit is None or not math.isfinite(value) or name.endswith("probability"):
        return text
    return unit.joined(text, language)
