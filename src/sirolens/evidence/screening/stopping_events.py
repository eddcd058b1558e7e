# SPDX-License-Identifier: Apache-2.0
"""The stop rule in a review's events: the plan, the opened sample, the verdict, and a named person's acceptance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from sirolens.errors import InputError
from sirolens.evidence.review.events import Event, Kind, Stage
from sirolens.evidence.review.folder import Draft
from sirolens.evidence.review.standing import Status
from sirolens.evidence.review.state import State
from sirolens.evidence.screening.stopping import (
    StopAnswer,
    StopPlan,
    StopSample,
    StopVerdict,
    open_sample,
    plan_from_table,
    stop,
)
from sirolens.evidence.screening.two_reviewers import Secrets, open_drafts
from sirolens.message import Message, error, warning

__all__ = ["Stopping", "accept_draft", "opening_draft", "plan_draft", "sample_openings", "stopping"]

PLAN, SAMPLE = "stop-plan", "stop-sample"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """Where a review stands with stopping early.

    Parameters
    ----------
    plan : StopPlan or None
    sample : StopSample or None
        The newest opening.
    event : str
        The id of the event that opened it.
    verdict : StopVerdict or None
        None before an opening.
    accepted_by : str
        The person who accepted to stop; empty when nobody has.
    messages : tuple of Message
        ``screening.plan-late`` when a decision was made before the plan was declared: the guarantee does not hold then.
    """

    plan: StopPlan | None = None
    sample: StopSample | None = None
    event: str = ""
    verdict: StopVerdict | None = None
    accepted_by: str = ""
    messages: tuple[Message, ...] = ()


def plan_draft(state: State, plan: StopPlan) -> Draft:
    """Return the event that declares the plan.

    Raises
    ------
    InputError
        ``screening.plan-twice``; ``screening.nothing-to-screen``.
    """
    if _named(state, PLAN):
        raise InputError(error("screening.plan-twice"))
    if not state.screened:
        raise InputError(error("screening.nothing-to-screen"))
    return Kind.SAMPLED, {"records": list(state.screened), "settings": plan.table(), "name": PLAN}


def opening_draft(state: State) -> Draft:
    """Return the event that opens the sample: from now on the unscreened are read in its order.

    Raises
    ------
    InputError
        ``screening.plan-missing``; ``screening.finish-first`` while a publication has a conflict or only some of its
        decisions; ``screening.nothing-to-screen``; ``screening.openings-spent``.
    """
    plans = _named(state, PLAN)
    if not plans:
        raise InputError(error("screening.plan-missing"))
    standing = {name: state.standing(name, Stage.TITLE).status for name in state.screened}
    half = [name for name, at in standing.items() if at in (Status.PARTIAL, Status.SEALED, Status.CONFLICT)]
    if half:
        raise InputError(error("screening.finish-first", count=len(half)))
    unscreened = tuple(name for name, at in standing.items() if at is Status.NONE)
    if not unscreened:
        raise InputError(error("screening.nothing-to-screen"))
    found = sum(at is Status.INCLUDE for at in standing.values())
    opening = len(_named(state, SAMPLE)) + 1
    sample = open_sample(plan_from_table(plans[0].values["settings"]), unscreened, found, opening=opening)
    settings = {
        "plan": plans[0].id,
        "opening": opening,
        "found_before": found,
        "looks": list(sample.looks),
        "most_found": list(sample.most_found),
    }
    return Kind.SAMPLED, {"records": list(sample.order), "settings": settings, "name": SAMPLE}


def stopping(state: State) -> Stopping:
    """Say where the review stands with stopping early; the sample is computed again from its event and compared.

    Raises
    ------
    InputError
        ``screening.sample-differs`` when an event's order or boundaries are not those of its plan.
    """
    plans, samples = _named(state, PLAN), _named(state, SAMPLE)
    if not plans:
        return Stopping()
    plan = plan_from_table(plans[0].values["settings"])
    first = next((e for e in state.events if e.kind is Kind.DECIDED and e.text("stage") == Stage.TITLE.value), None)
    late = first is not None and first.order < plans[0].order
    messages = (warning("screening.plan-late"),) if late else ()
    accepted = next((e.text("person") for e in reversed(state.events) if e.kind is Kind.STOP_ACCEPTED), "")
    if not samples:
        return Stopping(plan=plan, accepted_by=accepted, messages=messages)
    event = samples[-1]
    sample = _again(plan, event, len(samples))
    verdict = stop(sample, _final(state, sample))
    return Stopping(plan=plan, sample=sample, event=event.id, verdict=verdict, accepted_by=accepted, messages=messages)


def accept_draft(state: State, person: str, *, why: str = "") -> Draft:
    """Return the event by which a named person accepts to stop; the rest becomes excluded-automatic.

    A publication that somebody has begun to decide on is not left out: it is finished.

    Raises
    ------
    InputError
        ``screening.may-not-stop``; ``screening.person-needed``; ``screening.plan-late`` when the plan was declared
        after the first decision.
    """
    at = stopping(state)
    if not person.strip():
        raise InputError(error("screening.person-needed"))
    if at.messages:
        raise InputError(*at.messages)
    if at.verdict is None or at.sample is None or at.verdict.answer is not StopAnswer.MAY_STOP:
        raise InputError(error("screening.may-not-stop"))
    rest = [name for name in at.verdict.rest if state.standing(name, Stage.TITLE).status is Status.NONE]
    if not rest:
        raise InputError(error("screening.nothing-to-screen"))
    settings = {"look": at.verdict.screened, "found": at.verdict.found, **at.sample.plan.table()}
    values = {"records": rest, "person": person.strip(), "sample": at.event, "settings": settings}
    return Kind.STOP_ACCEPTED, {**values, **({"why": why} if why else {})}


def sample_openings(state: State, by: str, secrets: Secrets) -> tuple[Draft, ...]:
    """Return the events that open a reviewer's sealed decisions on the sample, as far as everybody has finished it.

    A look needs opened decisions. What lies past the first publication of the order that lacks a decision stays sealed,
    so that nobody learns of another's decision on what is still to be read.
    """
    sample = stopping(state).sample
    finished: set[str] = set()
    for name in () if sample is None else sample.order:
        if state.standing(name, Stage.TITLE).status in (Status.NONE, Status.PARTIAL):
            break
        finished.add(state.grouping.cluster_of[name])
    return open_drafts(state, by, Stage.TITLE, secrets, records=finished)[0]


def _named(state: State, name: str) -> list[Event]:
    return [event for event in state.events if event.kind is Kind.SAMPLED and event.text("name") == name]


def _again(plan: StopPlan, event: Event, opening: int) -> StopSample:
    settings: Mapping[str, Any] = event.values["settings"]
    order = event.texts("records")
    sample = open_sample(plan, order, int(settings["found_before"]), opening=opening)
    told = (tuple(settings["looks"]), tuple(settings["most_found"]))
    if sample.order != order or (sample.looks, sample.most_found) != told:
        raise InputError(error("screening.sample-differs", event=event.id))
    return sample


def _final(state: State, sample: StopSample) -> dict[str, bool]:
    """Return the settled decisions on the sample; copies merged since count for their publication."""
    found = {}
    for name in sample.order:
        if name not in state.grouping.cluster_of:
            continue
        at = state.standing(name, Stage.TITLE).status
        if at in (Status.INCLUDE, Status.EXCLUDE):
            found[name] = at is Status.INCLUDE
    return found
