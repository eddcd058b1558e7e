# SPDX-License-Identifier: Apache-2.0
"""The protocol and the rules around it: claims A1-A3, the label's rules, and every limit as a sourced setting.

`claim_for` gives the starting and maintenance doses for an age, `Settings` every limit the advice keeps; both come from
``data/protocol.toml``, each value with its source and mark. A site changes a setting with `changed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, final

from sirolens.dosing.literature import source, sourced, table
from sirolens.errors import InputError
from sirolens.message import Message, error, info
from sirolens.source import Source, Sourced

__all__ = [
    "Claim",
    "Settings",
    "changed",
    "claim_for",
    "default_settings",
    "listed",
    "published_regimens",
    "start_to_maintenance",
]

Range = tuple[float, float]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What the source study did for one age group.

    Parameters
    ----------
    id : str
        ``"A1"`` for adults, ``"A2"`` for children.
    start_mg, maintenance_mg : Sourced
        Lowest and highest daily dose, mg.
    target_ng_ml : Sourced
        Lower and upper limit of the whole-blood trough (A3).
    """

    id: str
    start_mg: Sourced[Range]
    maintenance_mg: Sourced[Range]
    target_ng_ml: Sourced[Range]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every limit the advice keeps, each with its unit, source and mark (``data/protocol.toml`` says why)."""

    soft_daily_cap_mg: Sourced[float]
    hard_daily_cap_mg: Sourced[float]
    label_daily_cap_mg: Sourced[float]
    largest_step_ratio: Sourced[float]
    days_before_next_change: Sourced[tuple[int, int]]
    loading_factor: Sourced[float]
    loading_check_days: Sourced[tuple[int, int]]
    loading_least_age_years: Sourced[float]
    first_level_days: Sourced[tuple[int, int]]
    early_level_days: Sourced[tuple[int, int]]
    stable_interval_days: Sourced[int]
    repeat_level_days: Sourced[tuple[int, int]]
    trough_window_h: Sourced[Range]
    known_after_days: Sourced[int]
    keep_margin_probability: Sourced[float]
    least_in_range_probability: Sourced[float]
    far_outside_probability: Sourced[float]
    wide_band_ratio: Sourced[float]
    disagreement_ratio: Sourced[float]
    solution_step_mg: Sourced[float]
    hold_level_ratio: Sourced[float]
    plausible_level_ng_ml: Sourced[Range]
    low_haematocrit_percent: Sourced[float]
    platelet_fall_ratio: Sourced[float]
    platelet_window_days: Sourced[int]
    level_rise_ratio: Sourced[float]
    adult_age_years: Sourced[float]
    least_age_years: Sourced[float]
    least_weight_kg: Sourced[float]
    range_age_years: Sourced[float]
    paediatric_weight_kg: Sourced[Range]
    high_bilirubin_umol_l: Sourced[float]
    review_days: Sourced[int]
    futility_days: Sourced[int]
    response_count_10e9_l: Sourced[float]
    complete_count_10e9_l: Sourced[float]
    taper_after_days: Sourced[int]
    taper_step_mg: Sourced[float]
    taper_every_days: Sourced[int]
    surgery_hold_days: Sourced[int]
    hold_infection_grade: Sourced[int]
    high_triglyceride_mmol_l: Sourced[float]
    high_cholesterol_mmol_l: Sourced[float]
    high_urine_protein_mg_mg: Sourced[float]


@cache
def default_settings() -> Settings:
    """Return the settings as shipped.

    >>> default_settings().hard_daily_cap_mg.value
    6.0
    """
    entries = table("protocol")["settings"]
    return Settings(**{name: sourced(entry) for name, entry in entries.items()})


def changed(settings: Settings, values: Mapping[str, float | tuple[float, float]], *, origin: Source) -> Settings:
    """Return settings with some values replaced, marked with who changed them and why.

    Parameters
    ----------
    settings : Settings
        To start from.
    values : mapping
        New values by the name of the setting, in its unit.
    origin : Source
        Who decided and why; shown wherever the setting is.

    Raises
    ------
    InputError
        ``protocol.unknown-setting``, ``protocol.setting-not-positive`` or, for a hard cap above the label's,
        ``protocol.cap-above-label``.

    Examples
    --------
    >>> from sirolens.source import Mark, Source
    >>> ours = Source(title="Site decision", mark=Mark.JUDGE)
    >>> changed(default_settings(), {"soft_daily_cap_mg": 3.0}, origin=ours).soft_daily_cap_mg.value
    3.0
    """
    known = {field.name for field in fields(Settings)}
    faults: list[Message] = []
    for name, value in values.items():
        if name not in known:
            faults.append(error("protocol.unknown-setting", name=name, known=tuple(sorted(known))))
        elif min(value if isinstance(value, tuple) else (value,)) <= 0:
            faults.append(error("protocol.setting-not-positive", name=name, value=str(value)))
    if faults:
        raise InputError(*faults)
    replaced: dict[str, Any] = {
        name: Sourced(value=value, unit=getattr(settings, name).unit, source=origin) for name, value in values.items()
    }
    new = replace(settings, **replaced)
    if new.hard_daily_cap_mg.value > new.label_daily_cap_mg.value:
        raise InputError(
            error(
                "protocol.cap-above-label",
                cap_mg=new.hard_daily_cap_mg.value,
                label_cap_mg=new.label_daily_cap_mg.value,
                source=new.label_daily_cap_mg.source,
            )
        )
    return new


def listed(settings: Settings) -> tuple[tuple[Message, Sourced[Any]], ...]:
    """Return every setting with its name in words, for the page that shows what the advice rests on."""
    names = (field.name for field in fields(Settings))
    return tuple((info(f"protocol.setting-{name.replace('_', '-')}"), getattr(settings, name)) for name in names)


def claim_for(age_years: float, settings: Settings) -> Claim:
    """Return the claim that covers an age: A1 for adults, A2 for children; the target (A3) is the same.

    >>> claim_for(8, default_settings()).maintenance_mg.value
    (0.5, 1.0)
    """
    name = "A1" if age_years >= settings.adult_age_years.value else "A2"
    claims = table("protocol")["claims"]
    entry, target = claims[name], claims["A3"]

    def doses(key: str, entry: Mapping[str, object], unit: str) -> Sourced[Range]:
        value: Sourced[Range] = sourced({"value": entry[key], "unit": unit, "source": entry["source"]})
        return value

    return Claim(
        id=name,
        start_mg=doses("start_mg", entry, "mg"),
        maintenance_mg=doses("maintenance_mg", entry, "mg"),
        target_ng_ml=doses("target_ng_ml", target, "ng/mL"),
    )


def published_regimens() -> tuple[Message, ...]:
    """Return what was published for infants, for whom no dose is computed."""
    return tuple(
        info(f"protocol.published-{entry['name']}", source=source(entry["source"]))
        for entry in table("protocol")["published"]
    )


def start_to_maintenance(claim: Claim, settings: Settings) -> tuple[Message, ...]:
    """Say when the starting dose gives way to the maintenance dose.

    The source study prints both ranges and no day for the change; the rule shown is that the first steady-state trough
    decides, and the three-month review at the latest.
    """
    low, high = settings.first_level_days.value
    return (
        info(
            "protocol.doses",
            source=claim.start_mg.source,
            claim=claim.id,
            start_low_mg=claim.start_mg.value[0],
            start_high_mg=claim.start_mg.value[1],
            maintenance_low_mg=claim.maintenance_mg.value[0],
            maintenance_high_mg=claim.maintenance_mg.value[1],
        ),
        info(
            "protocol.target",
            source=claim.target_ng_ml.source,
            low_ng_ml=claim.target_ng_ml.value[0],
            high_ng_ml=claim.target_ng_ml.value[1],
        ),
        info(
            "protocol.start-to-maintenance",
            source=settings.first_level_days.source,
            from_d=low,
            to_d=high,
            review_d=settings.review_days.value,
        ),
    )
