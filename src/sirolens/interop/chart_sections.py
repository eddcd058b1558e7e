# SPDX-License-Identifier: Apache-2.0
"""The kinds of facts a chart holds: their fields, and how a row of read fields becomes a fact.

This is the one list that the JSON reader, the CSV reader, the writer, the published schema and the documented format
share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, final

from sirolens.chart import (
    AdverseEvent,
    Bleeding,
    BleedingAsked,
    CellCount,
    Consent,
    Course,
    DoseStatus,
    Fact,
    Lab,
    Level,
    PlateletCount,
    Procedure,
    Quantification,
    Therapy,
)
from sirolens.errors import ChartError
from sirolens.interop import chart_words as words
from sirolens.interop.chart_fields import (
    Quantity,
    boolean,
    choice,
    instant,
    instant_given,
    number,
    perhaps,
    quantity,
    slug,
    text,
    whole,
)
from sirolens.interop.chart_moments import TEXT, TIME, happened, lasted, lasting_fields, moment_fields
from sirolens.interop.chart_prescriptions import dose, prescription, read_prescribed, sirolimus, therapy_drug
from sirolens.interop.chart_reading import Field, Row, spelling
from sirolens.interop.instants import Precision
from sirolens.interop.json_lines import Scalar
from sirolens.interop.measurements import DOSE, LABS, LEVEL, PLATELETS, Measurement, lab_name
from sirolens.interop.numbers import clip
from sirolens.message import error, warning
from sirolens.units import CANONICAL

__all__ = ["SECTIONS", "Section", "cell_measurement", "read_row", "section_of"]

_BOOLEAN = MappingProxyType({"type": "boolean"})
_PERHAPS = MappingProxyType({"type": "boolean", "description": "Null or left out: not recorded, which is not false."})
_NUMBER = MappingProxyType({"type": ["number", "string"]})
_UNIT = Field(name="unit", read=text, form=TEXT)
_DRUG = Field(name="drug", read=sirolimus, form=TEXT, default="sirolimus")
_CELLS = Measurement(name="cells", quantity="cells", plausible=(0.0, 20_000.0), absolute=(0.0, 1e6))
_SHARE = Measurement(name="share", quantity="fraction", plausible=(0.0, 100.0), absolute=(0.0, 100.0))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One kind of fact.

    Parameters
    ----------
    name : str
        Its name in JSON, in `sirolens.chart.Chart`, and of its CSV file.
    fields : tuple of Field
        What a row may hold.
    make : callable
        Makes the fact from the read fields and the row.
    names : tuple of str
        Other names of the CSV file, lower case.
    """

    name: str
    fields: tuple[Field, ...]
    make: Callable[[Mapping[str, Any], Row], Fact]
    names: tuple[str, ...] = ()


def _words(accepted: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"type": "string", "examples": list(dict.fromkeys(str(word) for word in accepted.values()))}


def _level(values: Mapping[str, Any], row: Row) -> Level:
    moments = happened(values, row)
    value: Quantity = values["value"]
    told: Quantification | None = values["quantification"]
    by_sign = {"<": Quantification.BELOW, ">": Quantification.ABOVE}.get(value.relation)
    if told is not None and by_sign is not None and told is not by_sign:
        raise ChartError(error("chart.quantification-twice", place=row.place("quantification"), value=value.relation))
    quantification = told or by_sign or Quantification.MEASURED
    if value.value == 0:
        raise ChartError(error("chart.level-zero", place=row.place("value")))
    if values["matrix"] != "whole-blood" and values["excluded"] is None:
        raise ChartError(error("chart.matrix", place=row.place("matrix"), matrix=values["matrix"]))
    last = values["last_dose_at"]
    if last is not None and last >= moments["at"]:
        raise ChartError(
            error("chart.dose-not-before-sample", place=row.place("last_dose_at"), last_dose_at=last, at=moments["at"])
        )
    return Level(
        **moments,
        level_ng_ml=value.value,
        quantification=quantification,
        last_dose_at=last,
        matrix=values["matrix"],
        assay=values["assay"],
        excluded=values["excluded"],
    )


def _measured(found: Quantity | None, row: Row, name: str = "value") -> float:
    """Take the number of a quantity for which "less than" has no place in the chart."""
    if found is None:
        return float("nan")
    if found.relation:
        raise ChartError(error("chart.limit-not-kept", place=row.place(name), value=found.relation))
    return found.value


def _platelets(values: Mapping[str, Any], row: Row) -> PlateletCount:
    return PlateletCount(**happened(values, row), count_10e9_l=_measured(values["value"], row))


def cell_measurement(row: Row) -> Measurement:
    """Return what a row of cells measures: a share in percent, or a count."""
    unit = row.cells.get("unit")
    share = isinstance(unit, Scalar) and unit.text.strip() in ("%", "％", "percent")
    return _SHARE if share else _CELLS


def _cell_count(values: Mapping[str, Any], row: Row) -> CellCount:
    unit = CANONICAL[cell_measurement(row).quantity]
    value = _measured(values["value"], row)
    return CellCount(**happened(values, row), cell=values["cell"], value=value, unit=unit, gate=values["gate"])


