# SPDX-License-Identifier: Apache-2.0
"""The rows of the dose table: every practical regimen worth showing, with its chances and what must be said of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import time
from typing import final

from sirolens.dosing.attainment import Chances
from sirolens.dosing.present import Current
from sirolens.dosing.products import PracticalRegimen, ProductList, regimens
from sirolens.dosing.protocol import Claim, Settings
from sirolens.dosing.target import Target
from sirolens.dosing.troughs import Troughs
from sirolens.message import Message, info, warning
from sirolens.regimen import Cycle, Regimen

__all__ = ["Band", "ModelTrough", "Option", "by_model", "candidates", "evaluate"]

MOST_PER_FORM = 20
"""A solution has sixty steps; those nearest the best dose are enough to read."""
LOWEST_SHARE, HIGHEST_SHARE = 1 / 4, 2.0
"""Doses outside these multiples of the best one are not listed: their chances are next to nothing."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A median with its 5 % and 95 % points."""

    median: float
    low: float
    high: float

    @property
    def fold(self) -> float:
        """How many times the upper end is the lower one."""
        return self.high / self.low if self.low > 0.0 else float("inf")

    def scaled(self, factor: float) -> Band:
        """Multiply all three."""
        return Band(median=self.median * factor, low=self.low * factor, high=self.high * factor)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTrough:
    """One model's own answer for one option."""

    name: str
    label: str
    weight: float
    median_ng_ml: float
    p_low: float
    p_in: float
    p_high: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One regimen that can be dispensed, with its chances.

    Parameters
    ----------
    plan : PracticalRegimen
        What would be prescribed and what makes each intake.
    p_true_in, p_low, p_high : float
        P(true steady-state trough in, below, above the range); ranking uses the first.
    p_level_in : float
        P(the next measured level in the range).
    trough_ng_ml : Band
        Expected steady-state trough.
    auc24_ng_h_ml : Band, optional
        Exposure of a day; None where no model can know it (the advice says why).
    change_mg : float, optional
        Difference of the daily dose from now; None when nothing is taken now.
    change_ratio : float, optional
        The same as a ratio.
    current : bool
        It is what is taken now.
    flags : tuple of Message
        What must be said of it.
    by_model : tuple of ModelTrough
        Each model's own answer.
    """

    plan: PracticalRegimen
    p_true_in: float
    p_level_in: float
    p_low: float
    p_high: float
    trough_ng_ml: Band
    by_model: tuple[ModelTrough, ...]
    auc24_ng_h_ml: Band | None = None
    change_mg: float | None = None
    change_ratio: float | None = None
    current: bool = False
    flags: tuple[Message, ...] = ()

    @property
    def regimen(self) -> Regimen:
        """What would be prescribed."""
        return self.plan.regimen

    @property
    def daily_mg(self) -> float:
        """Mean daily dose."""
        return self.plan.daily_mg

    @property
    def portions(self) -> tuple[tuple[Message, ...], ...]:
        """Tablets or volume of each intake, as words."""
        return tuple(tuple(portion.message for portion in intake) for intake in self.plan.portions)


def candidates(
    products: ProductList,
    forms: Sequence[str],
    *,
    best_mg: float,
    settings: Settings,
    split: bool,
    clock: time,
    keep_mg: Iterable[float] = (),
) -> tuple[PracticalRegimen, ...]:
    """Return the regimens to compute: what the products make up to the hard cap, long lists thinned around the best.

    Parameters
    ----------
    products : ProductList
        What can be dispensed.
    forms : sequence of str
        Which forms to list, the preferred one first: another form is listed for doses the first cannot make.
    best_mg : float
        The best daily dose without regard to products.
    settings : Settings
        The hard cap.
    split : bool
        Whether the models can tell a split dose.
    clock : time
        When doses are taken.
    keep_mg : iterable of float
        Daily doses that stay in the list whatever their distance.
    """
    cap_mg = min(settings.hard_daily_cap_mg.value, settings.label_daily_cap_mg.value)
    wanted = {round(mg * 1000) for mg in keep_mg}
    found: list[PracticalRegimen] = []
    for form in forms:
        plans = regimens(products, form, up_to_daily_mg=cap_mg, split=split, clock=clock)
        closest = min((abs(plan.daily_mg - best_mg) for plan in plans), default=0.0)
        near = [
            plan
            for plan in plans
            if LOWEST_SHARE * best_mg <= plan.daily_mg <= HIGHEST_SHARE * best_mg
            or abs(plan.daily_mg - best_mg) <= closest
        ]
        step = -(-len(near) // MOST_PER_FORM)
        middle = min(range(len(near)), key=lambda index: abs(near[index].daily_mg - best_mg), default=0)
        kept = {id(plan) for plan in near[middle % step :: step]} if near else set()
        listed = {(plan.pattern, plan.cycle.amount_mg) for plan in found}
        found += [
            plan
            for plan in plans
            if (id(plan) in kept or round(plan.daily_mg * 1000) in wanted)
            and (plan.pattern, plan.cycle.amount_mg) not in listed
        ]
    return tuple(found)


def evaluate(
    plans: Sequence[PracticalRegimen],
    troughs: Troughs,
    target: Target,
    *,
    current: Current | None,
    claim: Claim,
    settings: Settings,
) -> tuple[Option, ...]:
    """Compute every row of the table, in the order of `plans`; the current regimen is added when it is not among them.

    Parameters
    ----------
    plans : sequence of PracticalRegimen
        From `candidates`.
    troughs : Troughs
        The models.
    target : Target
        The range.
    current : Current, optional
        What is taken now.
    claim : Claim
        The protocol's doses for this age.
    settings : Settings
        The soft cap and what counts as a wide band.
    """
    rows = list(plans)
    if current is not None and not any(_same(plan, current.plan) for plan in rows):
        rows.append(current.plan)
    if not rows:
        return ()
    table = troughs.table([plan.cycle for plan in rows], target)
    options = []
    for index, plan in enumerate(rows):
        here = current is not None and _same(plan, current.plan)
        band = Band(
            low=float(table.band_ng_ml[index, 0]),
            median=float(table.band_ng_ml[index, 1]),
            high=float(table.band_ng_ml[index, 2]),
        )
        options.append(
            Option(
                plan=plan,
                p_true_in=float(table.within[index]),
                p_level_in=float(table.level_within[index]),
                p_low=float(table.low[index]),
                p_high=float(table.high[index]),
                trough_ng_ml=band,
                by_model=by_model(table, index, troughs),
                change_mg=None if current is None else plan.daily_mg - current.plan.daily_mg,
                change_ratio=None if current is None else plan.daily_mg / current.plan.daily_mg,
                current=here,
                flags=_flags(plan, band, troughs, current, claim, settings),
            )
        )
    return tuple(options)


def _same(plan: PracticalRegimen, other: PracticalRegimen) -> bool:
    return _rounded(plan.cycle) == _rounded(other.cycle) and (plan.form == other.form or other.form == "unknown")


def _rounded(cycle: Cycle) -> tuple[float, ...]:
    return (cycle.period_h, *cycle.offset_h, *(round(amount, 6) for amount in cycle.amount_mg))


def by_model(table: Chances, index: int, troughs: Troughs) -> tuple[ModelTrough, ...]:
    """Return each model's own answer for one row of a table."""
    return tuple(
        ModelTrough(
            name=view.name,
            label=view.label,
            weight=view.weight,
            median_ng_ml=float(table.median_by_model[index, m]),
            p_low=float(table.low_by_model[index, m]),
            p_in=float(table.within_by_model[index, m]),
            p_high=float(table.high_by_model[index, m]),
        )
        for m, view in enumerate(troughs.views)
    )


