# SPDX-License-Identifier: Apache-2.0
"""What else changes a patient's sirolimus: other drugs, food and the liver, as dated multipliers and as messages.

`assess` reads the chart and returns `Effect`: multipliers of clearance and of bioavailability, with the days they hold.
`segments` joins effects into one piecewise-constant timeline, `multipliers` gives each model what it does not know
itself. What has no sourced ratio in `sirolens.dosing.interaction_table` is only said, never applied.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import inf
from typing import final
from zoneinfo import ZoneInfo

from sirolens.chart import Chart, Therapy
from sirolens.dosing.interaction_table import Perpetrator, Split, entries_of, perpetrators
from sirolens.dosing.literature import source, sourced, table
from sirolens.message import Message, Severity, Value, checked, info, warning
from sirolens.models.population import PopulationModel
from sirolens.models.timeline import Multiplier
from sirolens.source import Source

__all__ = ["Effect", "Segment", "assess", "ended", "known_drugs", "multipliers", "segments"]

DAYS_STILL_SAID = 30
"""How long after its end a co-medication is still spoken of."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A dated change of clearance and bioavailability.

    Parameters
    ----------
    cause : str
        The perpetrator's name, ``"food"`` or ``"liver"``.
    kind : str
        ``"inhibitor"``, ``"inducer"``, ``"food"`` or ``"liver"``.
    split : Split
        The multipliers at full effect.
    start : datetime, optional
        When it began; None: it always held.
    full : datetime, optional
        From when it is full; between `start` and `full` half of it (geometrically) is assumed.
    stop : datetime, optional
        When its cause ended; None: it still holds.
    gone : datetime, optional
        When it has worn off; between `stop` and `gone` half of it is assumed.
    auc_low, auc_high : float
        Interval of the ratio of exposure.
    overlaps : tuple of str
        Covariates that already carry this effect: a model with one of them must not be given it again.
    source : Source
        Where the size comes from.
    """

    cause: str
    kind: str
    split: Split
    auc_low: float
    auc_high: float
    source: Source
    start: datetime | None = None
    full: datetime | None = None
    stop: datetime | None = None
    gone: datetime | None = None
    overlaps: tuple[str, ...] = ()

    def share(self, at: datetime) -> float:
        """Return how much of the effect holds at an instant: 0, 0.5 or 1."""
        if (self.start is not None and at < self.start) or (self.gone is not None and at >= self.gone):
            return 0.0
        rising = self.full is not None and at < self.full
        falling = self.stop is not None and at >= self.stop
        return 0.5 if rising or falling else 1.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Multipliers from an instant on, until the next segment; `at` None: from the beginning."""

    at: datetime | None
    clearance: float
    bioavailability: float


def known_drugs() -> frozenset[str]:
    """Return every name and spelling in the interaction table."""
    return frozenset(name for entry in perpetrators() for name in (entry.name, *entry.aliases))


def assess(chart: Chart, at: datetime, *, child: bool = False) -> tuple[tuple[Effect, ...], tuple[Message, ...]]:
    """Find what changes this patient's sirolimus.

    Parameters
    ----------
    chart : Chart
        What is known at `at`.
    at : datetime
        The instant of the advice.
    child : bool
        Whether entries for children go first.

    Returns
    -------
    effects : tuple of Effect
        Every sourced change since the beginning of the chart, past ones too: they explain past levels.
    messages : tuple of Message
        What to say about those in force or ended within the last 30 days.
    """
    zone = ZoneInfo(chart.zone)
    effects: list[Effect] = []
    messages: list[Message] = []
    for therapy in sorted(chart.therapies, key=lambda t: t.at):
        entries = entries_of(therapy.drug, child=child)
        if entries and entries[0].applied:
            effects.append(_effect(therapy, entries[0]))
        if therapy.stop is None or at - therapy.stop <= timedelta(days=DAYS_STILL_SAID):
            messages.extend(_said(therapy, entries, at, zone))
    now = [effect for effect in effects if effect.share(at) > 0.0]
    for kind in ("inhibitor", "inducer"):
        causes = {effect.cause for effect in now if effect.kind == kind}
        if len(causes) > 1:
            messages.append(warning(f"interactions.several-{kind}s", drugs=tuple(sorted(causes))))
    food_effects, food_messages = _food(chart)
    liver_effects, liver_messages = _liver(chart)
    return (*effects, *food_effects, *liver_effects), (*messages, *food_messages, *liver_messages)


