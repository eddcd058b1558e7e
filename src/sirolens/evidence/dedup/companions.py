# SPDX-License-Identifier: Apache-2.0
"""Two reports that stay two and belong together: notices, parts, versions, registrations, abstracts and papers."""

from __future__ import annotations

from typing import Final

from sirolens.evidence.dedup.compared import APART, Compared, Finding, Outcome
from sirolens.evidence.dedup.names import Authorship
from sirolens.evidence.dedup.result import LinkKind
from sirolens.evidence.dedup.titles import Likeness
from sirolens.evidence.dedup.traits import TitleMatch, Traits, compare_all_titles
from sirolens.message import info

__all__ = ["companions", "notice", "registers", "shared_trial"]


def registers(one: Traits, two: Traits) -> Finding:
    """Merge two entries of one registration, link an entry with a report of it.

    An entry may print other numbers: its number in another register, but also the trial that it extends. So two numbers
    of one register are two trials, and across registers the titles must agree.
    """
    shared = sorted(one.trials & two.trials)
    if not shared:
        return APART
    trial = shared[0]
    if not (one.register and two.register):
        return Finding(Outcome.LINK, info("dedup.link-registration", trial_id=trial), link=LinkKind.REGISTRATION)
    same = one.registration == two.registration
    if same or (_register_of(one) != _register_of(two) and _same_trial_title(one, two)):
        return Finding(Outcome.MERGE, info("dedup.same-registration", trial_id=trial), 95.0)
    return Finding(Outcome.LINK, info("dedup.link-same-trial", trial_id=trial), link=LinkKind.SAME_TRIAL)


def _register_of(traits: Traits) -> str:
    return traits.registration.rstrip("0123456789-")


def _same_trial_title(one: Traits, two: Traits) -> bool:
    title = compare_all_titles(one, two)
    return title.likeness >= Likeness.LIKE and not title.telling


def shared_trial(one: Traits, two: Traits) -> Finding:
    """Link two reports that print one registration number: the same patients may be in both."""
    shared = sorted(one.trials & two.trials)
    if not shared:
        return APART
    return Finding(Outcome.LINK, info("dedup.link-same-trial", trial_id=shared[0]), link=LinkKind.SAME_TRIAL)


NOTICES: Final = {
    "erratum": LinkKind.ERRATUM,
    "retraction": LinkKind.RETRACTION,
    "concern": LinkKind.RETRACTION,
    "comment": LinkKind.COMMENT,
}


def notice(one: Traits, two: Traits, title: TitleMatch) -> Finding:
    """A correction, retraction or reply is never the paper it speaks of; it is linked to it."""
    if title.likeness < Likeness.CUT or title.telling or title.generic:
        return APART
    kind = one.kind or two.kind
    if one.kind and two.kind:
        return APART
    return Finding(Outcome.LINK, info("dedup.link-notice", notice=kind), link=NOTICES[kind])


def companions(pair: Compared) -> Finding:
    """Two reports: do they belong together?"""
    one, two, title = pair.one, pair.two, pair.title
    if pair.authors >= Authorship.SOME and title.likeness >= Likeness.LIKE and not title.generic:
        if title.telling == "number" and title.share >= 85.0 and pair.authors >= Authorship.FIRST:
            return Finding(Outcome.LINK, info("dedup.link-series"), link=LinkKind.SERIES)
        if title.likeness >= Likeness.CUT and not title.telling:
            return _same_title_elsewhere(pair)
    shared = sorted(one.trials & two.trials)
    if shared:
        return Finding(Outcome.LINK, info("dedup.link-same-trial", trial_id=shared[0]), link=LinkKind.SAME_TRIAL)
    return APART


def _same_title_elsewhere(pair: Compared) -> Finding:
    one, two = pair.one, pair.two
    journals = " ".join((*one.place.journals, *two.place.journals)).lower()
    if "cochrane" in journals and pair.years:
        return Finding(Outcome.LINK, info("dedup.link-update"), link=LinkKind.UPDATE)
    if one.preprint != two.preprint:
        return Finding(Outcome.LINK, info("dedup.link-preprint"), link=LinkKind.PREPRINT)
    supplement = any(side.meeting or side.place.issue.startswith("s") for side in (one, two))
    if supplement:
        return Finding(Outcome.LINK, info("dedup.link-abstract"), link=LinkKind.ABSTRACT)
    return Finding(Outcome.LINK, info("dedup.link-same-title"), link=LinkKind.SAME_TITLE)