def _flags(
    plan: PracticalRegimen,
    band: Band,
    troughs: Troughs,
    current: Current | None,
    claim: Claim,
    settings: Settings,
) -> tuple[Message, ...]:
    flags: list[Message] = []
    if band.fold > settings.wide_band_ratio.value:
        flags.append(
            warning(
                "dosing.wide-band",
                source=settings.wide_band_ratio.source,
                low_ng_ml=band.low,
                high_ng_ml=band.high,
                limit_fold=settings.wide_band_ratio.value,
            )
        )
    if plan.daily_mg > settings.soft_daily_cap_mg.value:
        flags.append(
            warning(
                "dosing.above-soft-cap",
                source=settings.soft_daily_cap_mg.source,
                cap_daily_mg=settings.soft_daily_cap_mg.value,
            )
        )
    elif plan.daily_mg > claim.start_mg.value[1]:
        flags.append(
            info(
                "dosing.above-protocol",
                source=claim.start_mg.source,
                claim=claim.id,
                protocol_daily_mg=claim.start_mg.value[1],
            )
        )
    trough_only = [view.label for view in troughs.views if "time-course" not in view.supports]
    if plan.pattern != "daily" and trough_only:
        flags.append(info("dosing.rhythm-not-identifiable", models=tuple(trough_only)))
    if current is not None and current.plan.form not in (plan.form, "unknown"):
        flags.append(info("dosing.form-changes", from_form=current.plan.form, to_form=plan.form))
    if not plan.portions:
        flags.append(info("dosing.not-from-products", daily_mg=plan.daily_mg))
    return tuple(flags)
