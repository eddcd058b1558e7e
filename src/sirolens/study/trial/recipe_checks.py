# SPDX-License-Identifier: Apache-2.0
"""Notes what is wrong with a recipe as a whole: names nobody knows, visits that cannot take place, contradictions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from sirolens.dosing.products import default_products, doses, portions
from sirolens.dosing.protocol import default_settings
from sirolens.dosing.target import Target
from sirolens.errors import SirolensError
from sirolens.mechanism.people import people
from sirolens.models import catalog
from sirolens.models.locate import Path
from sirolens.models.toml_table import Faults
from sirolens.response import criteria
from sirolens.source import Mark, Source
from sirolens.study.cohort.comparison import comparators
from sirolens.study.trial.mechanism import TITRATED, partner_names, population_names, variant_names
from sirolens.study.trial.recipe_design import Arm, Group, Recipe

__all__ = ["check_recipe"]

LOWEST_MG = 1e-9


def check_recipe(recipe: Recipe, faults: Faults) -> None:
    """Note every fault of a recipe whose parts are good alone.

    Parameters
    ----------
    recipe : Recipe
        As read.
    faults : Faults
        Where faults go.
    """
    _population(recipe, faults)
    _entry(recipe, faults)
    _visits(recipe, faults)
    _response(recipe, faults)
    _primary(recipe, faults)
    _looks(recipe, faults)
    for index, arm in enumerate(recipe.arms):
        _arm(recipe, arm, ("arms", index), faults)
    _cells(recipe, faults)
    known = tuple(dict.fromkeys(one.key for one in comparators()))
    for index, key in enumerate(recipe.published):
        _one_of(key, known, ("published", index), faults)


def _one_of(value: str, known: Iterable[str], path: Path, faults: Faults) -> bool:
    names = tuple(known)
    if value in names:
        return True
    near = tuple(get_close_matches(value, names, n=1))
    faults.wrong("models.not-one-of", path, value, expected=", ".join(names), near=near)
    return False


def _loaded(load: Callable[[], Any], path: Path, faults: Faults) -> Any:
    """Load what a recipe names; what the loader says is said at the recipe's line."""
    try:
        return load()
    except SirolensError as fault:
        for message in fault.messages:
            faults.messages.append(replace(message, place=faults.place(path)))
        return None


def _population(recipe: Recipe, faults: Faults) -> None:
    _one_of(recipe.population, population_names(), ("population", "recipe"), faults)
    for index, name in enumerate(recipe.variants):
        _one_of(name, variant_names(), ("population", "variants", index), faults)
    shares = {"adults": 1.0 - recipe.children_fraction, "children": recipe.children_fraction}
    named = {group.name: group for group in recipe.groups}
    for name, part in shares.items():
        if part > 0.0 and name not in named:
            faults.wrong("models.key-missing", ("population", name), name, expected=f"[population.{name}]")
        if part <= 0.0 and name in named:
            faults.wrong("trial.group-without-share", ("population", name), name, expected="children_percent")
    for group in recipe.groups:
        _group(group, faults)


def _group(group: Group, faults: Faults) -> None:
    path: Path = ("population", group.name)
    model = _loaded(lambda: catalog.load(group.pk), (*path, "pk"), faults)
    if model is not None and (model.saturable is not None or model.system is not None):
        faults.wrong("trial.pk-not-linear", (*path, "pk"), group.pk, expected="linear")


def _entry(recipe: Recipe, faults: Faults) -> None:
    entry = recipe.entry
    if entry.count_from_10e9_l >= entry.count_below_10e9_l:
        faults.wrong(
            "trial.entry-contradicts",
            ("entry", "count_below"),
            f"{entry.count_below_10e9_l:g}",
            expected=f"> {entry.count_from_10e9_l:g} (count_from)",
        )
    for group in recipe.groups:
        ages = people(group.name).age_years
        if max(ages.low, entry.age_years[0]) > min(ages.high, entry.age_years[1]):
            faults.wrong(
                "trial.entry-contradicts",
                ("entry", "age_years"),
                f"{entry.age_years[0]:g}-{entry.age_years[1]:g}",
                expected=f"{ages.low:g}-{ages.high:g} ({group.name})",
            )


