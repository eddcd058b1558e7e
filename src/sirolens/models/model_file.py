# SPDX-License-Identifier: Apache-2.0
"""Reads the TOML text of a model file into a `PopulationModel`, noting every fault with its line.

The format is described in ``docs/science/models.md``; the files of `sirolens.models.catalog` are its examples. The
formula part (structure, thetas, parameters, covariates, equations) is read in `sirolens.models.model_formulas`.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sirolens.errors import InputError
from sirolens.message import Message, Place, Severity, error, warning
from sirolens.models.locate import Path, key_lines
from sirolens.models.model_formulas import Formulas, read_formulas
from sirolens.models.population import (
    SUPPORTS,
    Cohort,
    DosingRow,
    DosingTable,
    Limit,
    OccasionEffects,
    OmegaValue,
    PopulationModel,
    Role,
    Variant,
)
from sirolens.models.residual import KIND, Residual
from sirolens.models.toml_table import Faults, Table
from sirolens.models.vocabulary import WARNINGS
from sirolens.source import Mark, Source
from sirolens.units import convert

__all__ = ["CONVERSIONS", "Reading", "read_model"]

Array = NDArray[np.float64]

CONVERSIONS: Mapping[str, str] = {
    "variance": "x",
    "variance-percent": "x / 100",
    "sd": "x^2",
    "sd-percent": "(x / 100)^2",
    "cv-percent": "log(1 + (x / 100)^2)",
    "choice": "",
}
"""How a printed number x becomes a variance of eta."""

_MARKS = tuple(mark.value for mark in Mark)
_ASSAY_CLASSES = ("chromatography", "immunoassay", "unknown")
_ROLES = tuple(role.value for role in Role)
_RESIDUAL_KEYS = {
    "additive": ("additive_ng_ml",),
    "proportional": ("proportional",),
    "combined": ("additive_ng_ml", "proportional"),
    "log": ("log_sd",),
}
#: A stored variance may differ this much from the one recomputed from the printed number: papers print three digits.
CONVERSION_TOLERANCE = 0.01


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What came out of a file: the model, unless there were errors, and every message."""

    model: PopulationModel | None
    messages: tuple[Message, ...]


def _source(root: Table) -> tuple[Source, bool]:
    table = root.table("source", required=True)
    if table is None:
        return Source(title="", mark=Mark.ASSUMED), False
    title = table.text("title", required=True)
    mark = Mark(table.text("mark", required=True, default=Mark.ASSUMED, choices=_MARKS))
    year = table.whole("year", least=1900)
    doi, pmid, url, place = (table.text(key) or None for key in ("doi", "pmid", "url", "place"))
    if not (doi or pmid or url or place):
        table.faults.wrong("models.source-untraceable", table.path, title, expected="doi, pmid, url, place")
    seen = table.flag("primary_table_seen")
    table.close()
    return Source(title=title, mark=mark, year=year, doi=doi, pmid=pmid, url=url, place=place), seen


def _cohort(root: Table) -> Cohort:
    table = root.table("cohort")
    if table is None:
        return Cohort(description="", disease="unknown", population="unknown", assay="unknown", assay_class="unknown")
    cohort = Cohort(
        description=table.text("description"),
        disease=table.text("disease", default="unknown"),
        population=table.text("population", default="unknown"),
        assay=table.text("assay", default="unknown"),
        assay_class=table.text("assay_class", default="unknown", choices=_ASSAY_CLASSES),
        subjects=table.whole("subjects", least=1),
        observations=table.whole("observations", least=1),
        sampling=table.text("sampling"),
        dosing=table.text("dosing"),
        software=table.text("software"),
    )
    table.close()
    return cohort


def _omega_values(root: Table, mark: Mark) -> tuple[OmegaValue, ...]:
    values = []
    table = root.table("random_effects")
    for name, inner in table.named() if table is not None else ():
        variance = inner.number("variance", required=True, above=0.0)
        published = inner.number("published", above=0.0)
        conversion = inner.text("conversion", default="variance", choices=tuple(CONVERSIONS))
        value = OmegaValue(
            name=name,
            variance=1.0 if variance is None else variance,
            published=published,
            conversion=conversion,
            mark=Mark(inner.text("mark", default=mark, choices=_MARKS)),
            rse_percent=inner.number("rse_percent", above=0.0),
            fixed=inner.flag("fixed"),
            note=inner.text("note"),
        )
        inner.close()
        _check_conversion(value, inner)
        values.append(value)
    return tuple(values)


