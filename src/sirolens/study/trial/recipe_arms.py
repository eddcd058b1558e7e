# SPDX-License-Identifier: Apache-2.0
"""Reads the arms of a trial recipe: doses with their units, dose adjustment, taper and partners."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sirolens.message import info
from sirolens.models.toml_table import Table
from sirolens.study.trial.recipe_design import DRUGS, RULES, TAPERED, Arm, Partner, Taper, Tdm
from sirolens.study.trial.recipe_quantities import by_group, days, quantity, quantity_range

__all__ = ["read_arms"]

DOSES = ("start", "maintenance", "maintenance_from_d", "tdm", "taper")


def read_arms(root: Table, data: Mapping[str, Any], last: int) -> tuple[Arm, ...]:
    """Read every arm of a recipe.

    Parameters
    ----------
    root : Table
        The file.
    data : mapping
        The same as `tomllib` gives it.
    last : int
        Last day of the trial.
    """
    tables = root.tables("arms", required=True)
    arms: list[Arm] = []
    for table in tables:
        arm = _arm(table, data, last)
        if arm.name in [one.name for one in arms]:
            root.faults.wrong("trial.arm-twice", (*table.path, "name"), arm.name)
        arms.append(arm)
    if not tables and "arms" in root:
        root.faults.wrong("models.key-missing", ("arms",), "arms", expected="[[arms]]")
    return tuple(arms)


def _arm(table: Table, data: Mapping[str, Any], last: int) -> Arm:
    name = table.text("name", required=True)
    if name and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        table.faults.wrong("models.bad-name", (*table.path, "name"), name, expected="a-z, 0-9, -")
    drug = table.text("drug", default="sirolimus", choices=DRUGS)
    given = drug == "sirolimus"
    for key in DOSES:
        if not given and key in table:
            table.faults.wrong("trial.dose-without-drug", (*table.path, key), key, expected='drug = "sirolimus"')
    arm = Arm(
        name=name,
        title=table.text("title", required=True),
        title_zh=table.text("title_zh"),
        drug=drug,
        start=by_group(table, "start", required=given),
        maintenance=by_group(table, "maintenance"),
        maintenance_from_d=_day(table, "maintenance_from_d", last),
        tdm=_tdm(table, data, last),
        taper=_taper(table, last),
        partners=_partners(table, last),
    )
    if (arm.maintenance is None) != (arm.maintenance_from_d is None):
        missing = "maintenance" if arm.maintenance is None else "maintenance_from_d"
        expected = info("trial.both-or-neither")
        table.faults.wrong("models.key-missing", (*table.path, missing), missing, expected=expected)
    table.close()
    return arm


def _day(table: Table, key: str, last: int, *, required: bool = False) -> int | None:
    day = table.whole(key, required=required)
    if day is not None and day > last:
        table.faults.wrong("trial.day-outside", (*table.path, key), day, expected=f"0-{last}")
        return None
    return day


def _tdm(arm: Table, data: Mapping[str, Any], last: int) -> Tdm | None:
    table = arm.table("tdm")
    if table is None:
        return None
    rule = table.text("rule", default="proportional", choices=RULES)
    target = quantity_range(table, "target", "concentration", required=True) or (0.0, 0.0)
    when = days(table, "days", data, required=True, most=last)
    table.close()
    return Tdm(rule=rule, low_ng_ml=target[0], high_ng_ml=target[1], days=when)


def _taper(arm: Table, last: int) -> Taper | None:
    table = arm.table("taper")
    if table is None:
        return None
    start = _day(table, "from_d", last, required=True)
    step = quantity(table, "step", "dose", required=True)
    every = table.whole("every_d", required=True, least=1)
    who = table.text("who", required=True, default="everyone", choices=TAPERED)
    table.close()
    return Taper(from_d=start or 0, step_mg=step or 0.0, every_d=every or 1, who=who)


def _partners(arm: Table, last: int) -> tuple[Partner, ...]:
    partners = []
    for table in arm.tables("partners"):
        name = table.text("name", required=True)
        start, until = _day(table, "from_d", last), _day(table, "until_d", last)
        table.close()
        partners.append(Partner(name=name, from_d=start or 0, until_d=until))
    return tuple(partners)
