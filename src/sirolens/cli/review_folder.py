# SPDX-License-Identifier: Apache-2.0
"""What the commands of a review share: which folder, which reviewer, which record, and how answers are shown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sirolens.cli.show import show_flags
from sirolens.errors import InputError
from sirolens.message import Message, Place, Severity, error
from sirolens.report.words import label, say

if TYPE_CHECKING:
    from sirolens.evidence.review.folder import Review
    from sirolens.evidence.review.forms import Forms
    from sirolens.evidence.review.state import State
    from sirolens.report.document import Document

__all__ = [
    "by_option",
    "check_results",
    "day_of",
    "is_zh",
    "json_option",
    "load_state",
    "opened",
    "print_json",
    "record_of",
    "review_option",
    "show_document",
    "tell",
    "who",
    "whole_forms",
]

OWN = frozenset(
    {
        "events",
        "imports",
        "studies",
        "appraisals",
        "consensus",
        "private",
        "set-aside",
        "protocol.toml",
        "certainty.toml",
    }
)
"""What a review keeps in its folder: no result is written over it or into it."""
SHORTEST_PREFIX = 3  # characters of a record's number after "r-" that are looked up


def review_option(language: str) -> Any:
    """Return the option ``--review``: the folder, or one inside it; without it the folder one is in."""
    return typer.Option(
        Path("."), "--review", envvar="SIROLENS_REVIEW", help=label("review.folder-help", language), metavar="DIR"
    )


def by_option(language: str) -> Any:
    """Return the option ``--by``: who does this."""
    return typer.Option(
        None, "--by", envvar="SIROLENS_REVIEWER", help=label("review.by-help", language), metavar="NAME"
    )


def json_option(language: str) -> Any:
    """Return the option ``--json``."""
    return typer.Option(False, "--json", help=label("cli.json-help", language))


def opened(folder: Path, language: str, *, known: str = "") -> Review:
    """Open the review at or around a folder and show what was found wrong with its files, except what is `known`."""
    from sirolens.evidence.review.folder import find_review, open_review

    review = open_review(find_review(folder))
    show_flags([message for message in review.messages if message.code != known], language)
    return review


def whole_forms(review: Review, language: str) -> Forms:
    """Read the forms of the studies that stand and say which are left out: none may vanish from a pool in silence."""
    from sirolens.evidence.review.forms import read_forms, without_excluded

    forms = read_forms(review.folder)
    if any(report.records for form in forms.extractions for report in form.study.reports):
        before = len(forms.messages)
        forms = without_excluded(forms, review.state)
        show_flags(forms.messages[before:], language)
    faults = [message for message in forms.messages if message.severity is Severity.ERROR]
    if faults:
        files = {message.place.file for message in faults if message.place is not None}
        show_flags([*faults, error("review.forms-left-out", count=len(files))], language)
    return forms


def load_state(review: Review, language: str) -> State:
    """Read the records, fold the state, and show what does not fit together."""
    state, messages = review.loaded
    show_flags(messages, language)
    return state


def who(by: str | None, review: Review) -> str:
    """Return the short name of who does this: as told, or the only person of the team.

    Raises
    ------
    InputError
        ``review.who-needed``, ``review.who-unknown``.
    """
    protocol = review.reading.protocol
    team = () if protocol is None else tuple(member.name for member in protocol.team)
    place = Place(field="--by")
    if by is None:
        if len(team) == 1:
            return team[0]
        raise InputError(error("review.who-needed", place=place, known=team))
    if team and by not in team:
        raise InputError(error("review.who-unknown", place=place, value=by, known=team))
    return by


def record_of(state: State, told: str) -> str:
    """Return the record a person names: by its number or the beginning of it, its DOI, or its PMID.

    Raises
    ------
    InputError
        ``review.record-unknown``, ``review.record-ambiguous``.
    """
    wanted = told.strip().lower()
    if wanted in state.records:
        return wanted
    bare = wanted.removeprefix("r-")
    found = [
        name
        for name, record in state.records.items()
        if (len(bare) >= SHORTEST_PREFIX and name.startswith(f"r-{bare}"))
        or (record.doi and wanted.removeprefix("doi:").removeprefix("https://doi.org/") == record.doi)
        or (record.pmid and wanted.removeprefix("pmid:") == record.pmid)
    ]
    publications = list(dict.fromkeys(state.grouping.cluster_of[name] for name in found))
    if not publications:
        raise InputError(error("review.record-unknown", value=told))
    if len(publications) > 1:
        raise InputError(error("review.record-ambiguous", value=told, found=tuple(found[:5])))
    return found[0] if len(found) == 1 else publications[0]


def day_of(text: str, option: str) -> date:
    """Read the day of something that was done: ``YYYY-MM-DD`` or ``today``; tomorrow only for another zone's clock."""
    today = datetime.now(UTC).astimezone().date()
    if text.strip().lower() in ("today", "今天"):
        return today
    try:
        found = date.fromisoformat(text)
    except ValueError as failure:
        raise InputError(error("review.day-unreadable", place=Place(field=option), value=text)) from failure
    if found > today + timedelta(days=1):
        raise InputError(error("review.day-ahead", place=Place(field=option), on=found))
    return found


def check_results(targets: Iterable[Path], *, inputs: Iterable[Path] = ()) -> None:
    """Refuse places where results cannot go, before anything is made for them: also what a review itself keeps.

    Raises
    ------
    InputError
        ``review.write-over-own``, and what `sirolens.interop.write.check_targets` raises.
    """
    from sirolens.evidence.review.files import EVENTS
    from sirolens.evidence.review.protocol import PROTOCOL
    from sirolens.interop.write import check_targets

    places = list(targets)
    check_targets(places, inputs=inputs)
    faults = [
        error("review.write-over-own", place=Place(file=str(path)))
        for path in places
        for folder in path.absolute().parents
        if (folder / PROTOCOL).is_file()
        and (folder / EVENTS).is_dir()
        and path.absolute().relative_to(folder).parts[0] in OWN
    ]
    if faults:
        raise InputError(*faults)


def print_json(data: Any) -> None:
    """Write values as JSON."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False, default=str))


def tell(message: Message, language: str) -> None:
    """Say one thing on the output."""
    typer.echo(say(message, language))


def show_document(document: Document, language: str) -> None:
    """Show a page on the terminal."""
    from rich.console import Console

    from sirolens.report.terminal import show

    show(document, language, Console())


def is_zh(language: str) -> bool:
    """True for Chinese."""
    return language.startswith("zh")


def messages_json(messages: Sequence[Message], language: str) -> list[dict[str, str]]:
    """Return messages as JSON values."""
    return [
        {"code": message.code, "severity": message.severity.value, "text": say(message, language)}
        for message in messages
    ]