def _effect(therapy: Therapy, entry: Perpetrator) -> Effect:
    assert entry.split is not None
    assert entry.auc is not None
    settling = table("interactions")["settling"]
    inducer = entry.kind == "inducer"
    wearing_off = timedelta(days=sourced(settling["inducer_days" if inducer else "inhibitor_days"]).value)
    return Effect(
        cause=entry.name,
        kind=entry.kind,
        split=entry.split,
        auc_low=entry.auc if entry.auc_low is None else entry.auc_low,
        auc_high=entry.auc if entry.auc_high is None else entry.auc_high,
        source=entry.source,
        start=therapy.at,
        full=therapy.at + wearing_off if inducer else therapy.at,
        stop=therapy.stop,
        gone=None if therapy.stop is None else therapy.stop + wearing_off,
        overlaps=(entry.name,),
    )


def _said(therapy: Therapy, entries: tuple[Perpetrator, ...], at: datetime, zone: ZoneInfo) -> Iterable[Message]:
    """Say what is known of one co-medication."""
    if not entries:
        if therapy.role in ("co-medication", "unknown") and therapy.stop is None:
            yield info("interactions.not-in-table", drug=therapy.drug)
        return
    entry, drug = entries[0], entries[0].name
    if therapy.stop is not None and therapy.stop <= at:
        if entry.kind in ("inhibitor", "inducer", "caution"):
            code = "interactions.ended-inducer" if entry.kind == "inducer" else "interactions.ended-inhibitor"
            yield warning(code, source=entry.source, drug=drug, stop_date=therapy.stop.astimezone(zone).date())
        return
    if entry.kind == "none":
        code = "interactions.none-expected" if entry.evidence == "unverified" else "interactions.none-seen"
        yield checked(code, source=entry.source, drug=drug)
        return
    yield from _in_force(therapy.at.astimezone(zone).date(), entry)
    for other in entries[1:]:
        if other.auc is not None and entry.auc is not None:
            yield info(
                "interactions.sources-disagree",
                source=other.source,
                drug=drug,
                auc_ratio=entry.auc,
                other_auc_ratio=other.auc,
            )
    if entry.name == "clarithromycin":
        yield info("interactions.helicobacter-without-clarithromycin", source=source("clarithromycin"))
    if entry.name == "ciclosporin":
        yield info("interactions.ciclosporin-spacing", source=source("label-dosage"), spacing_h=4)


def _in_force(start_date: date, entry: Perpetrator) -> Iterable[Message]:
    raises, drug = entry.kind != "inducer", entry.name
    if entry.auc is None:
        if entry.evidence == "unverified":
            yield info("interactions.unverified", source=entry.source, drug=drug)
        elif entry.kind == "caution":
            yield warning("interactions.caution", source=entry.source, drug=drug, start_date=start_date)
        else:
            severity = Severity.CRITICAL if entry.avoid and raises else Severity.WARNING
            yield _with(severity, f"interactions.listed-{entry.kind}", entry.source, drug=drug, start_date=start_date)
        return
    # Only a rise of exposure can harm by an increase of dose, so only inhibitors may hide the increases.
    severity = Severity.CRITICAL if entry.avoid and raises else Severity.WARNING
    values: dict[str, Value] = {"drug": drug, "auc_ratio": entry.auc, "start_date": start_date}
    values["evidence"] = info(f"interactions.evidence-{entry.evidence}")
    if entry.avoid:
        yield _with(severity, f"interactions.avoid-{'inhibitor' if raises else 'inducer'}", entry.source, **values)
    else:
        yield _with(severity, f"interactions.ratio-{'inhibitor' if raises else 'inducer'}", entry.source, **values)
    if entry.auc_low is not None and entry.auc_high is not None:
        yield info(
            "interactions.interval", source=entry.source, drug=drug, low_ratio=entry.auc_low, high_ratio=entry.auc_high
        )
    if not entry.applied:
        yield info("interactions.not-applied", source=entry.source, drug=drug)
    elif entry.split is not None and len(entry.split.extremes) > 1:
        (cl_all, _), (_, f_all) = entry.split.extremes
        yield info(
            "interactions.split-unknown",
            drug=drug,
            clearance_ratio=round(cl_all, 2),
            bioavailability_ratio=round(f_all, 2),
        )


