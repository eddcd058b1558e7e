# SPDX-License-Identifier: Apache-2.0
"""Reads the TOML text of a trial recipe into a `Recipe`, noting every fault with its line.

Strict on purpose: a key that is not known, a number without its unit and a visit that cannot take place are faults,
never guesses. The format is described in ``docs/trial.md``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, final

from sirolens.errors import InputError
from sirolens.message import Message, Place, Severity, error
from sirolens.models.locate import key_lines
from sirolens.models.toml_table import Faults, Table
from sirolens.models.toml_text import toml_text
from sirolens.source import Mark, Source
from sirolens.study.trial.recipe_arms import read_arms
from sirolens.study.trial.recipe_checks import check_recipe
from sirolens.study.trial.recipe_design import (
    GROUPS,
    OUTCOMES,
    Cells,
    Entry,
    Group,
    Look,
    Measurement,
    Primary,
    Recipe,
    Response,
    VisitPlan,
)
from sirolens.study.trial.recipe_quantities import coefficient_of_variation, days, quantity, share

__all__ = ["MOST_DAYS", "RecipeReading", "read_recipe", "read_recipe_file"]

LARGEST_FILE_BYTES = 200_000
"""No recipe is this large; a data file given by mistake is."""
MOST_DAYS = 3650
"""Ten years; a longer trial is a typing slip."""
MOST_PATIENTS = 10_000_000
MARKS = tuple(mark.value for mark in Mark)
FORMS = ("tablet", "solution")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeReading:
    """What came out of a recipe file: the recipe, unless there were errors, and every message."""

    recipe: Recipe | None
    messages: tuple[Message, ...]


def _source(root: Table) -> Source:
    table = root.table("source", required=True)
    if table is None:
        return Source(title="", mark=Mark.ASSUMED)
    title = table.text("title", required=True)
    mark = Mark(table.text("mark", required=True, default=Mark.ASSUMED, choices=MARKS))
    doi, pmid, url, place = (table.text(key) or None for key in ("doi", "pmid", "url", "place"))
    year = table.whole("year", least=1900)
    table.close()
    return Source(title=title, mark=mark, year=year, doi=doi, pmid=pmid, url=url, place=place)


def _group(table: Table, name: str) -> Group:
    group = Group(
        name=name,
        pk=table.text("pk", required=True),
        form=table.text("form", default="tablet", choices=FORMS) or "tablet",
    )
    table.close()
    return group


def _population(root: Table) -> dict[str, Any]:
    table = root.table("population", required=True)
    if table is None:
        return {"population": "", "variants": (), "flares_per_year": 0.0, "groups": (), "children_fraction": 0.0}
    inner = [(group, table.table(group)) for group in GROUPS]
    found = {
        "population": table.text("recipe", required=True),
        "variants": table.texts("variants"),
        "flares_per_year": table.number("flares_per_year", least=0.0) or 0.0,
        "groups": tuple(_group(told, group) for group, told in inner if told is not None),
        "children_fraction": share(table, "children_percent"),
    }
    table.close()
    return found


def _entry(root: Table) -> Entry:
    table = root.table("entry", required=True)
    if table is None:
        return Entry(count_from_10e9_l=0.0, count_below_10e9_l=0.0, age_years=(0.0, 0.0))
    low = quantity(table, "count_from", "count") or 0.0
    high = quantity(table, "count_below", "count", required=True)
    ages = table.pair("age_years") or (0.0, 120.0)
    table.close()
    return Entry(count_from_10e9_l=low, count_below_10e9_l=0.0 if high is None else high, age_years=ages)


def _measurement(root: Table) -> Measurement:
    table = root.table("measurement", required=True)
    if table is None:
        return Measurement(count_log_sd=0.0, level_log_sd=None, cells_log_sd=0.0)
    for key in ("count_cv_percent",):
        if key not in table:
            table.faults.wrong("models.key-missing", (*table.path, key), key, expected=">= 0")
    found = Measurement(
        count_log_sd=coefficient_of_variation(table, "count_cv_percent") or 0.0,
        level_log_sd=coefficient_of_variation(table, "level_cv_percent"),
        cells_log_sd=coefficient_of_variation(table, "cells_cv_percent") or 0.0,
    )
    table.close()
    return found


def _visits(root: Table, data: Mapping[str, Any], last: int) -> VisitPlan:
    table = root.table("visits", required=True)
    if table is None:
        return VisitPlan(days=(), window_d=0, missed_fraction=0, dropped_per_year=0, missed_dose_fraction=0)
    rate = table.number("dropped_per_year", least=0.0)
    found = VisitPlan(
        days=days(table, "days", data, required=True, most=last),
        window_d=table.whole("window_d") or 0,
        missed_fraction=share(table, "missed_percent", most=99.0),
        dropped_per_year=0.0 if rate is None else rate,
        missed_dose_fraction=share(table, "missed_doses_percent", most=99.0),
    )
    table.close()
    return found


def _response(root: Table, data: Mapping[str, Any], last: int) -> Response:
    table = root.table("response", required=True)
    if table is None:
        return Response(criteria="", landmarks_d=())
    found = Response(
        criteria=table.text("criteria", required=True),
        landmarks_d=days(table, "landmarks_d", data, required=True, most=last),
    )
    table.close()
    return found


def _primary(root: Table) -> Primary:
    table = root.table("primary", required=True)
    if table is None:
        return Primary(outcome="overall", day=0, above=None, compare=(), alpha=0.05, interval_level=0.95)
    above = share(table, "above_percent", -1.0) if "above_percent" in table else None
    alpha, level = table.number("alpha", above=0.0), share(table, "interval_percent", 0.95)
    found = Primary(
        outcome=table.text("outcome", required=True, default="overall", choices=OUTCOMES),
        day=table.whole("day", required=True, least=1) or 0,
        above=above,
        compare=table.texts("compare"),
        alpha=0.05 if alpha is None else alpha,
        interval_level=level,
    )
    if not 0.0 < found.alpha < 0.5:
        table.faults.wrong("models.out-of-range", (*table.path, "alpha"), found.alpha, expected="0-0.5")
    if not 0.0 < level < 1.0:
        table.faults.wrong("models.out-of-range", (*table.path, "interval_percent"), 100 * level, expected="0-100")
    table.close()
    return found


def _looks(root: Table) -> tuple[Look, ...]:
    looks = []
    for table in root.tables("looks"):
        after = table.whole("after_patients", required=True, least=1)
        stop, success = table.whole("stop_at_most"), table.whole("success_at_least")
        table.close()
        looks.append(Look(after_patients=after or 0, stop_at_most=stop, success_at_least=success))
    return tuple(looks)


def _cells(root: Table, data: Mapping[str, Any], last: int) -> Cells | None:
    table = root.table("cells")
    if table is None:
        return None
    when = days(table, "days", data, required=True, most=last)
    controls = table.whole("controls") or 0
    alpha = table.number("alpha", above=0.0)
    table.close()
    return Cells(days=when, controls=controls, alpha=0.05 if alpha is None else alpha)


def read_recipe(text: str, file: str) -> RecipeReading:
    """Read the text of a recipe.

    Parameters
    ----------
    text : str
        TOML.
    file : str
        Name for messages.

    Returns
    -------
    RecipeReading
        The recipe, or None when any message is an error; and every message.

    Examples
    --------
    >>> [str(message) for message in read_recipe("", "my.toml").messages]
    ['my.toml: models.file-empty(expected=TOML)']
    """
    if not text.strip():
        empty = error("models.file-empty", place=Place(file=file), expected="TOML")
        return RecipeReading(recipe=None, messages=(empty,))
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        line = re.search(r"line (\d+)", str(fault))
        place = Place(file=file, line=int(line[1]) if line else text.count("\n") + 1)
        shown = str(fault) if isinstance(fault, tomllib.TOMLDecodeError) else "[[[[..."
        return RecipeReading(
            recipe=None, messages=(error("models.not-toml", place=place, value=shown, expected="TOML"),)
        )
    faults = Faults(file, key_lines(text))
    recipe = _recipe(Table(data, (), faults), data, file, sha256(text.encode()).hexdigest())
    if not faults.messages:
        check_recipe(recipe, faults)
    wrong = any(message.severity is Severity.ERROR for message in faults.messages)
    return RecipeReading(recipe=None if wrong else recipe, messages=tuple(faults.messages))


def _recipe(root: Table, data: Mapping[str, Any], file: str, digest: str) -> Recipe:
    name = root.text("name", required=True, default="trial")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        root.faults.wrong("models.bad-name", ("name",), name, expected="a-z, 0-9, -")
    last = root.whole("days", required=True, least=1) or MOST_DAYS
    if last > MOST_DAYS:
        root.faults.wrong("models.out-of-range", ("days",), last, expected=f"<= {MOST_DAYS}")
    patients, replicates = (root.whole(key, required=True, least=1) or 1 for key in ("patients", "replicates"))
    if patients * replicates > MOST_PATIENTS:
        root.faults.wrong(
            "models.out-of-range", ("replicates",), replicates, expected=f"<= {MOST_PATIENTS // patients}"
        )
    recipe = Recipe(
        name=name,
        version=root.text("version", required=True),
        title=root.text("title", required=True),
        title_zh=root.text("title_zh"),
        notes=root.texts("notes"),
        notes_zh=root.texts("notes_zh"),
        source=_source(root),
        seed=root.whole("seed", required=True) or 0,
        patients=patients,
        replicates=replicates,
        days=last,
        **_population(root),
        same_patients=root.flag("same_patients"),
        entry=_entry(root),
        measurement=_measurement(root),
        visits=_visits(root, data, last),
        response=_response(root, data, last),
        primary=_primary(root),
        looks=_looks(root),
        arms=read_arms(root, data, last),
        cells=_cells(root, data, last),
        null_run=root.flag("null_run"),
        published=root.texts("published"),
        file=file,
        digest=digest,
    )
    root.close()
    return recipe


def read_recipe_file(path: str | Path) -> RecipeReading:
    """Read a recipe file.

    Parameters
    ----------
    path : str or Path
        The file.

    Examples
    --------
    >>> [one.code for one in read_recipe_file("/no/such/file.toml").messages]
    ['models.file-unreadable']
    """
    try:
        text = toml_text(path, most_bytes=LARGEST_FILE_BYTES)
    except InputError as fault:
        return RecipeReading(recipe=None, messages=fault.messages)
    return read_recipe(text, str(path))
