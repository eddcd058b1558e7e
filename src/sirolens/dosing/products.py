# SPDX-License-Identifier: Apache-2.0
"""What can be dispensed: products, the doses they make exactly, and the practical regimens built from those doses.

No dose leaves this module that whole tablets or a measured volume do not make exactly; doses are compared in whole
micrograms, so that 0.1 + 0.2 is 0.3.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from datetime import time
from functools import cache
from importlib.resources import files
from typing import final

from sirolens.errors import InputError
from sirolens.message import Message, error, info
from sirolens.regimen import MORNING, Cycle, Regimen, alternate_days, cycle, daily, twice_daily
from sirolens.source import Mark, Source

__all__ = [
    "Portion",
    "PracticalRegimen",
    "Product",
    "ProductList",
    "default_products",
    "doses",
    "portions",
    "practical",
    "read_products",
    "regimens",
    "smallest_step_mg",
]

ALTERNATE_BELOW_MG = 1.0
"""Alternate days are a way to take less than tablets allow, not another rhythm for ordinary doses (JUDGE)."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One thing on the pharmacy's shelf.

    Parameters
    ----------
    form : str
        ``"tablet"`` or ``"solution"``.
    strength_mg : float
        Of one tablet; 0 for a solution.
    mg_per_ml : float
        Of a solution; 0 for a tablet.
    step_ml : float
        The smallest volume that can be measured.
    """

    form: str
    strength_mg: float = 0.0
    mg_per_ml: float = 0.0
    step_ml: float = 0.0

    def __post_init__(self) -> None:
        unit_ug = self.unit_ug if self.form in ("tablet", "solution") else 0
        if unit_ug <= 0:
            raise InputError(error("protocol.product-impossible", form=self.form, strength_mg=self.strength_mg))

    @property
    def unit_ug(self) -> int:
        """The smallest amount, in micrograms: one tablet or one step of volume."""
        amount_mg = self.strength_mg if self.form == "tablet" else self.mg_per_ml * self.step_ml
        return round(amount_mg * 1000)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProductList:
    """What one site can dispense.

    Parameters
    ----------
    name : str
        Of the list.
    products : tuple of Product
        At least one.
    most_tablets : int
        In one intake.
    source : Source
        Where the list comes from.
    """

    name: str
    products: tuple[Product, ...]
    most_tablets: int
    source: Source

    def __post_init__(self) -> None:
        if not self.products or self.most_tablets < 1:
            raise InputError(error("protocol.no-products", name=self.name))

    @property
    def forms(self) -> tuple[str, ...]:
        """The forms on the list, tablets first."""
        return tuple(sorted({product.form for product in self.products}, reverse=True))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """What is taken of one product at one intake: a number of tablets or a volume."""

    product: Product
    tablets: int = 0
    volume_ml: float = 0.0

    @property
    def message(self) -> Message:
        """The portion as words: "2 x 0.5 mg tablet", "0.7 mL"."""
        if self.product.form == "tablet":
            return info("dosing.portion-tablets", tablets=self.tablets, strength_mg=self.product.strength_mg)
        return info("dosing.portion-solution", volume_ml=self.volume_ml, strength=self.product.mg_per_ml)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PracticalRegimen:
    """A regimen that can be dispensed.

    Parameters
    ----------
    regimen : Regimen
        As it would be prescribed.
    cycle : Cycle
        Its repeating pattern.
    form : str
        ``"tablet"`` or ``"solution"``; ``"unknown"`` only for a regimen already taken.
    pattern : str
        ``"daily"``, ``"alternate-days"``, ``"twice-daily"``, or ``"other"`` for one already taken.
    portions : tuple of tuple of Portion
        For each intake of the cycle; empty where the products cannot make the dose.
    """

    regimen: Regimen
    cycle: Cycle
    form: str
    pattern: str
    portions: tuple[tuple[Portion, ...], ...]

    @property
    def daily_mg(self) -> float:
        """Mean daily dose, without the last digits of a division."""
        return round(self.cycle.daily_mg, 9)

    @property
    def message(self) -> Message:
        """The regimen in words, such as "2 mg daily"."""
        amounts = self.cycle.amount_mg
        if self.pattern == "twice-daily":
            return info("dosing.regimen-twice-daily", morning_mg=amounts[0], evening_mg=amounts[1])
        if self.pattern == "other":
            return info("dosing.regimen-other", daily_mg=round(self.daily_mg, 3))
        return info(f"dosing.regimen-{self.pattern}", dose_mg=amounts[0])


@cache
def default_products() -> ProductList:
    """Return the list used when a site has none: tablets of 0.5, 1, 2 mg and the 1 mg/mL solution.

    >>> default_products().forms
    ('tablet', 'solution')
    """
    return read_products(files("sirolens.dosing").joinpath("data", "products.toml").read_text(encoding="utf-8"))


def read_products(text: str) -> ProductList:
    """Read a site's product list from TOML text laid out like ``dosing/data/products.toml``.

    Raises
    ------
    InputError
        ``protocol.products-unreadable`` or what `Product` and `ProductList` raise.
    """
    try:
        entry = tomllib.loads(text)
        origin = dict(entry["source"])
        listed = tuple(Product(**product) for product in entry["product"])
        return ProductList(
            name=entry["name"],
            products=listed,
            most_tablets=entry["most_tablets"],
            source=Source(mark=Mark(origin.pop("mark")), **origin),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as fault:
        raise InputError(error("protocol.products-unreadable", reason=str(fault))) from fault


@cache
def _tablet_combinations(products: ProductList) -> dict[int, tuple[int, ...]]:
    """Each amount (micrograms) that at most `most_tablets` whole tablets make -> strengths, fewest tablets."""
    strengths = sorted({p.unit_ug for p in products.products if p.form == "tablet"}, reverse=True)
    made: dict[int, tuple[int, ...]] = {0: ()}
    newest = dict(made)
    for _ in range(products.most_tablets):
        grown: dict[int, tuple[int, ...]] = {}
        for amount, used in newest.items():
            for strength in strengths:
                if amount + strength not in made and amount + strength not in grown:
                    grown[amount + strength] = (*used, strength)
        made.update(grown)
        newest = grown
    del made[0]
    return made


def doses(products: ProductList, form: str, *, up_to_mg: float) -> tuple[float, ...]:
    """Return the single doses a form can make, ascending.

    Parameters
    ----------
    products : ProductList
        The site's.
    form : str
        ``"tablet"`` or ``"solution"``.
    up_to_mg : float
        The largest wanted.

    Examples
    --------
    >>> doses(default_products(), "tablet", up_to_mg=2)
    (0.5, 1.0, 1.5, 2.0)
    >>> doses(default_products(), "solution", up_to_mg=0.3)
    (0.1, 0.2, 0.3)
    """
    limit_ug = math.floor(up_to_mg * 1000 + 1e-6)
    if form == "tablet":
        amounts = {amount for amount in _tablet_combinations(products) if amount <= limit_ug}
    else:
        steps = {p.unit_ug for p in products.products if p.form == form}
        amounts = {step * count for step in steps for count in range(1, limit_ug // step + 1)}
    return tuple(amount / 1000 for amount in sorted(amounts))


def portions(products: ProductList, form: str, dose_mg: float) -> tuple[Portion, ...] | None:
    """Return what makes a dose exactly, or None when nothing does.

    >>> [(p.tablets, p.product.strength_mg) for p in portions(default_products(), "tablet", 2.5)]
    [(1, 2.0), (1, 0.5)]
    >>> portions(default_products(), "tablet", 0.37) is None
    True
    """
    amount_ug = round(dose_mg * 1000)
    if abs(dose_mg * 1000 - amount_ug) > 1e-6:
        return None
    listed = [p for p in products.products if p.form == form]
    if form == "tablet":
        used = _tablet_combinations(products).get(amount_ug)
        if used is None:
            return None
        by_strength = {p.unit_ug: p for p in listed}
        return tuple(
            Portion(product=by_strength[strength], tablets=used.count(strength))
            for strength in sorted(set(used), reverse=True)
        )
    for product in listed:
        if amount_ug > 0 and amount_ug % product.unit_ug == 0:
            return (Portion(product=product, volume_ml=amount_ug / 1000 / product.mg_per_ml),)
    return None


def smallest_step_mg(products: ProductList, form: str) -> float:
    """Return the smallest difference between two doses of a form: one dose step.

    >>> smallest_step_mg(default_products(), "tablet")
    0.5
    """
    units = [p.unit_ug for p in products.products if p.form == form]
    return (min(units) if units else min(p.unit_ug for p in products.products)) / 1000


def practical(
    products: ProductList, form: str, pattern: str, dose_mg: tuple[float, ...], clock: time
) -> PracticalRegimen:
    """Build one practical regimen; the doses must be ones that `portions` can make."""
    if pattern == "daily":
        regimen = daily(dose_mg[0], at=clock)
    elif pattern == "alternate-days":
        regimen = alternate_days(dose_mg[0], at=clock)
    else:
        regimen = twice_daily(dose_mg[0], dose_mg[1], at=(clock, time((clock.hour + 12) % 24, clock.minute)))
    repeated = cycle(regimen)
    assert repeated is not None
    made = tuple(portions(products, form, amount_mg) for amount_mg in dose_mg)
    return PracticalRegimen(
        regimen=regimen,
        cycle=repeated,
        form=form,
        pattern=pattern,
        portions=tuple(portion for portion in made if portion is not None),
    )


def regimens(
    products: ProductList, form: str, *, up_to_daily_mg: float, split: bool = False, clock: time = MORNING
) -> tuple[PracticalRegimen, ...]:
    """Return every practical regimen of a form up to a daily dose, by daily dose.

    Alternate-day regimens are listed for low tablet doses whose daily mean cannot be taken every day; split ones, when
    asked for, as two doses equal or one step apart.

    Examples
    --------
    >>> [r.daily_mg for r in regimens(default_products(), "tablet", up_to_daily_mg=2)]
    [0.25, 0.5, 0.75, 1.0, 1.5, 2.0]
    """
    single = doses(products, form, up_to_mg=up_to_daily_mg)
    found = [practical(products, form, "daily", (dose_mg,), clock) for dose_mg in single]
    daily_ug = {round(dose_mg * 1000) for dose_mg in single}
    if form == "tablet":
        found += [
            practical(products, form, "alternate-days", (dose_mg,), clock)
            for dose_mg in single
            if round(dose_mg * 500) not in daily_ug and dose_mg / 2 < ALTERNATE_BELOW_MG
        ]
    if split:
        found += [
            practical(products, form, "twice-daily", (first, second), clock)
            for index, second in enumerate(single)
            for first in single[index : index + 2]
            if first + second <= up_to_daily_mg + 1e-9
        ]
    return tuple(sorted(found, key=lambda regimen: (regimen.daily_mg, regimen.pattern)))
