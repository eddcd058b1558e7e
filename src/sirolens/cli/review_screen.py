# SPDX-License-Identifier: Apache-2.0
"""`sirolens review screen`, `agreement`, `stop`: reading record by record, how far reviewers agree, stopping early."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sirolens.cli.review_folder import by_option, json_option, load_state, opened, print_json, review_option, tell, who
from sirolens.cli.show import Language, language_option, show_flags
from sirolens.errors import InputError
from sirolens.message import Place, error, info
from sirolens.report.words import label, say

if TYPE_CHECKING:
    from sirolens.evidence.screening.agreement import Agreement, Coefficient
    from sirolens.evidence.screening.stopping_events import Stopping

__all__ = ["add_to"]


class ScreenStage(StrEnum):
    """A stage that is read record by record."""

    TITLE = "title"
    FULLTEXT = "fulltext"


class StopStep(StrEnum):
    """The steps of stopping early, in their order."""

    PLAN = "plan"
    OPEN = "open"
    LOOK = "look"
    STATUS = "status"
    ACCEPT = "accept"


def add_to(group: typer.Typer, language: str) -> None:
    """Add the commands."""
    _add_screen(group, language)
    _add_agreement(group, language)
    _add_stop(group, language)


def _add_screen(group: typer.Typer, language: str) -> None:
    @group.command("screen", help=label("screening.screen-help", language))
    def screen(
        place: Path | None = typer.Argument(None, help=label("screening.folder-help", language), metavar="[DIR]"),
        by: str | None = typer.Option(
            None, "--as", "--by", envvar="SIROLENS_REVIEWER", help=label("screening.as-help", language), metavar="NAME"
        ),
        stage: ScreenStage = typer.Option(ScreenStage.TITLE, "--stage", help=label("screening.stage-help", language)),
        plain: bool = typer.Option(False, "--import-order", help=label("screening.plain-help", language)),
        folder: Path = review_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.events import Stage

        review = opened(folder if place is None else place, show_in)
        name = who(by, review)
        if not sys.stdout.isatty():
            raise InputError(error("screening.needs-terminal"))
        from sirolens.cli.screen_app import ScreenApp
        from sirolens.cli.screen_session import Session

        ScreenApp(Session(review.folder, name, Stage(stage.value), ranked=not plain), show_in).run()


def _add_agreement(group: typer.Typer, language: str) -> None:
    @group.command("agreement", help=label("screening.agreement-help", language))
    def agreement(
        stage: ScreenStage = typer.Option(ScreenStage.TITLE, "--stage", help=label("screening.stage-help", language)),
        folder: Path = review_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.events import Stage
        from sirolens.evidence.screening.two_reviewers import agreement_at

        found = agreement_at(load_state(opened(folder, show_in), show_in), Stage(stage.value))
        if as_json:
            print_json(_agreement_json(found))
        else:
            for each in (found, *found.pairs):
                _tell_agreement(each, show_in)


def _tell_agreement(found: Agreement, language: str) -> None:
    observed = found.observed
    if observed is None:
        tell(info("screening.agreement-none", reviewers=found.reviewers, records=found.records), language)
        return
    tell(
        info(
            "screening.agreement-of",
            reviewers=found.reviewers,
            joint=found.joint,
            observed_percent=round(100 * observed, 1),
        ),
        language,
    )
    for one in found.coefficients:
        typer.echo(f"  {_coefficient(one, language)}")


def _coefficient(one: Coefficient, language: str) -> str:
    name = label(f"screening.coefficient-{one.name}", language)
    why = " ".join(say(message, language) for message in one.messages)
    if one.value is None:
        return f"{name}: - ({why})"
    value = f"{name}: {one.value:.2f}"
    if one.low is None or one.high is None:
        return f"{value} ({why})"
    return f"{value} ({one.low:.2f}, {one.high:.2f}; {label(f'screening.interval-{one.interval}', language)})"


def _agreement_json(found: Agreement) -> dict[str, Any]:
    from dataclasses import asdict

    def plain(each: Agreement) -> dict[str, Any]:
        told = asdict(each)
        for one, coefficient in zip(told["coefficients"], each.coefficients, strict=True):
            one["messages"] = [message.code for message in coefficient.messages]
        told["pairs"] = [plain(pair) for pair in each.pairs]
        return told

    return plain(found)


def _add_stop(group: typer.Typer, language: str) -> None:
    @group.command("stop", help=label("screening.stop-help", language))
    def stop(
        step: StopStep = typer.Argument(StopStep.STATUS, help=label("screening.step-help", language)),
        seed: str = typer.Option("", "--seed", help=label("screening.seed-help", language)),
        recall: float = typer.Option(0.95, "--recall", help=label("screening.recall-help", language)),
        chance: float = typer.Option(0.05, "--error", help=label("screening.error-help", language)),
        openings: int = typer.Option(1, "--openings", help=label("screening.openings-help", language)),
        person: str = typer.Option("", "--person", help=label("screening.person-help", language)),
        why: str = typer.Option("", "--why", help=label("screening.why-help", language)),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.folder import append
        from sirolens.evidence.screening.sealed import read_secrets
        from sirolens.evidence.screening.stopping import StopPlan
        from sirolens.evidence.screening.stopping_events import (
            accept_draft,
            opening_draft,
            plan_draft,
            sample_openings,
            stopping,
        )

        review = opened(folder, show_in)
        state = load_state(review, show_in)
        drafts: list[Any] = []
        if step is StopStep.PLAN:
            if not seed.strip():
                raise InputError(error("screening.seed-needed", place=Place(field="--seed")))
            plan = StopPlan(seed=seed, target_recall=recall, error=chance, openings=openings)
            drafts = [plan_draft(state, plan)]
        elif step is StopStep.OPEN:
            drafts = [opening_draft(state)]
        elif step is StopStep.ACCEPT:
            drafts = [accept_draft(state, person, why=why)]
        elif step is StopStep.LOOK:
            secrets, told = read_secrets(review.folder, who(by, review))
            show_flags(told, show_in)
            drafts = list(sample_openings(state, who(by, review), secrets))
        if drafts:
            append(review.folder, who(by, review), drafts)
            state = load_state(opened(review.folder, show_in), show_in)
        at = stopping(state)
        if as_json:
            print_json(_stopping_json(at))
        else:
            _tell_stopping(at, show_in)


def _tell_stopping(at: Stopping, language: str) -> None:
    if at.plan is None:
        tell(info("screening.no-plan"), language)
        return
    percent = 100 * (1 - at.plan.error)
    tell(
        info(
            "screening.plan-told",
            recall_percent=100 * at.plan.target_recall,
            confidence_percent=percent,
            seed=at.plan.seed,
        ),
        language,
    )
    show_flags(at.messages, language)
    if at.accepted_by:
        tell(info("screening.stop-accepted", person=at.accepted_by), language)
    elif at.verdict is None:
        tell(info("screening.not-opened"), language)
    else:
        for message in at.verdict.messages:
            tell(message, language)


def _stopping_json(at: Stopping) -> dict[str, Any]:
    verdict, sample = at.verdict, at.sample
    return {
        "plan": None if at.plan is None else at.plan.table(),
        "looks": None if sample is None else list(sample.looks),
        "most_found": None if sample is None else list(sample.most_found),
        "answer": None if verdict is None else verdict.answer.value,
        "screened": None if verdict is None else verdict.screened,
        "found": None if verdict is None else verdict.found,
        "next_look": None if verdict is None else verdict.next_look,
        "rest": None if verdict is None else len(verdict.rest),
        "accepted_by": at.accepted_by,
        "messages": [message.code for message in at.messages],
    }