def _visits(recipe: Recipe, faults: Faults) -> None:
    window, planned = recipe.visits.window_d, recipe.visits.days
    path: Path = ("visits", "days")
    if planned[0] - window < 1:
        faults.wrong("trial.visit-outside", (*path, 0), planned[0], expected=f">= {1 + window}")
    if planned[-1] + window > recipe.days:
        faults.wrong(
            "trial.visit-outside", (*path, len(planned) - 1), planned[-1], expected=f"<= {recipe.days - window}"
        )
    for index, (before, after) in enumerate(pairwise(planned)):
        if after - before <= 2 * window:
            faults.wrong("trial.visits-overlap", (*path, index + 1), after, expected=f"> {before + 2 * window}")


def _response(recipe: Recipe, faults: Faults) -> None:
    rules = _loaded(lambda: criteria.load(recipe.response.criteria), ("response", "criteria"), faults)
    if rules is None:
        return
    path: Path = ("response", "landmarks_d")
    planned, window = recipe.visits.days, rules.landmark_window_d
    if recipe.response.landmarks_d[0] <= window:
        faults.wrong("models.out-of-range", (*path, 0), recipe.response.landmarks_d[0], expected=f"> {window}")
    for index, day in enumerate(recipe.response.landmarks_d):
        if not any(abs(visit - day) <= window for visit in planned):
            expected = f"{day - window}-{day + window}"
            faults.wrong("trial.landmark-unseen", (*path, index), day, expected=expected)
        elif not _confirmable(day, planned, window, rules.confirming_grace_d, rules.confirmation_d):
            faults.wrong("trial.never-confirmed", (*path, index), day, expected=f">= {rules.confirmation_d}")


def _confirmable(day: int, planned: Sequence[int], window: int, grace: int, apart: int) -> bool:
    """Whether two visits far enough apart can confirm a response at a landmark."""
    near = [visit for visit in planned if abs(visit - day) <= window]
    return any(abs(other - one) >= apart for one in near for other in planned if other <= day + grace)


def _primary(recipe: Recipe, faults: Faults) -> None:
    primary = recipe.primary
    if primary.day not in recipe.response.landmarks_d:
        expected = ", ".join(str(day) for day in recipe.response.landmarks_d)
        faults.wrong("models.not-one-of", ("primary", "day"), primary.day, expected=expected, near=())
    if (primary.above is None) == (not primary.compare):
        faults.wrong("trial.primary-unclear", ("primary",), "primary", expected="above_percent | compare")
    if primary.above is not None and not 0.0 < primary.above < 1.0:
        faults.wrong("models.out-of-range", ("primary", "above_percent"), 100 * primary.above, expected="0-100")
    names = [arm.name for arm in recipe.arms]
    for index, name in enumerate(primary.compare):
        _one_of(name, names, ("primary", "compare", index), faults)
    if primary.compare and len(set(primary.compare)) != 2:
        shown = ", ".join(primary.compare)
        faults.wrong("trial.two-arms", ("primary", "compare"), shown, expected="[arm, control]")


def _looks(recipe: Recipe, faults: Faults) -> None:
    least = 1
    for index, look in enumerate(recipe.looks):
        path: Path = ("looks", index)
        if not least <= look.after_patients < recipe.patients:
            faults.wrong(
                "models.out-of-range",
                (*path, "after_patients"),
                look.after_patients,
                expected=f"{least}-{recipe.patients - 1}",
            )
        least = look.after_patients + 1
        stop = -1 if look.stop_at_most is None else look.stop_at_most
        success = look.after_patients + 1 if look.success_at_least is None else look.success_at_least
        if stop < 0 and look.success_at_least is None:
            faults.wrong("models.key-missing", path, "looks", expected="stop_at_most, success_at_least")
        if not stop < success or stop > look.after_patients or success > look.after_patients + 1:
            faults.wrong("trial.look-contradicts", path, f"{stop}, {success}", expected=f"0-{look.after_patients}")
    if recipe.looks and recipe.primary.above is None:
        faults.wrong("trial.look-without-rate", ("looks", 0), "looks", expected="primary.above_percent")


