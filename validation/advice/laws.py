# SPDX-License-Identifier: Apache-2.0
"""What must be true of every piece of advice, whoever the patient is; each broken law is a line of text.

The laws do not ask whether a dose is good, only whether it could ever have been said: doses that exist, chances that
are chances, more drug never safer, a scaled target a scaled dose, and no knowledge of the future.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sirolens.chart import Chart, Fact, Level, Prescription
from sirolens.dosing.average import Averaged, estimates
from sirolens.dosing.history import from_chart
from sirolens.dosing.interactions import assess, multipliers
from sirolens.dosing.options import Option
from sirolens.dosing.posterior import Posterior, from_averaged
from sirolens.dosing.products import ProductList, doses
from sirolens.dosing.recommend import Advice, recommend
from sirolens.dosing.target import Target, default_target
from sirolens.dosing.troughs import Troughs
from sirolens.errors import ScopeError
from sirolens.message import Message
from sirolens.models.population import PopulationModel
from sirolens.models.timeline import Multiplier
from sirolens.regimen import daily

__all__ = ["advise", "broken_laws", "changed_by_the_future", "continuous_dose_faults"]

SUM = 1e-9  # chances are sums of thousands of weights
FLAT = 1e-9  # "never falls": rounding of the same sums
SCALED = 1e-9  # exact in the mathematics; logarithms and exponentials round
SCALES = (0.3, 0.8, 1.25, 1.9)
HIGHER = ((6.0, 18.0), (7.0, 15.0), (5.0, 20.0), (8.0, 20.0), (10.0, 16.0))


def advise(chart: Chart, at: datetime, *, draws: int) -> tuple[Advice, Averaged | None, Posterior | None]:
    """Go from a chart to advice as a consultation does, with as many draws per model as asked and without figures."""
    known = chart.known(at)
    history, _ = from_chart(known, at)
    effects, _ = assess(known, at)

    def seen_by(model: PopulationModel) -> tuple[Multiplier, ...]:
        return tuple(multipliers(effects, model, history.origin))

    refused: tuple[Message, ...] = ()
    averaged = None
    try:
        averaged = estimates(history, seed=1, draws=draws, interactions=seen_by)
    except ScopeError as outside:
        refused = outside.messages
    posterior = None if averaged is None else from_averaged(averaged)
    return recommend(known, posterior, history=history, at=at, unavailable=refused), averaged, posterior


def broken_laws(advice: Advice) -> list[str]:
    """Return what is wrong with one piece of advice."""
    return [*_doses(advice), *_chances(advice), *_more_is_more(advice)]


def _rows(advice: Advice) -> list[Option]:
    return [*advice.options, *(one.option for one in advice.refused)]


def _doses(advice: Advice) -> Iterator[str]:
    """Doses exist in the product list and keep the caps."""
    settings, products = advice.settings, advice.products
    hard_mg = min(settings.hard_daily_cap_mg.value, settings.label_daily_cap_mg.value)
    for row in _rows(advice):
        if not row.current or row.plan.portions:
            yield from _made(row, products)
    for row in advice.options:
        if max(row.daily_mg, *row.plan.cycle.amount_mg) > hard_mg:
            yield f"{row.daily_mg} mg a day is offered above the hard cap"
        if row.daily_mg > settings.soft_daily_cap_mg.value and not row.current:
            yield f"{row.daily_mg} mg a day is offered above the soft cap, which nobody lifted"
    if advice.who.group in ("infant", "unknown") and _rows(advice):
        yield "a dose is computed for somebody too small or unknown"
    if advice.who.group == "small-child":
        if advice.first is not None:
            yield "a small child gets a single dose"
        if any(row.plan.form == "tablet" and not row.current for row in advice.options):
            yield "a small child gets tablets"
    grid = {mg for form in products.forms for mg in doses(products, form, up_to_mg=hard_mg)}
    named = {
        "loading": advice.loading.dose_mg,
        "proportional rule": advice.rule.nearest_mg,
        **{f"own dose of {one.name}": one.nearest_mg for one in advice.per_model},
        **{one.name: one.nearest_mg for one in advice.alternatives},
    }
    for name, dose_mg in named.items():
        if dose_mg is not None and dose_mg not in grid:
            yield f"{name}: {dose_mg} mg is not a dose of the product list within the cap"
    if advice.best_mg is not None and not 0.0 < advice.best_mg < float("inf"):
        yield f"the best continuous dose is {advice.best_mg}"


def _made(row: Option, products: ProductList) -> Iterator[str]:
    """What is dispensed adds up to what is prescribed."""
    amounts = row.plan.cycle.amount_mg
    if len(row.plan.portions) != len(amounts):
        yield f"{row.daily_mg} mg a day: portions for {len(row.plan.portions)} of {len(amounts)} intakes"
        return
    for amount_mg, intake in zip(amounts, row.plan.portions, strict=True):
        total_ug = 0.0
        for portion in intake:
            if portion.product not in products.products:
                yield f"{amount_mg} mg needs a product that is not on the list"
            if portion.product.form == "tablet":
                total_ug += portion.tablets * portion.product.unit_ug
            else:
                steps = portion.volume_ml / portion.product.step_ml
                if abs(steps - round(steps)) > 1e-6:  # a volume is a float; half a step would be 0.5
                    yield f"{portion.volume_ml} mL cannot be measured"
                total_ug += round(steps) * portion.product.unit_ug
        if total_ug != round(amount_mg * 1000):
            yield f"{amount_mg} mg is made of {total_ug} ug"
        if sum(portion.tablets for portion in intake) > products.most_tablets:
            yield f"{amount_mg} mg needs more tablets than anybody should take at once"


def _chances(advice: Advice) -> Iterator[str]:
    """Chances lie between 0 and 1 and add up; bands are in order; models' shares add up."""
    for row in _rows(advice):
        parts = [(row.p_low, row.p_true_in, row.p_high)]
        parts += [(one.p_low, one.p_in, one.p_high) for one in row.by_model]
        for chances in parts:
            if abs(sum(chances) - 1.0) > SUM or min(chances) < -SUM:
                yield f"{row.daily_mg} mg a day: chances {chances}"
        if not -SUM <= row.p_level_in <= 1.0 + SUM:
            yield f"{row.daily_mg} mg a day: chance of the next level {row.p_level_in}"
        band = row.trough_ng_ml
        if not 0.0 <= band.low <= band.median <= band.high < float("inf"):
            yield f"{row.daily_mg} mg a day: band {band}"
        if abs(sum(one.weight for one in row.by_model) - 1.0) > SUM:
            yield f"{row.daily_mg} mg a day: the models' shares do not add up"