def _check_conversion(value: OmegaValue, table: Table) -> None:
    if value.published is None or value.conversion == "choice":
        return
    x = value.published
    expected = {
        "variance": x,
        "variance-percent": x / 100.0,
        "sd": x**2,
        "sd-percent": (x / 100.0) ** 2,
        "cv-percent": float(np.log1p((x / 100.0) ** 2)),
    }[value.conversion]
    if abs(value.variance - expected) > CONVERSION_TOLERANCE * expected:
        table.faults.wrong(
            "models.conversion-differs", (*table.path, "variance"), value.variance, expected=f"{expected:.6g}"
        )


def _positive_definite(matrix: Array) -> bool:
    if not np.allclose(matrix, matrix.T, rtol=0.0, atol=0.0):
        return False
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def _omega(root: Table, values: tuple[OmegaValue, ...]) -> Array:
    names = [value.name for value in values]
    omega = np.diag([value.variance for value in values])
    tables = root.tables("covariances")
    for table in tables:
        between = table.texts("between", required=True, choices=names)
        covariance = table.number("covariance", required=True)
        table.text("note")
        table.text("mark", default=Mark.ASSUMED, choices=_MARKS)
        table.close()
        if len(set(between)) != 2:
            table.faults.wrong("models.wrong-type", (*table.path, "between"), list(between), expected="[eta, eta]")
        elif covariance is not None and set(between) <= set(names):
            i, j = names.index(between[0]), names.index(between[1])
            omega[i, j] = omega[j, i] = covariance
    if names and not _positive_definite(omega):
        where: Path = ("covariances", 0) if tables else ("random_effects",)
        least = float(np.linalg.eigvalsh(omega).min())
        root.faults.wrong("models.omega-not-positive-definite", where, f"{least:.6g}", expected="> 0")
    omega.setflags(write=False)
    return omega


def _occasion(root: Table, eta_names: tuple[str, ...]) -> OccasionEffects | None:
    table = root.table("occasion")
    if table is None:
        return None
    names = table.texts("etas", required=True, choices=eta_names)
    rows = table.matrix("omega", required=True)
    occasions = table.whole("occasions", required=True, least=1) or 1
    table.close()
    if len(rows) != len(names) or any(len(row) != len(names) for row in rows):
        table.faults.wrong("models.wrong-shape", (*table.path, "omega"), rows, expected=f"{len(names)} x {len(names)}")
        return None
    omega = np.array(rows)
    if not _positive_definite(omega):
        table.faults.wrong("models.omega-not-positive-definite", (*table.path, "omega"), rows, expected="> 0")
        return None
    omega.setflags(write=False)
    return OccasionEffects(eta_names=names, omega=omega, occasions=occasions)


def _residual(root: Table, mark: Mark) -> tuple[Residual, Mark, str]:
    table = root.table("residual", required=True)
    if table is None:
        return Residual(kind="additive", additive_ng_ml=1.0), mark, ""
    kind = table.text("kind", required=True, choices=tuple(KIND))
    wanted = _RESIDUAL_KEYS.get(kind, ())
    values = {key: table.number(key, required=True, above=0.0) or 1.0 for key in wanted}
    for key in ("additive_ng_ml", "proportional", "log_sd"):
        if key not in wanted and table.number(key) is not None and wanted:
            table.faults.wrong(
                "models.needless-for-kind", (*table.path, key), key, expected=", ".join(wanted), kind=kind
            )
    own_mark = Mark(table.text("mark", default=mark, choices=_MARKS))
    note = table.text("note")
    table.close()
    return Residual(kind=kind or "additive", **values), own_mark, note


def _ends(pair: tuple[float, float] | None) -> tuple[float | None, float | None]:
    if pair is None:
        return None, None
    low, high = pair
    return (low if np.isfinite(low) else None), (high if np.isfinite(high) else None)


