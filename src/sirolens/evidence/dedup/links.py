# SPDX-License-Identifier: Apache-2.0
"""What databases print about other records, followed: notices become links, and a withdrawn report carries a flag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sirolens.evidence.dedup.result import Flag, FlagKind, Link, LinkKind
from sirolens.evidence.dedup.traits import Traits
from sirolens.evidence.record import Notice, NoticeKind, Record
from sirolens.message import info, warning

__all__ = ["between_clusters", "flags", "printed_links"]

_LINKS: Final = {
    NoticeKind.RETRACTED_BY: LinkKind.RETRACTION,
    NoticeKind.RETRACTION_OF: LinkKind.RETRACTION,
    NoticeKind.CONCERN_IN: LinkKind.RETRACTION,
    NoticeKind.ERRATUM_IN: LinkKind.ERRATUM,
    NoticeKind.ERRATUM_FOR: LinkKind.ERRATUM,
    NoticeKind.COMMENT_IN: LinkKind.COMMENT,
    NoticeKind.COMMENT_ON: LinkKind.COMMENT,
    NoticeKind.UPDATE_IN: LinkKind.UPDATE,
    NoticeKind.UPDATE_OF: LinkKind.UPDATE,
    NoticeKind.REPUBLISHED_IN: LinkKind.UPDATE,
    NoticeKind.REPUBLISHED_FROM: LinkKind.UPDATE,
}


def _numbers(traits: Mapping[str, Traits]) -> dict[str, list[str]]:
    """Return the records that bear a PMID or a DOI."""
    found: dict[str, list[str]] = {}
    for one in traits.values():
        for number in (one.pmid, one.doi):
            if number:
                found.setdefault(number, []).append(one.id)
    return found


def _targets(notice: Notice, record: str, numbers: Mapping[str, Sequence[str]]) -> list[str]:
    found = numbers.get(notice.pmid.lstrip("0"), ()) if notice.pmid else ()
    found = found or (numbers.get(notice.doi.lower(), ()) if notice.doi else ())
    return [one for one in found if one != record]


def printed_links(records: Iterable[Record], traits: Mapping[str, Traits]) -> list[Link]:
    """Return the links that databases print between two of the records."""
    numbers = _numbers(traits)
    links = []
    for record in records:
        for notice in record.notices:
            for target in _targets(notice, record.id, numbers):
                first, second = sorted((record.id, target))
                why = info("dedup.link-printed", notice=notice.kind.value, printed=notice.printed)
                links.append(Link(first=first, second=second, kind=_LINKS[notice.kind], why=why))
    return links


def flags(records: Iterable[Record], traits: Mapping[str, Traits]) -> tuple[Flag, ...]:
    """Return what hangs over records: retracted (by its own export or by a notice here), a notice, a concern."""
    numbers = _numbers(traits)
    found: dict[tuple[str, FlagKind], Flag] = {}

    def add(record: str, kind: FlagKind, by: str) -> None:
        why = warning(f"dedup.flag-{kind.value}", by=by)
        found.setdefault((record, kind), Flag(record=record, kind=kind, why=why))

    for record in sorted(records, key=lambda one: one.id):
        if traits[record.id].retracted:
            add(record.id, FlagKind.RETRACTED, record.id)
        if traits[record.id].kind == "retraction":
            add(record.id, FlagKind.RETRACTION_NOTICE, record.id)
        for notice in record.notices:
            if notice.kind is NoticeKind.RETRACTED_BY:
                add(record.id, FlagKind.RETRACTED, notice.printed or notice.pmid or notice.doi)
            elif notice.kind is NoticeKind.CONCERN_IN:
                add(record.id, FlagKind.CONCERN, notice.printed or notice.pmid or notice.doi)
            elif notice.kind is NoticeKind.RETRACTION_OF:
                add(record.id, FlagKind.RETRACTION_NOTICE, record.id)
                for target in _targets(notice, record.id, numbers):
                    add(target, FlagKind.RETRACTED, record.id)
    return tuple(found[key] for key in sorted(found))


def between_clusters(links: Iterable[Link], home: Mapping[str, str]) -> tuple[Link, ...]:
    """Keep one link of a kind between two clusters, the one with the smallest ids.

    Parameters
    ----------
    links : iterable of Link
    home : mapping of str to str
        Record -> the name of its cluster.
    """
    kept: dict[tuple[str, str, LinkKind], Link] = {}
    for link in links:
        ends = sorted((home[link.first], home[link.second]))
        if ends[0] == ends[1]:
            continue
        key = (ends[0], ends[1], link.kind)
        if key not in kept or (link.first, link.second, link.why.code) < (
            kept[key].first,
            kept[key].second,
            kept[key].why.code,
        ):
            kept[key] = link
    return tuple(sorted(kept.values(), key=lambda link: (link.first, link.second, link.kind)))