def _more_is_more(advice: Advice) -> Iterator[str]:
    """Within one rhythm, more drug never makes a level above the range less likely, nor one below it more likely."""
    rhythms: defaultdict[tuple[float, ...], dict[float, Option]] = defaultdict(dict)
    for row in _rows(advice):
        cycle = row.plan.cycle
        shares = (round(amount / sum(cycle.amount_mg), 9) for amount in cycle.amount_mg)
        rhythms[cycle.period_h, *cycle.offset_h, *shares][row.daily_mg] = row
    for found in rhythms.values():
        for less, more in pairwise(found[mg] for mg in sorted(found)):
            said = f"from {less.daily_mg} to {more.daily_mg} mg a day"
            if more.p_high < less.p_high - FLAT:
                yield f"P(above) falls {said}"
            if more.p_low > less.p_low + FLAT:
                yield f"P(below) rises {said}"
            if more.trough_ng_ml.median < less.trough_ng_ml.median * (1 - FLAT):
                yield f"the median trough falls {said}"
            for one, other in zip(less.by_model, more.by_model, strict=True):
                if other.p_high < one.p_high - FLAT:
                    yield f"P(above) of {one.name} falls {said}"


def _target(low_ng_ml: float, high_ng_ml: float) -> Target:
    usual = default_target()
    return Target(low_ng_ml=low_ng_ml, high_ng_ml=high_ng_ml, author="check", reason="check", source=usual.source)


def continuous_dose_faults(troughs: Troughs) -> tuple[list[str], dict[str, float]]:
    """Move the target over one fixed posterior and look at the best continuous dose.

    Returns
    -------
    list of str
        Broken laws.
    dict of str to float
        Largest relative departure from scaling where absorption saturates; how far a dose fell under a higher target.
    """
    usual = default_target()
    best_mg = troughs.best_daily_mg(usual)
    own_mg = {view.name: troughs.best_daily_mg(usual, only=view.name) for view in troughs.views}
    linear = all(view.proportional for view in troughs.views)
    faults: list[str] = []
    measured = {"not-scaled": 0.0}
    doses_mg = []
    for k in SCALES:
        scaled = _target(k * usual.low_ng_ml, k * usual.high_ng_ml)
        found_mg = troughs.best_daily_mg(scaled)
        doses_mg.append(found_mg)
        off = abs(found_mg / (k * best_mg) - 1.0)
        if linear and off > SCALED:
            faults.append(f"target x {k}: best dose x {found_mg / best_mg:.12f}")
        measured["not-scaled"] = max(measured["not-scaled"], off)
        for view in troughs.views:
            alone = troughs.best_daily_mg(scaled, only=view.name) / (k * own_mg[view.name])
            if view.proportional and abs(alone - 1.0) > SCALED:
                faults.append(f"target x {k}: {view.name} scales by {alone:.12f} of it")
    if any(more <= less for less, more in pairwise(doses_mg)):
        faults.append(f"target x {SCALES}: best doses {doses_mg}")
    for low, high in HIGHER:
        found_mg = troughs.best_daily_mg(_target(low, high))
        measured[f"fell {low:g}-{high:g}"] = max(0.0, 1.0 - found_mg / best_mg)
    return faults, measured


def _recorded_by(chart: Chart, at: datetime) -> Chart:
    kept: dict[str, Any] = {
        field.name: tuple(fact for fact in getattr(chart, field.name) if fact.recorded <= at)
        for field in fields(chart)
        if field.name not in ("patient", "zone")
    }
    return replace(chart, **kept)


def changed_by_the_future(chart: Chart, at: datetime, advice: Advice, *, draws: int) -> list[str]:
    """Advise again without what was recorded later, and with more of it; say what differs."""
    past = _recorded_by(chart, at)
    hour = timedelta(hours=1)
    later: list[Fact] = [
        Level(at=at - hour, recorded=at + hour, level_ng_ml=99.0, assay="cmia"),
        Prescription(at=at - 48 * hour, recorded=at + hour, regimen=daily(6.0), form="tablet"),
    ]
    corrected = [replace(level, id=f"level {i}") for i, level in enumerate(chart.levels)]
    later += [
        replace(level, id="", replaces=level.id, level_ng_ml=1.5 * level.level_ng_ml, recorded=at + 2 * hour)
        for level in corrected
    ]
    fuller = replace(
        chart,
        levels=(*corrected, *(fact for fact in later if isinstance(fact, Level))),
        prescriptions=(*chart.prescriptions, *(fact for fact in later if isinstance(fact, Prescription))),
    )
    said = []
    for name, other in (("without what was recorded later", past), ("with more recorded later", fuller)):
        if advise(other, at, draws=draws)[0] != advice:
            said.append(f"advice differs {name}")
    return said