def _limits(root: Table, covariates: tuple[str, ...]) -> tuple[Limit, ...]:
    limits = []
    table = root.table("limits")
    for fact, inner in table.named() if table is not None else ():
        facts = ("age_years", "weight_kg", *covariates)
        if fact not in facts:
            root.faults.wrong("models.not-one-of", inner.path, fact, expected=", ".join(facts), near=())
        hard_low, hard_high = _ends(inner.pair("hard", open_ended=True))
        soft_low, soft_high = _ends(inner.pair("soft", open_ended=True))
        limits.append(
            Limit(
                fact=fact,
                hard_low=hard_low,
                hard_high=hard_high,
                soft_low=soft_low,
                soft_high=soft_high,
                reason=inner.text("reason"),
            )
        )
        inner.close()
    return tuple(limits)


def _dosing_row(table: Table, facts: tuple[str, ...]) -> DosingRow:
    dose = table.number("dose", required=True, above=0.0) or 0.0
    share = table.number("in_target_percent", least=0.0)
    conditions = []
    for key in table.key_names():
        if key in facts:
            pair = table.pair(key, open_ended=True)
            if pair is not None:
                conditions.append((key, *pair))
    table.close()
    return DosingRow(conditions=tuple(conditions), dose=dose, in_target_percent=share)


def _dosing_tables(root: Table, covariates: tuple[str, ...], mark: Mark) -> tuple[DosingTable, ...]:
    facts = ("age_years", "weight_kg", *covariates)
    tables = []
    for table in root.tables("dosing_tables"):
        target = table.pair("target_ng_ml", required=True) or (0.0, 0.0)
        tables.append(
            DosingTable(
                title=table.text("title", required=True),
                target_ng_ml=target,
                unit=table.text("unit", required=True, choices=("mg/day", "mg/kg/day")),
                doses_per_day=table.whole("doses_per_day", required=True, least=1) or 1,
                rows=tuple(_dosing_row(row, facts) for row in table.tables("rows", required=True)),
                mark=Mark(table.text("mark", default=mark, choices=_MARKS)),
                note=table.text("note"),
            )
        )
        table.close()
    return tuple(tables)


def _units(root: Table) -> dict[str, str]:
    table = root.table("units", required=True)
    found = {"dose_unit": "mg", "concentration_unit": "ng/mL", "time_unit": "h"}
    if table is None:
        return found
    for key, quantity in (("dose", "dose"), ("concentration", "concentration"), ("time", "time")):
        unit = table.text(key, required=True, default=found[f"{key}_unit"])
        try:
            convert(1.0, unit, quantity)
        except InputError as refused:
            accepted = refused.messages[0].values["accepted"]
            expected = ", ".join(str(one) for one in accepted) if isinstance(accepted, tuple) else ""
            table.faults.wrong("models.unknown-unit", (*table.path, key), unit, expected=expected)
        else:
            found[f"{key}_unit"] = unit
    table.close()
    return found


def _warnings(root: Table, file: str, target: tuple[float, float] | None) -> tuple[Message, ...]:
    """A warning is a code of `vocabulary.WARNINGS`, or the author's own text."""
    low, high = target or (0.0, 0.0)
    messages = []
    for text in root.texts("warnings"):
        if text == "models.target-differs":
            messages.append(warning("models.target-differs", low_ng_ml=low, high_ng_ml=high))
        elif text in WARNINGS:
            messages.append(warning(text))
        else:
            messages.append(warning("models.own-warning", place=Place(file=file), text=text))
    return tuple(messages)


def _variant_list(root: Table) -> tuple[Variant, ...]:
    table = root.table("variants")
    variants = []
    for name, inner in table.named() if table is not None else ():
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
            root.faults.wrong("models.bad-name", inner.path, name, expected="a-z, 0-9, -")
        why = inner.text("why", required=True)
        mark = Mark(inner.text("mark", required=True, default=Mark.ASSUMED, choices=_MARKS))
        variants.append(Variant(name=name, why=why, mark=mark))
    return tuple(variants)


