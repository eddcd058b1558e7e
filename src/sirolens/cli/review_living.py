# SPDX-License-Identifier: Apache-2.0
"""`sirolens review update`, `ongoing`, `previous`, `snapshot`, `diff`: a living review, and what changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sirolens import __version__
from sirolens.cli.review_copies import run_dedup
from sirolens.cli.review_folder import (
    by_option,
    day_of,
    json_option,
    load_state,
    messages_json,
    opened,
    print_json,
    record_of,
    review_option,
    show_document,
    tell,
    who,
    whole_forms,
)
from sirolens.cli.review_search import fetching, pubmed_client
from sirolens.cli.show import Language, language_option, show_flags
from sirolens.errors import InputError
from sirolens.message import Place, error, info, warning
from sirolens.report.words import label

if TYPE_CHECKING:
    from sirolens.evidence.review.folder import Draft, Review
    from sirolens.evidence.review.update import Withdrawn

__all__ = ["add_to"]


def add_to(group: typer.Typer, language: str) -> None:
    """Add the commands."""
    _add_update(group, language)
    _add_ongoing(group, language)
    _add_previous(group, language)
    _add_snapshot(group, language)
    _add_diff(group, language)


def _add_update(group: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"review.update-{name}-help", language)

    @group.command("update", help=label("review.update-help", language))
    def update(
        retractions: Path | None = typer.Option(None, "--retractions", help=text("retractions"), metavar="FILE"),
        ask_pubmed: bool = typer.Option(False, "--ask-pubmed", help=label("retrieval.ask-pubmed-help", language)),
        email: str = typer.Option("", "--email", envvar="NCBI_EMAIL", help=label("review.search-email-help", language)),
        on: str = typer.Option("today", "--on", help=label("review.on-help", language), metavar="DATE"),
        check: bool = typer.Option(False, "--check", help=text("check")),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.events import Kind
        from sirolens.evidence.review.folder import append, open_review
        from sirolens.evidence.review.update import read_withdrawn, retraction_drafts
        from sirolens.study.review.changes import update_document, update_json, update_steps

        review = opened(folder, show_in)
        day = day_of(on, "--on")
        withdrawn = () if retractions is None else read_withdrawn(_read_text(retractions), str(retractions))
        sources = [] if retractions is None else [retractions.name]
        if ask_pubmed:
            withdrawn += _ask_pubmed(review, email, show_in, only_say=check)
            sources.append("PubMed")
        found = 0
        if not check:
            name = who(by, review)
            load_state(review, show_in)
            run_dedup(review, name, show_in)
            drafts = retraction_drafts(
                open_review(review.folder).state, on=day, withdrawn=withdrawn, source=", ".join(sources)
            )
            append(review.folder, name, drafts)
            found = sum(kind is Kind.RETRACTED for kind, _ in drafts)
            review = open_review(review.folder)
        state = review.state
        steps = update_steps(state, retracted=found)
        forms = whole_forms(review, show_in)
        if as_json:
            print_json(update_json(review, forms, today=day) | {"messages": messages_json(steps, show_in)})
        else:
            show_document(update_document(review, forms, steps, today=day, version=__version__), show_in)


def _ask_pubmed(review: Review, email: str, language: str, *, only_say: bool) -> tuple[Withdrawn, ...]:
    """Say what is about to be asked, and ask it, unless it shall only be said."""
    from sirolens.evidence.review.retraction_check import known_pmids, withdrawn_in_pubmed
    from sirolens.evidence.search.pubmed import ADDRESS

    state = load_state(review, language)
    numbers = known_pmids(state)
    show_flags(
        [info("retrieval.about-to-ask", times=len(numbers), records=len(state.records), address=ADDRESS)], language
    )
    if only_say:
        return ()
    with fetching(label("retrieval.asking", language)) as progress:
        found, messages = withdrawn_in_pubmed(state, pubmed_client(email), progress=progress)
    show_flags(messages, language)
    return found


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as failure:
        raise InputError(error("file.missing", place=Place(file=str(path)))) from failure
    except (OSError, UnicodeDecodeError) as failure:
        raise InputError(error("file.unreadable", place=Place(file=str(path)))) from failure


def _add_ongoing(group: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"review.ongoing-{name}-help", language)

    @group.command("ongoing", help=label("review.ongoing-help", language))
    def ongoing_studies(
        title: str = typer.Argument("", help=text("title"), metavar="[TITLE]"),
        registration: str = typer.Option("", "--registration", help=text("registration")),
        status: str = typer.Option("", "--status", help=text("status")),
        expected: str = typer.Option("", "--expected", help=text("expected")),
        record: str = typer.Option("", "--record", help=text("record"), metavar="RECORD"),
        note: str = typer.Option("", "--note", help=label("review.note-help", language)),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.events import Kind
        from sirolens.evidence.review.folder import append
        from sirolens.study.review.changes import ongoing_document, ongoing_json

        review = opened(folder, show_in)
        state = load_state(review, show_in)
        if not title:
            if as_json:
                print_json(ongoing_json(state))
            else:
                show_document(ongoing_document(state, version=__version__), show_in)
            return
        values = {
            "title": title,
            "registration": registration or None,
            "status": status or None,
            "expected": expected or None,
            "record": record_of(state, record) if record else None,
            "note": note or None,
        }
        (event,) = append(review.folder, who(by, review), [(Kind.ONGOING, values)])
        if as_json:
            print_json({"event": event.id})
        else:
            tell(info("review.ongoing-noted", title=title, event=event.id), show_in)


def _add_previous(group: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"review.previous-{name}-help", language)

    @group.command("previous", help=label("review.previous-help", language))
    def previous(
        name: str = typer.Argument(..., help=text("label"), metavar="LABEL"),
        studies: int = typer.Option(..., "--studies", min=0, help=text("studies")),
        reports: int = typer.Option(..., "--reports", min=0, help=text("reports")),
        record: list[str] = typer.Option([], "--record", help=text("record"), metavar="RECORD"),
        note: str = typer.Option("", "--note", help=label("review.note-help", language)),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.events import Kind
        from sirolens.evidence.review.folder import append

        review = opened(folder, show_in)
        state = load_state(review, show_in)
        if reports < studies:
            raise InputError(error("review.previous-reports", place=Place(field="--reports"), studies=studies))
        records = list(dict.fromkeys(state.grouping.cluster_of[record_of(state, one)] for one in record))
        if reports < len(records):
            raise InputError(error("review.previous-records", place=Place(field="--reports"), count=len(records)))
        values = {"label": name, "studies": studies, "reports": reports, "records": records or None}
        (event,) = append(review.folder, who(by, review), [(Kind.PREVIOUS, values | {"note": note or None})])
        if as_json:
            print_json({"event": event.id})
        else:
            tell(info("review.previous-noted", name=name, studies=studies, reports=reports, event=event.id), show_in)


def _add_snapshot(group: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"review.snapshot-{name}-help", language)

    @group.command("snapshot", help=label("review.snapshot-help", language))
    def snapshot(
        name: str = typer.Argument(..., help=text("name"), metavar="NAME"),
        closes: bool = typer.Option(False, "--version", help=text("version")),
        estimates: Path | None = typer.Option(None, "--estimates", help=text("estimates"), metavar="FILE.json"),
        on: str = typer.Option("today", "--on", help=label("review.on-help", language), metavar="DATE"),
        note: str = typer.Option("", "--note", help=label("review.note-help", language)),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.folder import append
        from sirolens.evidence.review.update import snapshot_draft

        review = opened(folder, show_in)
        load_state(review, show_in)
        if closes:
            _refuse_empty_version(review)
        rows = _pooled(review, show_in) if estimates is None else _rows(estimates)
        day = day_of(on, "--on")

        def drafts(now: Review) -> list[Draft]:
            if closes:  # asked again under the lock: two people may close at once
                _refuse_empty_version(now)
            return [snapshot_draft(now.events, now.state, name=name, on=day, version=closes, note=note, estimates=rows)]

        (event,) = append(review.folder, who(by, review), drafts)
        left = len(event.texts("open"))
        if as_json:
            kept = {"carried_over": left, "estimates": [row["name"] for row in rows]}
            print_json({"event": event.id, "state": event.text("state"), **kept})
            return
        tell(info("review.snapshot-done", name=name, hash=event.text("state")[:16]), show_in)
        if left:
            tell(info("review.snapshot-carried", count=left), show_in)


def _refuse_empty_version(review: Review) -> None:
    """Refuse to close a version in which nothing was done: it would only be an empty column of the flow."""
    from sirolens.evidence.review.events import Kind

    closed = [one for one in review.state.snapshots if one.version is not None]
    if closed and not any(e.order > closed[-1].event.order and e.kind is not Kind.SNAPSHOT for e in review.events):
        raise InputError(error("review.version-empty", number=closed[-1].version, name=closed[-1].name))


def _pooled(review: Review, language: str) -> Sequence[dict[str, Any]]:
    """The estimates of the forms in a folder, where there are forms."""
    from sirolens.evidence.review.forms import STUDIES

    if next((review.folder / STUDIES).glob("*.toml"), None) is None:
        return ()
    from sirolens.study.review.estimates import estimate_rows

    return estimate_rows(whole_forms(review, language))


def _rows(path: Path) -> Sequence[dict[str, Any]]:
    """Pooled results from a JSON file: a list, or an object with a list under ``estimates``."""
    try:
        told = json.loads(_read_text(path))
    except ValueError as failure:
        raise InputError(error("review.estimates-unreadable", place=Place(file=str(path)))) from failure
    rows = told.get("estimates") if isinstance(told, dict) else told
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(error("review.estimates-unreadable", place=Place(file=str(path))))
    return rows


def _add_diff(group: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"review.diff-{name}-help", language)

    @group.command("diff", help=label("review.diff-help", language))
    def diff(
        before: str = typer.Argument("", help=text("before"), metavar="[BEFORE]"),
        after: str = typer.Argument("", help=text("after"), metavar="[AFTER]"),
        folder: Path = review_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.diff import difference, snapshot_estimates
        from sirolens.evidence.review.forms import read_forms
        from sirolens.evidence.review.state import as_of, fold, state_hash
        from sirolens.evidence.review.update import find_snapshot
        from sirolens.study.review.changes import diff_document, diff_json
        from sirolens.study.review.estimates import estimate_words

        review = opened(folder, show_in)
        state = load_state(review, show_in)
        if not state.snapshots:
            raise InputError(error("review.no-snapshots"))
        old = find_snapshot(state, before) if before else state.snapshots[-1]
        new = find_snapshot(state, after) if after else None
        records = state.records.values()
        past = fold(as_of(review.events, old.event), records, review.rules)
        present = state if new is None else fold(as_of(review.events, new.event), records, review.rules)
        folded = [(old, past)] if new is None else [(old, past), (new, present)]
        differ = [one.name for one, at in folded if one.event.text("state") != state_hash(at)]
        show_flags([warning("review.snapshot-differs", name=name) for name in differ], show_in)
        found = difference(
            past,
            present,
            estimates_before=snapshot_estimates(old),
            estimates_after=_pooled(review, show_in) if new is None else snapshot_estimates(new),
        )
        if as_json:
            print_json(diff_json(found, old, new))
        else:
            names = estimate_words(read_forms(review.folder))
            show_document(diff_document(found, old, new, present, version=__version__, names=names), show_in)