def _lab_name(row: Row, name: str) -> str:
    """Read which laboratory value it is; an unknown one is asked when it is near a known one, else set aside."""
    found = text(row, name)
    known = lab_name(found)
    if known is not None:
        return known
    near = get_close_matches(found.lower(), [s for lab in LABS.values() for s in (lab.name, *lab.spellings)], n=3)
    if near:
        raise ChartError(error("chart.lab-unknown", place=row.place(name), value=clip(found), near=tuple(near)))
    row.reading.flag(warning("chart.lab-set-aside", place=row.place(name), value=clip(found)))
    raise ChartError


def _lab_of(row: Row) -> Measurement:
    cell = row.cells.get("name")
    known = lab_name(cell.text) if isinstance(cell, Scalar) else None
    if known is None:
        raise ChartError  # said where the name itself is read
    return LABS[known]


def _lab(values: Mapping[str, Any], row: Row) -> Lab:
    name: str = values["name"]
    upper, lower = (
        None if values[limit] is None else _measured(values[limit], row, limit)
        for limit in ("upper_normal", "lower_normal")
    )
    if upper is not None and lower is not None and lower >= upper:
        raise ChartError(error("chart.limits-crossed", place=row.place("lower_normal"), low=lower, high=upper))
    return Lab(
        **happened(values, row),
        name=name,
        value=_measured(values["value"], row),
        unit=CANONICAL[LABS[name].quantity],
        upper_normal=upper,
        lower_normal=lower,
    )


def _plain(kind: type[Fact], *names: str, lasting: bool = False) -> Callable[[Mapping[str, Any], Row], Fact]:
    """Make a maker for a kind of fact whose fields are taken over as they were read."""

    def make(values: Mapping[str, Any], row: Row) -> Fact:
        moments = lasted(values, row) if lasting else happened(values, row)
        return kind(**moments, **{name: values[name] for name in names})

    return make


def _procedure(values: Mapping[str, Any], row: Row) -> Procedure:
    return Procedure(**lasted(values, row), kind=values["kind"], planned_for=values["planned_for"])


def _bleeding(values: Mapping[str, Any], row: Row) -> Bleeding:
    if values["asked"] is BleedingAsked.GRADED and (values["grade"] is None or values["scale"] is None):
        name = "grade" if values["grade"] is None else "scale"
        raise ChartError(error("chart.field-missing", place=row.place(), name=name))
    return Bleeding(**happened(values, row), asked=values["asked"], grade=values["grade"], scale=values["scale"])


