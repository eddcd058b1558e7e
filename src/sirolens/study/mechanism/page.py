# SPDX-License-Identifier: Apache-2.0
"""The pages on the mechanism: how the calibration fared, what decides the outcome, who benefits; framed as research."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sirolens.message import Message, info, warning
from sirolens.report.document import (
    Block,
    Cell,
    Document,
    Figure,
    Findings,
    Frame,
    Heading,
    Headline,
    Interval,
    Paragraph,
    Table,
)
from sirolens.report.phenotype_figure import PhenotypeMap, Share
from sirolens.report.tornado_figure import Tornado, TornadoBar
from sirolens.study.calibration.targets import Check, calibration_targets, validation_targets
from sirolens.study.mechanism.benefit import Forecast, Gain, Subgroup
from sirolens.study.mechanism.calibration_checks import CheckResult
from sirolens.study.mechanism.calibration_results import CalibrationResults
from sirolens.study.mechanism.sensitivity import Influence
from sirolens.study.page_parts import table_of

__all__ = ["ASSUMPTIONS", "benefit_document", "sensitivity_document", "targets_document"]

ASSUMPTIONS = ("calibrated", "dependence", "links", "small-studies", "children")
"""What every statement on these pages hangs on; said on each."""
SHOWN_THRESHOLDS = (0.3, 0.5, 0.7)


def _framed(title: Message, blocks: Sequence[Block], version: str) -> Document:
    """Put a page into its research frame, with what it hangs on at the end."""
    hangs = Findings(messages=tuple(warning(f"calibration.hangs-on-{name}") for name in ASSUMPTIONS))
    closing = (Heading(text=info("calibration.heading-hangs-on")), hangs)
    return Document(title=title, blocks=(Frame(blocks=(*blocks, *closing)),), version=version)


def _percent(middle: float, low: float, high: float) -> Interval | None:
    if not math.isfinite(middle):
        return None
    return Interval(middle=round(100 * middle, 1), low=round(100 * low, 1), high=round(100 * high, 1))


def _two(value: float) -> float | None:
    return float(f"{value:.3g}") if math.isfinite(value) else None


def targets_document(results: CalibrationResults, *, version: str) -> Document:
    """Lay out what was fitted, what was checked, and why cohorts may differ.

    Parameters
    ----------
    results : CalibrationResults
        The shipped ones.
    version : str
        Of the program.
    """
    checks = validation_targets().checks
    hits = sum(one.hit for one in results.checks)
    headline = Headline(
        text=warning("calibration.headline-targets", hits=hits, checks=len(results.checks)),
        details=(info("calibration.headline-not-validated"),),
    )
    blocks: list[Block] = [
        headline,
        Heading(text=info("calibration.heading-fitted")),
        _fitted(results),
        Heading(text=info("calibration.heading-checked")),
        _checked(results.checks, checks),
        Heading(text=info("calibration.heading-cohorts")),
        _explanations(results.evidence),
    ]
    return _framed(info("calibration.title-targets"), blocks, version)


def _fitted(results: CalibrationResults) -> Table:
    marks = {one.name: one.mark for one in calibration_targets().targets}
    rows = [
        (
            info(f"calibration.target-{one.target}"),
            info(f"calibration.outcome-{one.outcome}"),
            f"{one.count}/{one.patients}",
            _percent(one.rate, one.low, one.high),
            info(f"calibration.mark-{marks[one.target]}"),
        )
        for one in results.fitted
    ]
    columns = [
        (info("calibration.column-target"), "target"),
        (info("calibration.column-outcome"), "outcome"),
        (info("calibration.column-published"), "published"),
        (info("calibration.column-model"), "rate_percent"),
        (info("calibration.column-mark"), "mark"),
    ]
    missed = [i for i, one in enumerate(results.fitted) if not one.low <= one.count / one.patients <= one.high]
    notes = (info("calibration.note-fitted"),)
    return table_of(columns, rows, caption=info("calibration.caption-fitted"), notes=notes, marked=missed)


def _checked(found: Sequence[CheckResult], checks: Sequence[Check]) -> Table:
    by_name = {one.name: one for one in found}
    rows: list[Sequence[Cell]] = []
    missed = []
    for i, check in enumerate(checks):
        one = by_name[check.name]
        if not one.hit:
            missed.append(i)
        model: Cell = _two(one.middle)
        if math.isfinite(one.middle) and one.low != one.high:
            model = Interval(middle=_two(one.middle) or 0.0, low=_two(one.low) or 0.0, high=_two(one.high) or 0.0)
        rows.append(
            (
                info(f"calibration.check-{check.name}"),
                _expected(check, one),
                model,
                info("calibration.hit") if one.hit else info("calibration.miss"),
                info("calibration.independent") if check.independent else info("calibration.not-independent"),
            )
        )
    columns = [
        (info("calibration.column-target"), "target"),
        (info("calibration.column-published"), "published"),
        (info("calibration.column-model-95"), "model"),
        (info("calibration.column-verdict"), "verdict"),
        (info("calibration.column-independent"), "independent"),
    ]
    notes = (info("calibration.note-checked"),)
    return table_of(columns, rows, caption=info("calibration.caption-checked"), notes=notes, marked=missed)


def _expected(check: Check, one: CheckResult) -> Cell:
    if check.rule == "interval":
        return _two(one.observed)
    if check.rule == "range":
        return info("calibration.expected-range", low=check.told["low"], high=check.told["high"])
    return info("calibration.expected-direction", least_probability=check.told["at_least"])


def _explanations(evidence: Mapping[str, float]) -> Table:
    rows = [(info(f"calibration.explanation-{name}"), round(value, 2)) for name, value in evidence.items()]
    columns = [
        (info("calibration.column-explanation"), "explanation"),
        (info("calibration.column-evidence"), "evidence"),
    ]
    return table_of(
        columns, rows, caption=info("calibration.caption-cohorts"), notes=(info("calibration.note-cohorts"),)
    )


def sensitivity_document(found: Sequence[Influence], *, version: str) -> Document:
    """Lay out which inputs decide the count and the response on day 90.

    Parameters
    ----------
    found : sequence of Influence
        Of every structure and outcome.
    version : str
        Of the program.
    """
    outcomes = tuple(dict.fromkeys(one.outcome for one in found))
    blocks: list[Block] = [
        Headline(
            text=warning("calibration.headline-sensitivity", structures=len({one.structure for one in found})),
            details=(info("calibration.headline-not-validated"),),
        )
    ]
    for outcome in outcomes:
        own = [one for one in found if one.outcome == outcome]
        blocks += [
            Heading(text=info(f"calibration.outcome-{outcome}")),
            Figure(
                name=f"tornado-{outcome}",
                drawing=_tornado(own),
                alt=info("calibration.alt-tornado"),
                caption=info("calibration.caption-tornado"),
            ),
            _influence_table(own),
        ]
    failed = sum(one.failed for one in found if one.outcome == outcomes[0])
    blocks.append(
        Paragraph(sentences=(info("calibration.note-sensitivity"), info("calibration.failed", failed=failed)))
    )
    return _framed(info("calibration.title-sensitivity"), blocks, version)


def _names(own: Sequence[Influence]) -> tuple[str, ...]:
    return tuple(one.name for one in own[0].partial)


def _input(name: str) -> Message:
    return info(f"calibration.input-{name.lower()}")


def _range(values: Sequence[float]) -> tuple[float, float, float]:
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return math.nan, math.nan, math.nan
    return sum(known) / len(known), min(known), max(known)


def _tornado(own: Sequence[Influence]) -> Tornado:
    bars = []
    for j, name in enumerate(_names(own)):
        middle, low, high = _range([one.partial[j].value for one in own])
        side = (middle, 0.0) if middle < 0.0 else (0.0, middle)
        bars.append(
            TornadoBar(name=_input(name), low=side[0], high=side[1], interval=(low, high), text=f"{middle:+.2f}")
        )
    return Tornado(bars=tuple(bars), reference=0.0, axis=info("calibration.axis-prcc"))


def _influence_table(own: Sequence[Influence]) -> Table:
    rows: list[Sequence[Cell]] = []
    for j, name in enumerate(_names(own)):
        partial = _range([one.partial[j].value for one in own])
        inside = (min(one.partial[j].low for one in own), max(one.partial[j].high for one in own))
        first = _range([one.sobol[j].first for one in own if one.sobol])
        total = _range([one.sobol[j].total for one in own if one.sobol])
        half = max((one.sobol[j].total_half for one in own if one.sobol), default=math.nan)
        rows.append(
            (_input(name), _cell(partial), _cell((partial[0], *inside)), _cell(first), _cell(total), _two(half))
        )
    columns = [
        (info("calibration.column-input"), "input"),
        (info("calibration.column-prcc"), "prcc"),
        (info("calibration.column-prcc-interval"), "prcc_interval"),
        (info("calibration.column-first"), "first"),
        (info("calibration.column-total"), "total"),
        (info("calibration.column-total-half"), "total_half"),
    ]
    return table_of(columns, rows, caption=info("calibration.caption-influence"))


def _cell(found: tuple[float, float, float]) -> Interval | None:
    if not math.isfinite(found[0]):
        return None
    return Interval(middle=round(found[0], 2), low=round(found[1], 2), high=round(found[2], 2))


def benefit_document(
    forecasts: Sequence[Forecast],
    groups: Mapping[str, Sequence[Subgroup]],
    gains: Sequence[Gain],
    *,
    version: str,
) -> Document:
    """Lay out who responds in the model, how early it can be told, and what partners add.

    Parameters
    ----------
    forecasts : sequence of Forecast
        Classifiers.
    groups : mapping of str to sequence of Subgroup
        By structure.
    gains : sequence of Gain
        Partners; none: not asked for.
    version : str
        Of the program.
    """
    structures = tuple(groups)
    blocks: list[Block] = [
        Headline(
            text=warning("calibration.headline-benefit", structures=len(structures)),
            details=(info("calibration.headline-upper-bound"), info("calibration.headline-not-validated")),
        ),
        Heading(text=info("calibration.heading-forecast")),
        _forecast_table(forecasts),
        _decision_table(forecasts),
        _calibration_table(forecasts),
        Heading(text=info("calibration.heading-subgroups")),
        _subgroup_table(groups),
    ]
    if gains:
        blocks.append(Heading(text=info("calibration.heading-partners")))
        for day in dict.fromkeys(one.day for one in gains):
            own = [one for one in gains if one.day == day]
            blocks += [_gain_figure(own, day), _gain_table(own, day)]
        blocks.append(Paragraph(sentences=(info("calibration.note-partners"),)))
    return _framed(info("calibration.title-benefit"), blocks, version)


def _forecast_table(forecasts: Sequence[Forecast]) -> Table:
    rows = [
        (
            info(f"calibration.known-{one.known}"),
            info(f"calibration.kind-{one.kind}"),
            info(f"calibration.structure-{one.tested}"),
            Interval(
                middle=round(one.area.area, 2),
                low=round(one.area.interval.low, 2),
                high=round(one.area.interval.high, 2),
            ),
            round(one.brier, 3),
            round(one.brier_of_rate, 3),
            _two(one.calibration.slope),
        )
        for one in forecasts
    ]
    columns = [
        (info("calibration.column-known"), "known"),
        (info("calibration.column-kind"), "kind"),
        (info("calibration.column-tested"), "tested"),
        (info("calibration.column-area"), "area"),
        (info("calibration.column-brier"), "brier"),
        (info("calibration.column-brier-of-rate"), "brier_of_rate"),
        (info("calibration.column-slope"), "slope"),
    ]
    trained = info(f"calibration.structure-{forecasts[0].trained}")
    notes = (info("calibration.note-forecast", trained=trained, patients=forecasts[0].patients),)
    return table_of(columns, rows, caption=info("calibration.caption-forecast"), notes=notes)


def _own(forecasts: Sequence[Forecast]) -> list[Forecast]:
    return [one for one in forecasts if one.tested == one.trained and one.kind == "logistic"]


def _decision_table(forecasts: Sequence[Forecast]) -> Table:
    rows: list[Sequence[Cell]] = []
    for one in _own(forecasts):
        curve = one.decision
        for wanted in SHOWN_THRESHOLDS:
            at = min(range(curve.threshold.size), key=lambda i: abs(float(curve.threshold[i]) - wanted))
            rows.append(
                (
                    info(f"calibration.known-{one.known}"),
                    round(100 * float(curve.threshold[at])),
                    round(float(curve.model[at]), 3),
                    round(float(curve.everybody[at]), 3),
                )
            )
    columns = [
        (info("calibration.column-known"), "known"),
        (info("calibration.column-threshold"), "threshold_percent"),
        (info("calibration.column-benefit"), "benefit"),
        (info("calibration.column-everybody"), "everybody"),
    ]
    notes = (info("calibration.note-decision"),)
    return table_of(columns, rows, caption=info("calibration.caption-decision"), notes=notes)


def _calibration_table(forecasts: Sequence[Forecast]) -> Table:
    best = _own(forecasts)[-1]
    rows = [
        (round(100 * one.predicted, 1), _percent(one.observed, one.interval.low, one.interval.high), one.patients)
        for one in best.calibration.bins
    ]
    columns = [
        (info("calibration.column-predicted"), "predicted_percent"),
        (info("calibration.column-observed"), "observed_percent"),
        (info("calibration.column-patients"), "patients"),
    ]
    known = info(f"calibration.known-{best.known}")
    return table_of(columns, rows, caption=info("calibration.caption-calibration", known=known))


def _subgroup_table(groups: Mapping[str, Sequence[Subgroup]]) -> Table:
    names = tuple(dict.fromkeys(one.name for own in groups.values() for one in own))
    rows: list[Sequence[Cell]] = []
    for name in names:
        own = [one for found in groups.values() for one in found if one.name == name]
        difference = _range([one.rate - one.other for one in own])
        rows.append(
            (
                info(f"calibration.trait-{name}"),
                info("calibration.measurable") if own[0].measurable else info("calibration.latent"),
                _percent(*_range([one.rate for one in own])),
                _percent(*_range([one.other for one in own])),
                _percent(*difference),
                min(one.patients for one in own),
            )
        )
    columns = [
        (info("calibration.column-trait"), "trait"),
        (info("calibration.column-measurable"), "measurable"),
        (info("calibration.column-with"), "rate_percent"),
        (info("calibration.column-without"), "other_percent"),
        (info("calibration.column-difference"), "difference_percent"),
        (info("calibration.column-fewest"), "patients"),
    ]
    notes = (info("calibration.note-subgroups"),)
    return table_of(columns, rows, caption=info("calibration.caption-subgroups"), notes=notes)


def _gain_figure(own: Sequence[Gain], day: int) -> Figure:
    partners = tuple(dict.fromkeys(one.partner for one in own))
    traits = tuple(dict.fromkeys(one.phenotype for one in own))
    by = {(one.partner, one.phenotype): one for one in own}

    def share(partner: str, trait: str) -> Share:
        one = by.get((partner, trait))
        if one is None:
            return Share(middle=math.nan)
        return Share(middle=one.alone + one.middle, low=one.alone + one.low, high=one.alone + one.high)

    drawing = PhenotypeMap(
        rows=tuple(info(f"calibration.trait-{name}") for name in traits),
        columns=tuple(info(f"calibration.partner-{name}") for name in partners),
        shares=tuple(tuple(share(partner, trait) for partner in partners) for trait in traits),
        row_title=info("calibration.column-trait"),
        column_title=info("calibration.column-partner"),
    )
    return Figure(
        name=f"partners-{day}",
        drawing=drawing,
        alt=info("calibration.alt-partners", day=day),
        caption=info("calibration.caption-partners-figure", day=day),
    )


def _gain_table(own: Sequence[Gain], day: int) -> Table:
    rows = [
        (
            info(f"calibration.partner-{one.partner}"),
            info(f"calibration.trait-{one.phenotype}"),
            round(100 * one.alone, 1),
            _percent(one.middle, one.low, one.high),
            one.patients,
        )
        for one in own
    ]
    columns = [
        (info("calibration.column-partner"), "partner"),
        (info("calibration.column-trait"), "trait"),
        (info("calibration.column-alone"), "alone_percent"),
        (info("calibration.column-gain"), "gain_percent"),
        (info("calibration.column-fewest"), "patients"),
    ]
    return table_of(columns, rows, caption=info("calibration.caption-partners", day=day))
