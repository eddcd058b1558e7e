# SPDX-License-Identifier: Apache-2.0
"""The report of a virtual trial: one research frame with the design, how it behaves, and what it rests on."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sirolens.engine.statistics.proportion import clopper_pearson
from sirolens.message import Message, Value, info
from sirolens.report.document import (
    Cell,
    Document,
    Figure,
    Findings,
    Frame,
    Heading,
    Headline,
    Interval,
    KeyFact,
    KeyFacts,
    Table,
)
from sirolens.report.fan_figure import MOST_FANS, Fan, Fans
from sirolens.report.interval_figure import MOST_ESTIMATES, Estimate, Intervals
from sirolens.report.response_figure import ObservedRate, OutcomeCourse, ResponseCourse
from sirolens.study.cohort.comparison import comparators
from sirolens.study.page_parts import NamedTable, Part, blocks_of, percent_interval, table_of, tables_of
from sirolens.study.trial.characteristics import Proportion, Rate, Stopping
from sirolens.study.trial.recipe_design import OUTCOMES, Arm, ByGroup, Recipe
from sirolens.study.trial.run import TrialResult
from sirolens.study.trial.summaries import Quantiles

__all__ = ["recipe_card", "recipe_list", "trial_document", "trial_parts", "trial_tables"]

MOST_FIGURES = 4
SHOWN_OF_HASH = 16


def trial_document(result: TrialResult, *, version: str, language: str) -> Document:
    """Lay a virtual trial out as a document.

    Parameters
    ----------
    result : TrialResult
        What was computed.
    version : str
        Of the program.
    language : {"en", "zh"}
        For the titles and notes that a recipe gives in two languages.
    """
    blocks = blocks_of(trial_parts(result, language=language))
    return Document(
        title=info("trial.title"),
        banner=info("trial.banner", name=result.recipe.name),
        blocks=(Frame(blocks=blocks),),
        version=version,
    )


def trial_tables(result: TrialResult, *, language: str) -> dict[str, Table]:
    """Return every table of the report by its name."""
    return tables_of(trial_parts(result, language=language))


def trial_parts(result: TrialResult, *, language: str) -> tuple[Part, ...]:
    """Return everything the report consists of, in its order."""
    recipe = result.recipe
    return (
        _headline(result, language),
        Findings(messages=tuple(one for one in result.messages if one.domain == "trial")),
        *design_parts(recipe, language),
        Heading(text=info("trial.heading-characteristics")),
        NamedTable(name="characteristics", table=_characteristics(result)),
        Heading(text=info("trial.heading-response")),
        NamedTable(name="response", table=_responses(result, language)),
        *_rate_figures(result, language),
        *_published(recipe),
        *_course_figure(result, language),
        NamedTable(name="times", table=_times(result, language)),
        Heading(text=info("trial.heading-exposure")),
        NamedTable(name="visits", table=_visits(result, language)),
        *_cells(result, language),
        Heading(text=info("trial.heading-people")),
        NamedTable(name="people", table=_people(result, language)),
        Heading(text=info("trial.heading-basis")),
        Findings(messages=tuple(one for one in result.messages if one.domain != "trial")),
        NamedTable(name="basis", table=_basis(result)),
    )


def _title(recipe: Recipe, language: str) -> str:
    return (recipe.title_zh or recipe.title) if language == "zh" else recipe.title


def _arm_title(arm: Arm, language: str) -> str:
    return (arm.title_zh or arm.title) if language == "zh" else arm.title


def _interval(one: Proportion) -> Interval | None:
    if not one.n:
        return None
    return Interval(middle=100 * one.share, low=100 * one.low, high=100 * one.high)


def _quantiles(one: Quantiles) -> Interval | None:
    return Interval(middle=one.p50, low=one.p5, high=one.p95) if one.n else None


def _headline(result: TrialResult, language: str) -> Headline:
    recipe, power = result.recipe, result.success.power
    text = info("trial.headline", written=_title(recipe, language), share_percent=round(100 * power.share, 1))
    details = [info("trial.headline-of", k=power.k, n=power.n, patients=recipe.patients)]
    if result.success.type_one is not None:
        details.append(info("trial.headline-null", share_percent=round(100 * result.success.type_one.share, 1)))
    return Headline(text=text, details=tuple(details))


def design_parts(recipe: Recipe, language: str) -> tuple[Part, ...]:
    """Return what a recipe says of its trial.

    Parameters
    ----------
    recipe : Recipe
        The design.
    language : {"en", "zh"}
        Of its titles and notes.
    """
    notes = (recipe.notes_zh or recipe.notes) if language == "zh" else recipe.notes
    facts: list[tuple[Message, Value, str]] = [
        (info("trial.fact-source"), info("trial.cited", source=recipe.source), "source"),
        (info("trial.fact-patients"), info("trial.sizes", n=recipe.patients, replicates=recipe.replicates), "patients"),
        (info("trial.fact-population"), _population(recipe), "population_text"),
        (info("trial.fact-pk"), tuple(group.pk for group in recipe.groups), "pk"),
        (info("trial.fact-entry"), _entry(recipe), "entry"),
        (info("trial.fact-visits"), tuple(str(day) for day in recipe.visits.days), "visits"),
        (info("trial.fact-measurement"), _measurement(recipe), "measurement"),
        (info("trial.fact-criteria"), recipe.response.criteria, "criteria"),
        (info("trial.fact-primary"), _primary(recipe, language), "primary"),
    ]
    return (
        Heading(text=info("trial.heading-design")),
        KeyFacts(facts=tuple(KeyFact(label=told, value=value, name=name) for told, value, name in facts)),
        NamedTable(name="arms", table=_arms(recipe, language)),
        Findings(messages=tuple(info("trial.note", told=note) for note in notes)),
    )


def _population(recipe: Recipe) -> Message:
    return info(
        "trial.population",
        name=recipe.population,
        children_percent=100 * recipe.children_fraction,
        variants=recipe.variants,
        flares=recipe.flares_per_year,
    )


def _entry(recipe: Recipe) -> Message:
    entry = recipe.entry
    return info(
        "trial.entry",
        from_10e9_l=entry.count_from_10e9_l,
        below_10e9_l=entry.count_below_10e9_l,
        young_years=entry.age_years[0],
        old_years=entry.age_years[1],
    )


def _measurement(recipe: Recipe) -> Message:
    def percent(log_sd: float) -> float:
        return round(100 * math.sqrt(math.expm1(log_sd**2)), 1)

    level = recipe.measurement.level_log_sd
    told: Value = info("trial.noise-of-model") if level is None else info("trial.noise", cv_percent=percent(level))
    return info(
        "trial.measurement",
        count_percent=percent(recipe.measurement.count_log_sd),
        level=told,
        cells_percent=percent(recipe.measurement.cells_log_sd),
        missed_percent=100 * recipe.visits.missed_fraction,
        doses_percent=100 * recipe.visits.missed_dose_fraction,
        left_percent=100 * -math.expm1(-recipe.visits.dropped_per_year),
    )


def _primary(recipe: Recipe, language: str) -> Message:
    primary = recipe.primary
    outcome = info(f"trial.outcome-{primary.outcome}")
    if primary.above is not None:
        return info(
            "trial.primary-above",
            outcome=outcome,
            at=primary.day,
            rate_percent=100 * primary.above,
            alpha=primary.alpha,
        )
    arm, control = (_arm_title(recipe.arm(name), language) for name in primary.compare)
    return info("trial.primary-compare", outcome=outcome, at=primary.day, arm=arm, control=control, alpha=primary.alpha)


def _doses(recipe: Recipe, dose: ByGroup | None) -> Value:
    if dose is None:
        return None
    told = {group.name: dose.of(group.name) for group in recipe.groups}
    if len(set(told.values())) == 1:
        return info("trial.dose", dose_daily_mg=next(iter(told.values())))
    return tuple(info(f"trial.dose-{name}", dose_daily_mg=value) for name, value in told.items())


def _arms(recipe: Recipe, language: str) -> Table:
    columns = [
        (info(f"trial.column-{name}"), name) for name in ("arm", "start", "maintenance", "target", "taper", "partners")
    ]
    rows: list[list[Cell]] = []
    for arm in recipe.arms:
        target: Value = info("trial.fixed") if arm.start is not None else info("trial.no-sirolimus")
        if arm.tdm is not None:
            target = info("trial.target", low_ng_ml=arm.tdm.low_ng_ml, high_ng_ml=arm.tdm.high_ng_ml)
        doses = [_doses(recipe, arm.start), _maintenance(recipe, arm)]
        rows.append([_arm_title(arm, language), *doses, target, _taper(arm), _partners(arm)])
    return table_of(columns, rows, caption=info("trial.arms"))


def _maintenance(recipe: Recipe, arm: Arm) -> Value:
    if arm.maintenance is None or arm.maintenance_from_d is None:
        return None
    return info("trial.maintenance", doses=_doses(recipe, arm.maintenance), at=arm.maintenance_from_d)


def _partners(arm: Arm) -> Value:
    told = tuple(info("trial.partner", name=info(f"trial.partner-{one.name}"), at=one.from_d) for one in arm.partners)
    return told or None


def _taper(arm: Arm) -> Value:
    if arm.taper is None:
        return None
    who = info(f"trial.tapered-{arm.taper.who}")
    return info("trial.taper", who=who, at=arm.taper.from_d, step_mg=arm.taper.step_mg, every_d=arm.taper.every_d)


def _characteristics(result: TrialResult) -> Table:
    columns = [
        (info("trial.column-property"), "property"),
        (info("trial.column-of-trials"), "trials"),
        (info("trial.column-share"), "share_percent"),
    ]
    rows: list[list[Cell]] = [_share_row(info("trial.power"), result.success.power)]
    if result.success.type_one is not None:
        rows.append(_share_row(info("trial.false-success"), result.success.type_one))
    for told, stopping in (("", result.looks), ("-null", result.looks_null)):
        if stopping is not None:
            rows += _look_rows(result.recipe, stopping, told)
    notes = (info("trial.characteristics-note", n=result.recipe.replicates),)
    return table_of(columns, rows, caption=info("trial.characteristics"), notes=notes)


def _share_row(name: Message, one: Proportion) -> list[Cell]:
    return [name, f"{one.k}/{one.n}", _interval(one)]


def _look_rows(recipe: Recipe, stopping: Stopping, told: str) -> list[list[Cell]]:
    rows = []
    for look, futile, succeeded in zip(recipe.looks, stopping.futile, stopping.succeeded, strict=True):
        rows.append(_share_row(info(f"trial.look-futile{told}", n=look.after_patients), futile))
        if look.success_at_least is not None:
            rows.append(_share_row(info(f"trial.look-success{told}", n=look.after_patients), succeeded))
    rows.append(_share_row(info(f"trial.looks-power{told}"), stopping.success))
    rows.append([info(f"trial.looks-patients{told}"), f"{stopping.patients:.1f}", None])
    return rows


def _responses(result: TrialResult, language: str) -> Table:
    columns = [
        (info("trial.column-arm"), "arm"),
        (info("trial.column-day"), "day"),
        (info("trial.column-outcome"), "outcome"),
        (info("trial.column-rate"), "rate_percent"),
        (info("trial.column-scatter"), "scatter_percent"),
        (info("trial.column-exact-coverage"), "exact_percent"),
        (info("trial.column-wilson-coverage"), "wilson_percent"),
    ]
    rows: list[list[Cell]] = []
    for (arm, outcome, day), rate in sorted(result.rates.items(), key=lambda item: _order(result.recipe, item[0])):
        rows.append(
            [
                _arm_title(result.recipe.arm(arm), language),
                day,
                info(f"trial.outcome-{outcome}"),
                _interval(rate.pooled),
                Interval(middle=100 * rate.pooled.share, low=100 * rate.trial_low, high=100 * rate.trial_high),
                100 * rate.exact_coverage,
                100 * rate.wilson_coverage,
            ]
        )
    note = info("trial.response-note", level_percent=100 * result.recipe.primary.interval_level)
    return table_of(columns, rows, caption=info("trial.response"), notes=(note,))


def _order(recipe: Recipe, key: tuple[str, str, int]) -> tuple[int, int, int]:
    arm, outcome, day = key
    return [one.name for one in recipe.arms].index(arm), day, OUTCOMES.index(outcome)


def _rate_figures(result: TrialResult, language: str) -> list[Part]:
    """Rates over time with the published counts beside the first arm; several arms side by side on the primary day."""
    recipe = result.recipe
    figures: list[Part] = []
    for index, arm in enumerate(recipe.arms[:MOST_FIGURES]):
        title = _arm_title(arm, language)
        observed = _observed(recipe) if index == 0 else ()
        figures.append(
            Figure(
                name=f"rates-{index}",
                drawing=ResponseCourse(
                    outcomes=tuple(_outcome(result, arm.name, outcome) for outcome in OUTCOMES), observed=observed
                ),
                alt=info("trial.rates-alt", arm=title, points=len(observed)),
                caption=info("trial.rates-figure", arm=title, n=recipe.patients),
            )
        )
    if len(recipe.arms) > 1:
        figures.append(_arms_figure(result, language))
    return figures


def _outcome(result: TrialResult, arm: str, outcome: str) -> OutcomeCourse:
    days = result.recipe.response.landmarks_d
    rates = [result.rates[arm, outcome, day] for day in days]
    return OutcomeCourse(
        name=info(f"trial.outcome-{outcome}"),
        day=tuple(float(day) for day in days),
        share=tuple(one.pooled.share for one in rates),
        low=tuple(one.trial_low for one in rates),
        high=tuple(one.trial_high for one in rates),
    )


def _observed(recipe: Recipe) -> tuple[ObservedRate, ...]:
    found = []
    for one in comparators():
        if one.key in recipe.published and one.outcome in OUTCOMES:
            interval = clopper_pearson(one.responders, one.patients)
            found.append(
                ObservedRate(
                    study=info(f"study.published-{one.key}"),
                    outcome=OUTCOMES.index(one.outcome),
                    day=float(one.landmark_d),
                    share=one.responders / one.patients,
                    low=interval.low,
                    high=interval.high,
                )
            )
    return tuple(found)


def _arms_figure(result: TrialResult, language: str) -> Figure:
    recipe, day = result.recipe, result.recipe.primary.day
    rows = []
    for outcome in OUTCOMES:
        rows.append(Estimate(name=info(f"trial.outcome-{outcome}"), heading=True))
        for arm in recipe.arms[: MOST_ESTIMATES // len(OUTCOMES) - 1]:
            rows.append(_estimate(_arm_title(arm, language), result.rates[arm.name, outcome, day]))
    return Figure(
        name="arms",
        drawing=Intervals(rows=tuple(rows), axis=info("trial.rate-axis")),
        alt=info("trial.arms-alt", arms=len(recipe.arms), at=day),
        caption=info("trial.arms-figure", at=day, n=recipe.patients),
    )


def _estimate(name: str, rate: Rate) -> Estimate:
    return Estimate(
        name=name,
        middle=rate.pooled.share,
        low=rate.trial_low,
        high=rate.trial_high,
        text=info("trial.percent", share_percent=round(100 * rate.pooled.share, 1)),
    )


def _published(recipe: Recipe) -> list[Part]:
    told = [one for one in comparators() if one.key in recipe.published]
    if not told:
        return []
    columns = [(info(f"trial.column-{name}"), name) for name in ("study", "day", "outcome", "count")]
    columns += [(info("trial.column-exact"), "exact_percent"), (info("trial.column-mark"), "mark")]
    rows: list[list[Cell]] = [
        [
            info(f"study.published-{one.key}"),
            one.landmark_d,
            info(f"study.outcome-{one.outcome}"),
            f"{one.responders}/{one.patients}",
            percent_interval(one.responders / one.patients, clopper_pearson(one.responders, one.patients)),
            info(f"study.mark-{one.source.mark.value}"),
        ]
        for one in told
    ]
    table = table_of(columns, rows, caption=info("trial.published"), notes=(info("trial.published-note"),))
    return [NamedTable(name="published", table=table)]


def _course_figure(result: TrialResult, language: str) -> list[Part]:
    """Counts over time: 90 % and the middle half of one arm, the middle halves of several."""
    fans = []
    for one in result.arms[:MOST_FANS]:
        seen = [visit for visit in one.at_visits if visit.counts_10e9_l.n]
        points = [one.baseline_10e9_l, *(visit.counts_10e9_l for visit in seen)]
        fans.append(
            Fan(
                name=_arm_title(result.recipe.arm(one.name), language),
                day=(0.0, *(float(visit.day) for visit in seen)),
                median=tuple(point.p50 for point in points),
                q25=tuple(point.p25 for point in points),
                q75=tuple(point.p75 for point in points),
                q05=tuple(point.p5 for point in points),
                q95=tuple(point.p95 for point in points),
            )
        )
    alt = info("trial.course-alt", first_10e9_l=fans[0].median[0], last_10e9_l=fans[0].median[-1])
    caption = info("trial.course-figure", n=result.arms[0].patients)
    return [Figure(name="course", drawing=Fans(fans=tuple(fans)), alt=alt, caption=caption)]


def _times(result: TrialResult, language: str) -> Table:
    columns = [
        (info("trial.column-arm"), "arm"),
        (info("trial.column-time"), "time_d"),
        (info("trial.column-duration"), "duration_d"),
        (info("trial.column-tapered"), "tapered"),
        (info("trial.column-relapsed"), "relapsed_percent"),
    ]
    rows: list[list[Cell]] = [
        [
            _arm_title(result.recipe.arm(one.name), language),
            _quantiles(one.time_d),
            one.duration_d if math.isfinite(one.duration_d) else None,
            one.tapered or None,
            _interval(one.relapsed),
        ]
        for one in result.arms
    ]
    return table_of(columns, rows, caption=info("trial.times"), notes=(info("trial.times-note"),))


def _visits(result: TrialResult, language: str) -> Table:
    columns = [
        (info("trial.column-arm"), "arm"),
        (info("trial.column-day"), "day"),
        (info("trial.column-platelets"), "platelets_10e9_l"),
        (info("trial.column-dose"), "dose_daily_mg"),
        (info("trial.column-trough"), "trough_ng_ml"),
        (info("trial.column-in-target"), "target_percent"),
    ]
    rows: list[list[Cell]] = []
    for one in result.arms:
        treated = result.recipe.arm(one.name).start is not None
        for visit in one.at_visits:
            rows.append(
                [
                    _arm_title(result.recipe.arm(one.name), language),
                    visit.day,
                    _quantiles(visit.counts_10e9_l),
                    _quantiles(visit.dose_mg) if treated else None,
                    _quantiles(visit.trough_ng_ml) if treated else None,
                    100 * visit.in_target if math.isfinite(visit.in_target) else None,
                ]
            )
    return table_of(columns, rows, caption=info("trial.visits"), notes=(info("trial.visits-note"),))


def _cells(result: TrialResult, language: str) -> list[Part]:
    cells = result.recipe.cells
    if cells is None:
        return []
    columns = [
        (info("trial.column-arm"), "arm"),
        (info("trial.column-day"), "day"),
        (info("trial.column-rise"), "rise_percent"),
        (info("trial.column-rise-significant"), "significant_percent"),
        (info("trial.column-controls-differ"), "controls_percent"),
    ]
    rows: list[list[Cell]] = []
    for name, one in result.cells.items():
        for day, rise, significant in zip(cells.days, one.rise_percent, one.rise_significant, strict=True):
            differ = 100 * one.controls_differ if math.isfinite(one.controls_differ) else None
            arm = _arm_title(result.recipe.arm(name), language)
            rows.append([arm, day, rise if math.isfinite(rise) else None, 100 * significant, differ])
    note = info("trial.cells-note", controls=cells.controls, alpha=cells.alpha)
    return [
        Heading(text=info("trial.heading-cells")),
        NamedTable(name="cells", table=table_of(columns, rows, caption=info("trial.cells"), notes=(note,))),
    ]


def _people(result: TrialResult, language: str) -> Table:
    names = ("patients", "children", "left", "missed", "failed")
    columns = [(info("trial.column-arm"), "arm"), *((info(f"trial.column-{name}"), name) for name in names)]
    columns.append((info("trial.column-baseline"), "baseline_10e9_l"))
    rows: list[list[Cell]] = [
        [
            _arm_title(result.recipe.arm(one.name), language),
            one.patients,
            one.children,
            one.left,
            f"{one.missed}/{one.visits}",
            one.failed,
            _quantiles(one.baseline_10e9_l),
        ]
        for one in result.arms
    ]
    note = info("trial.people-note", screened=result.screened, entered=result.entered)
    return table_of(columns, rows, caption=info("trial.people"), notes=(note,))


def _basis(result: TrialResult) -> Table:
    columns = [(info("trial.column-what"), "what"), (info("trial.column-which"), "which")]
    rows: list[list[Cell]] = []
    for key, value in result.identity.items():
        inner = value.items() if isinstance(value, dict) else ((None, value),)
        for name, one in inner:
            shown = str(one)
            shown = f"{shown[:SHOWN_OF_HASH]}..." if len(shown) == 64 else shown
            rows.append([info(f"trial.basis-{key}") if name is None else f"{name}", shown or None])
    return table_of(columns, rows, caption=info("trial.basis"))


def recipe_list(recipes: Sequence[Recipe], *, version: str, language: str) -> Document:
    """Lay out the recipes that are known.

    Parameters
    ----------
    recipes : sequence of Recipe
        The recipes.
    version : str
        Of the program.
    language : {"en", "zh"}
        Of their titles.
    """
    columns = [(info(f"trial.column-{name}"), name) for name in ("recipe", "about", "patients", "replicates", "arms")]
    rows: list[list[Cell]] = [
        [one.name, _title(one, language), one.patients, one.replicates, len(one.arms)] for one in recipes
    ]
    table = table_of(columns, rows, caption=info("trial.recipes"))
    return Document(title=info("trial.recipes-title"), blocks=(table,), version=version)


def recipe_card(recipe: Recipe, *, version: str, language: str) -> Document:
    """Lay out one recipe before it is run.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    version : str
        Of the program.
    language : {"en", "zh"}
        Of its titles and notes.
    """
    blocks = blocks_of(design_parts(recipe, language))
    return Document(
        title=info("trial.card", name=recipe.name, written=_title(recipe, language)),
        blocks=(Frame(blocks=blocks),),
        version=version,
    )