_SECTIONS = (
    Section(
        name="courses",
        fields=(*lasting_fields(), Field(name="retreatment", read=perhaps, form=_PERHAPS)),
        make=_plain(Course, "retreatment", lasting=True),
        names=("疗程",),
    ),
    Section(
        name="prescriptions",
        fields=(
            *lasting_fields(Precision.MONTH),
            Field(
                name="regimen",
                read=read_prescribed,
                form=MappingProxyType({"$ref": "#/$defs/regimen"}),
                required=True,
            ),
            _DRUG,
            Field(name="since_about", read=boolean, form=_BOOLEAN, default=False),
            Field(name="form", read=choice(words.FORMS), form=_words(words.FORMS), default="unknown"),
            Field(name="food", read=choice(words.FOODS), form=_words(words.FOODS), default="unknown"),
        ),
        make=prescription,
        names=("处方", "医嘱", "给药方案"),
    ),
    Section(
        name="doses",
        fields=(
            Field(name="at", read=instant_given(Precision.DAY), form=TIME, required=True),
            *moment_fields()[1:],
            Field(name="amount", read=quantity(lambda row: DOSE), form=_NUMBER),
            _UNIT,
            _DRUG,
            Field(name="status", read=choice(words.STATUSES), form=_words(words.STATUSES), default=DoseStatus.TAKEN),
            Field(name="form", read=choice(words.FORMS), form=_words(words.FORMS), default="unknown"),
            Field(name="food", read=choice(words.FOODS), form=_words(words.FOODS), default="unknown"),
        ),
        make=dose,
        names=("服药记录",),
    ),
    Section(
        name="levels",
        fields=(
            *moment_fields(),
            Field(name="value", read=quantity(lambda row: LEVEL), form=_NUMBER, required=True),
            _UNIT,
            _DRUG,
            Field(name="quantification", read=choice(words.QUANTIFICATIONS), form=_words(words.QUANTIFICATIONS)),
            Field(name="last_dose_at", read=instant(), form=TIME),
            Field(name="matrix", read=choice(words.MATRICES), form=_words(words.MATRICES), default="whole-blood"),
            Field(name="assay", read=choice(words.ASSAYS), form=_words(words.ASSAYS), default="unknown"),
            Field(name="excluded", read=text, form=TEXT),
        ),
        make=_level,
        names=("血药浓度",),
    ),
    Section(
        name="platelet_counts",
        fields=(
            *moment_fields("at", Precision.DAY),
            Field(name="value", read=quantity(lambda row: PLATELETS), form=_NUMBER, required=True),
            _UNIT,
        ),
        make=_platelets,
        names=("platelets", "血小板", "血小板计数"),
    ),
    Section(
        name="cell_counts",
        fields=(
            *moment_fields("at", Precision.DAY),
            Field(name="cell", read=slug({}), form=TEXT, required=True),
            Field(name="value", read=quantity(cell_measurement), form=_NUMBER, required=True),
            _UNIT,
            Field(name="gate", read=text, form=TEXT, required=True),
        ),
        make=_cell_count,
        names=("细胞亚群",),
    ),
    Section(
        name="labs",
        fields=(
            *moment_fields("at", Precision.DAY),
            Field(name="name", read=_lab_name, form={"type": "string", "examples": list(LABS)}, required=True),
            Field(name="value", read=quantity(_lab_of), form=_NUMBER, required=True),
            _UNIT,
            Field(name="upper_normal", read=quantity(_lab_of), form=_NUMBER),
            Field(name="lower_normal", read=quantity(_lab_of), form=_NUMBER),
        ),
        make=_lab,
        names=("检验", "化验"),
    ),
    Section(
        name="adverse_events",
        fields=(
            *lasting_fields(),
            Field(name="term", read=slug({}), form=TEXT, required=True),
            Field(name="grade", read=whole(1, 5), form=_NUMBER),
            Field(name="ctcae_version", read=text, form=TEXT),
            Field(name="serious", read=perhaps, form=_PERHAPS),
            Field(name="related", read=perhaps, form=_PERHAPS),
            Field(name="action", read=slug(words.ACTIONS), form=_words(words.ACTIONS), default="unknown"),
        ),
        make=_plain(AdverseEvent, "term", "grade", "ctcae_version", "serious", "related", "action", lasting=True),
        names=("不良事件",),
    ),
    Section(
        name="therapies",
        fields=(
            *lasting_fields(Precision.MONTH),
            Field(name="drug", read=therapy_drug, form=TEXT, required=True),
            Field(name="role", read=choice(words.ROLES), form=_words(words.ROLES), default="unknown"),
            Field(name="amount", read=number(0.0, 1e6), form=_NUMBER),
            _UNIT,
            Field(name="interval_h", read=number(0.1, 10_000.0), form=_NUMBER),
        ),
        make=_plain(Therapy, "drug", "role", "amount", "unit", "interval_h", lasting=True),
        names=("其他用药", "合并用药"),
    ),
    Section(
        name="procedures",
        fields=(
            *lasting_fields(),
            Field(name="kind", read=slug(words.PROCEDURES), form=_words(words.PROCEDURES), required=True),
            Field(name="planned_for", read=instant(Precision.DAY), form=TIME),
        ),
        make=_procedure,
        names=("操作", "手术"),
    ),
    Section(
        name="bleedings",
        fields=(
            *moment_fields("at", Precision.DAY),
            Field(name="asked", read=choice(words.ASKED), form=_words(words.ASKED), required=True),
            Field(name="grade", read=whole(0, 10), form=_NUMBER),
            Field(name="scale", read=text, form=TEXT),
        ),
        make=_bleeding,
        names=("出血",),
    ),
    Section(
        name="consents",
        fields=(
            *lasting_fields(),
            Field(name="scope", read=choice(words.SCOPES), form=_words(words.SCOPES), required=True),
            Field(name="given", read=boolean, form=_BOOLEAN, required=True),
        ),
        make=_plain(Consent, "scope", "given", lasting=True),
        names=("知情同意",),
    ),
)

SECTIONS: Mapping[str, Section] = MappingProxyType({section.name: section for section in _SECTIONS})
"""Every kind of fact by name, in the order of a chart."""


def read_row(section: Section, row: Row) -> Fact | None:
    """Read one row into a fact; None when it has faults, which are noted in the row's reading.

    Parameters
    ----------
    section : Section
        What kind of fact it is.
    row : Row
        Its cells.

    Returns
    -------
    Fact or None
    """
    values: dict[str, Any] = {}
    sound = True
    for field in section.fields:
        if field.name not in row.cells:
            values[field.name] = field.default
            if field.required:
                sound = False
                row.reading.fault(error("chart.field-missing", place=row.place(), name=field.name))
            continue
        try:
            values[field.name] = field.read(row, field.name)
        except ChartError as fault:
            sound = False
            row.reading.fault(*row.placed(fault.messages, field.name))
    if sound:
        try:
            return section.make(values, row)
        except ChartError as fault:
            row.reading.fault(*fault.messages)
    row.reading.incomplete.add(section.name)
    return None


def section_of(name: str) -> Section | None:
    """Return the kind of fact a list or a file is named for, under any of its names.

    >>> section_of("血药浓度").name
    'levels'
    """
    plain = spelling(name)
    return next((section for section in _SECTIONS if plain == section.name or plain in section.names), None)