def _arm(recipe: Recipe, arm: Arm, path: Path, faults: Faults) -> None:
    for key, dose in (("start", arm.start), ("maintenance", arm.maintenance)):
        for group in recipe.groups if dose is not None else ():
            assert dose is not None
            _dose(dose.of(group.name), group, (*path, key), faults)
    if arm.maintenance_from_d is not None:
        allowed = recipe.visits.days if arm.tdm is None else arm.tdm.days
        if arm.maintenance_from_d not in allowed:
            expected = ", ".join(map(str, allowed))
            faults.wrong("trial.not-a-visit", (*path, "maintenance_from_d"), arm.maintenance_from_d, expected=expected)
    if arm.tdm is not None:
        _tdm(recipe, arm, path, faults)
    if arm.taper is not None:
        _taper(recipe, arm, path, faults)
    known = partner_names()
    if [partner.name for partner in arm.partners].count(TITRATED) > 1:
        faults.wrong("trial.titrated-twice", (*path, "partners"), TITRATED, expected="1")
    for index, partner in enumerate(arm.partners):
        where: Path = (*path, "partners", index)
        _one_of(partner.name, known, (*where, "name"), faults)
        if partner.until_d is not None and partner.until_d < partner.from_d:
            faults.wrong("models.out-of-range", (*where, "until_d"), partner.until_d, expected=f">= {partner.from_d}")


def _dose(dose_mg: float, group: Group, path: Path, faults: Faults) -> None:
    if math.isnan(dose_mg):
        faults.wrong("models.key-missing", (*path, group.name), group.name, expected=f'{group.name} = "... mg"')
        return
    cap = default_settings().hard_daily_cap_mg.value
    if dose_mg > cap:
        faults.wrong("models.out-of-range", path, f"{dose_mg:g}", expected=f"<= {cap:g} mg")
    elif portions(default_products(), group.form, dose_mg) is None:
        faults.wrong("trial.dose-not-made", path, f"{dose_mg:g}", expected=_made(group, dose_mg), form=group.form)


def _made(group: Group, dose_mg: float) -> str:
    """The doses on either side that can be dispensed."""
    cap = default_settings().hard_daily_cap_mg.value
    made = doses(default_products(), group.form, up_to_mg=cap)
    near = (max((one for one in made if one < dose_mg), default=None), min(one for one in made if one > dose_mg))
    return ", ".join(f"{one:g} mg" for one in near if one is not None)


def _tdm(recipe: Recipe, arm: Arm, path: Path, faults: Faults) -> None:
    tdm = arm.tdm
    assert tdm is not None
    where: Path = (*path, "tdm", "days")
    apart = default_settings().days_before_next_change.value[0]
    for index, day in enumerate(tdm.days):
        if day not in recipe.visits.days:
            expected = ", ".join(map(str, recipe.visits.days))
            faults.wrong("trial.not-a-visit", (*where, index), day, expected=expected)
        if index and day - tdm.days[index - 1] < apart:
            faults.wrong("trial.levels-too-close", (*where, index), day, expected=f">= {tdm.days[index - 1] + apart}")
    told = Source(title=recipe.title, mark=Mark.JUDGE)
    low, high = tdm.low_ng_ml, tdm.high_ng_ml
    _loaded(
        lambda: Target(low_ng_ml=low, high_ng_ml=high, author=recipe.file, reason=recipe.name, source=told),
        (*path, "tdm", "target"),
        faults,
    )


def _taper(recipe: Recipe, arm: Arm, path: Path, faults: Faults) -> None:
    taper = arm.taper
    assert taper is not None
    where: Path = (*path, "taper")
    if taper.who != "everyone":
        # Before this day the running verdict is "too early" for everybody: nobody would be tapered.
        rules = _loaded(lambda: criteria.load(recipe.response.criteria), (*where, "who"), Faults("", {}))
        least = 0 if rules is None else rules.too_early_before_d
        if taper.from_d < least:
            faults.wrong("trial.taper-too-early", (*where, "from_d"), taper.from_d, expected=f">= {least}")
    for group in recipe.groups:
        if portions(default_products(), group.form, taper.step_mg) is None:
            step = taper.step_mg
            faults.wrong(
                "trial.dose-not-made", (*where, "step"), f"{step:g}", expected=_made(group, step), form=group.form
            )


def _cells(recipe: Recipe, faults: Faults) -> None:
    for index, day in enumerate(() if recipe.cells is None else recipe.cells.days):
        if day not in recipe.visits.days:
            expected = ", ".join(map(str, recipe.visits.days))
            faults.wrong("trial.not-a-visit", ("cells", "days", index), day, expected=expected)