def _with(severity: Severity, code: str, origin: Source, **values: Value) -> Message:
    return Message(code=code, severity=severity, items=tuple(sorted(values.items())), source=origin)


def _food(chart: Chart) -> tuple[list[Effect], list[Message]]:
    """Changes between fed and fasted, relative to how the patient took it first."""
    zone = ZoneInfo(chart.zone)
    told = sorted((p for p in chart.prescriptions if p.food in ("fed", "fasted")), key=lambda p: p.at)
    effects: list[Effect] = []
    messages: list[Message] = []
    if not told:
        return effects, messages
    messages.append(info("interactions.food-always-alike", source=source("label-dosage")))
    usual = told[0].food
    for index, prescription in enumerate(told[1:], start=1):
        entry = table("interactions")["food"]["solution" if prescription.form == "solution" else "tablet"]
        if prescription.food != told[index - 1].food:
            ratio = entry["auc"] if prescription.food == "fed" else 1.0 / entry["auc"]
            messages.append(
                warning(
                    f"interactions.food-changed-to-{prescription.food}",
                    source=source(entry["source"]),
                    start_date=prescription.at.astimezone(zone).date(),
                    auc_ratio=ratio,
                )
            )
        if prescription.food != usual:
            ratio = entry["auc"] if usual == "fasted" else 1.0 / entry["auc"]
            stop = told[index + 1].at if index + 1 < len(told) else prescription.stop
            division = Split(clearance=1.0, bioavailability=ratio, extremes=((1.0, ratio),), by="half-life")
            effects.append(
                Effect(
                    cause="food",
                    kind="food",
                    split=division,
                    auc_low=ratio,
                    auc_high=ratio,
                    source=source(entry["source"]),
                    start=prescription.at,
                    full=prescription.at,
                    stop=stop,
                    gone=stop,
                )
            )
    return effects, messages


def _liver(chart: Chart) -> tuple[list[Effect], list[Message]]:
    """Child-Pugh points: each class from its first record on, the first from the beginning."""
    scores = sorted((lab for lab in chart.labs if lab.name == "child_pugh"), key=lambda lab: lab.at)
    classes = table("interactions")["liver"]
    found: list[tuple[datetime, str]] = []
    for lab in scores:
        name = next((c for c, entry in classes.items() if entry["points"][0] <= lab.value <= entry["points"][1]), None)
        if name is not None and (not found or found[-1][1] != name):
            found.append((lab.at, name))
    effects: list[Effect] = []
    for index, (since, name) in enumerate(found):
        entry = classes[name]
        stop = found[index + 1][0] if index + 1 < len(found) else None
        clearance = entry["clearance"]
        effects.append(
            Effect(
                cause="liver",
                kind="liver",
                split=Split(clearance=clearance, bioavailability=1.0, extremes=((clearance, 1.0),), by="clearance"),
                auc_low=1.0 / clearance,
                auc_high=1.0 / clearance,
                source=source(entry["source"]),
                start=None if index == 0 else since,
                stop=stop,
                gone=stop,
                overlaps=("ast", "bilirubin"),
            )
        )
    if not found:
        return effects, []
    entry = classes[found[-1][1]]
    say = warning(
        "interactions.liver",
        source=source("label-hepatic"),
        child_pugh_class=found[-1][1],
        dose_percent=round(100 * entry["dose_factor"]),
        clearance_ratio=entry["clearance"],
    )
    return effects, [say]