def _build(root: Table, file: str, digest: str, variant: str | None) -> PopulationModel:
    name = root.text("name", required=True, default="model")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        root.faults.wrong("models.bad-name", ("name",), name, expected="a-z, A-Z, 0-9, _")
    source, seen = _source(root)
    omega_values = _omega_values(root, source.mark)
    eta_names = tuple(value.name for value in omega_values)
    formulas: Formulas = read_formulas(root, eta_names, source.mark)
    covariates = tuple(covariate.name for covariate in formulas.covariates)
    residual, residual_mark, residual_note = _residual(root, source.mark)
    target = root.pair("target_ng_ml")
    model = PopulationModel(
        name=name,
        label=root.text("label", default=name),
        title=root.text("title", required=True),
        variant=variant,
        source=source,
        primary_table_seen=seen,
        structure=formulas.structure,
        saturable=formulas.saturable,
        system=formulas.system,
        thetas=formulas.thetas,
        parameters=formulas.parameters,
        covariates=formulas.covariates,
        eta_names=eta_names,
        omega=_omega(root, omega_values),
        omega_values=omega_values,
        occasion=_occasion(root, eta_names),
        residual=residual,
        residual_mark=residual_mark,
        residual_note=residual_note,
        supports=frozenset(root.texts("supports", required=True, choices=SUPPORTS)),
        limits=_limits(root, covariates),
        cohort=_cohort(root),
        target_ng_ml=target,
        levels_from_day=root.number("levels_from_day", least=0.0) or 0.0,
        default_for=root.text("default_for", choices=("adult", "child")) or None,
        role=Role(root.text("role", default=Role.USER, choices=_ROLES)),
        variants=_variant_list(root),
        dosing_tables=_dosing_tables(root, covariates, source.mark),
        warnings=_warnings(root, file, target),
        file=file,
        digest=digest,
        **_units(root),
    )
    root.close()
    return model


def _merged(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a variant's table over the file's: tables merge, everything else is replaced."""
    result = dict(base)
    for key, value in patch.items():
        below = result.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        result[key] = _merged(below, value) if both and isinstance(below, dict) else value
    return result


def _parsed(text: str, file: str) -> tuple[dict[str, Any] | None, tuple[Message, ...]]:
    if not text.strip():
        return None, (error("models.file-empty", place=Place(file=file), expected="TOML"),)
    try:
        return tomllib.loads(text), ()
    except tomllib.TOMLDecodeError as fault:
        line = re.search(r"line (\d+)", str(fault))
        place = Place(file=file, line=int(line[1]) if line else text.count("\n") + 1)
        return None, (error("models.not-toml", place=place, value=str(fault), expected="TOML"),)
    except RecursionError:
        return None, (error("models.not-toml", place=Place(file=file), value="[[[[...", expected="TOML"),)


def read_model(text: str, file: str, variant: str | None = None) -> Reading:
    """Read a model file's text.

    Parameters
    ----------
    text : str
        TOML.
    file : str
        Name for messages.
    variant : str, optional
        Which of its variants; None is the default reading.

    Returns
    -------
    Reading
        The model, or None when any message is an error; and every message.

    Examples
    --------
    >>> [str(message) for message in read_model("", "my.toml").messages]
    ['my.toml: models.file-empty(expected=TOML)']
    """
    data, messages = _parsed(text, file)
    if data is None:
        return Reading(model=None, messages=messages)
    prefix: Path = ()
    if variant is not None:
        variants = data.get("variants")
        patch = variants.get(variant) if isinstance(variants, dict) else None
        if not isinstance(patch, dict):
            known = ", ".join(variants) if isinstance(variants, dict) else ""
            wrong = error("models.unknown-variant", place=Place(file=file), value=variant, expected=known)
            return Reading(model=None, messages=(wrong,))
        data = _merged(data, {key: value for key, value in patch.items() if key not in ("why", "mark")})
        prefix = ("variants", variant)
    faults = Faults(file, key_lines(text), prefix)
    digest = hashlib.sha256(text.encode()).hexdigest()
    model = _build(Table(data, (), faults), file, digest, variant)
    failed = any(message.severity is Severity.ERROR for message in faults.messages)
    return Reading(model=None if failed else model, messages=tuple(faults.messages))