def ended(effects: Iterable[Effect], at: datetime) -> tuple[Effect, ...]:
    """Return the effects as if every other drug still at work were gone at an instant: the past stays what it was.

    With it the dose after an interacting drug has gone can be estimated from levels drawn under it.
    """
    return tuple(
        replace(effect, stop=at, gone=at)
        if effect.kind in ("inhibitor", "inducer") and (effect.gone is None or effect.gone > at)
        else effect
        for effect in effects
        if effect.start is None or effect.start < at
    )


def segments(effects: Iterable[Effect], *, covariates: frozenset[str] = frozenset()) -> tuple[Segment, ...]:
    """Join effects into one timeline of multipliers.

    Of several inhibitors in force the strongest counts alone, and likewise of inducers; the kinds multiply (a choice
    without a source, said to the reader by ``interactions.several-...``).

    Parameters
    ----------
    effects : iterable of Effect
        From `assess`.
    covariates : frozenset of str
        Covariates the model already has: effects that overlap with one are left out.

    Returns
    -------
    tuple of Segment
        Ascending; the first starts at the beginning (`at` None).
    """
    used = [effect for effect in effects if not covariates.intersection(effect.overlaps)]
    edges = {t for e in used for t in (e.start, e.full, e.stop, e.gone) if t is not None}
    first = min(edges, default=None)
    # Before the first edge only what always held is in force.
    line = [_joined(None, used, None if first is None else first - timedelta(days=1))]
    for edge in sorted(edges):
        segment = _joined(edge, used, edge)
        if (segment.clearance, segment.bioavailability) != (line[-1].clearance, line[-1].bioavailability):
            line.append(segment)
    return tuple(line)


def _joined(at: datetime | None, effects: Iterable[Effect], instant: datetime | None) -> Segment:
    strongest: dict[str, tuple[float, float, float]] = {}
    for effect in effects:
        share = effect.share(instant) if instant is not None else float(effect.start is None)
        clearance, bioavailability = effect.split.clearance**share, effect.split.bioavailability**share
        size = abs(bioavailability / clearance - 1.0) if bioavailability >= clearance else clearance / bioavailability
        key = effect.kind
        if share > 0.0 and (key not in strongest or size > strongest[key][0]):
            strongest[key] = (size, clearance, bioavailability)
    total_cl = total_f = 1.0
    for kind in sorted(strongest):
        total_cl *= strongest[kind][1]
        total_f *= strongest[kind][2]
    return Segment(at=at, clearance=total_cl, bioavailability=total_f)


def multipliers(effects: Iterable[Effect], model: PopulationModel, origin: datetime) -> tuple[Multiplier, ...]:
    """Return the multipliers one model is to be given, as a `sirolens.models.timeline.History` carries them.

    An effect that a covariate of the model already describes (silymarin in Jiao 2009, a liver value) is left out.

    Parameters
    ----------
    effects : iterable of Effect
        From `assess`.
    model : PopulationModel
        Which; its covariates are looked at.
    origin : datetime
        Hour zero of the history.
    """
    known = frozenset(covariate.chart.rpartition(":")[2] for covariate in model.covariates)
    line = segments(effects, covariates=known)
    hour_of = [-inf if one.at is None else (one.at - origin) / timedelta(hours=1) for one in line]
    return tuple(
        Multiplier(
            start_h=start_h,
            stop_h=stop_h,
            clearance=one.clearance,
            bioavailability=one.bioavailability,
            name="interactions",
        )
        for one, start_h, stop_h in zip(line, hour_of, [*hour_of[1:], inf], strict=True)
        if (one.clearance, one.bioavailability) != (1.0, 1.0)
    )
