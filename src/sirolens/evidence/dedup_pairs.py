# SPDX-License-Identifier: Apache-2.0
"""Two records, judged: one report, two reports that belong together, two reports, or a pair to ask about.

The order of evidence: numbers that name a report (PMID, PMC, Web of Science, DOI, registration), each checked against
the titles because they are reused and misprinted; then title with authors and place in print; then, for titles in two
languages, the place in print with the authors' names across scripts. What is missing is not evidence for anything;
what contradicts keeps apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, final

from sirolens.evidence.dedup_names import Authorship, compare_authors, compare_names
from sirolens.evidence.dedup_places import Agreement, compare_pages
from sirolens.evidence.dedup_result import LinkKind
from sirolens.evidence.dedup_titles import Likeness
from sirolens.evidence.dedup_traits import TitleMatch, Traits, compare_all_titles
from sirolens.message import Message, info, warning

__all__ = ["Finding", "Outcome", "contradicts", "judge"]

VERY_LONG_TITLE: Final = 60  # letters: alone enough, with the first author and year, where no place is told
SAME_SENTENCE: Final = 60.0  # of 100: two translations of one title, when everything else is the same


class Outcome(IntEnum):
    """What two records are to each other."""

    APART = 0
    LINK = 1
    ASK = 2
    MERGE = 3


@final
@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome for one pair.

    Parameters
    ----------
    outcome : Outcome
    why : Message or None
        None for two records that have nothing to do with each other.
    strength : float
        Of a merge: stronger ones are joined first.
    link : LinkKind or None
    """

    outcome: Outcome
    why: Message | None = None
    strength: float = 0.0
    link: LinkKind | None = None

    @property
    def rule(self) -> str:
        """The name of the rule: the message's code after the point."""
        return self.why.code.partition(".")[2] if self.why else ""


APART: Final = Finding(Outcome.APART)


@final
@dataclass(frozen=True, slots=True)
class _Compared:
    """Everything about a pair that the rules look at."""

    one: Traits
    two: Traits
    title: TitleMatch
    authors: Authorship
    years: int | None  # apart; None when one is missing
    journal: Agreement
    volume: Agreement
    issue: Agreement
    pages: Agreement
    both_pages: bool  # first and last page agree

    @property
    def page(self) -> str:
        """The first page, as the fuller record has it."""
        return max(self.one.place.pages.first, self.two.place.pages.first, key=len)

    @property
    def same_place(self) -> bool:
        """First page and volume agree and nothing of the place speaks against it."""
        return self.pages is Agreement.SAME and self.volume is not Agreement.DIFFERENT and self.near_year

    @property
    def near_year(self) -> bool:
        return self.years is None or self.years <= 1

    @property
    def one_spot(self) -> bool:
        """First and last page, volume, journal and year agree: two papers cannot stand there."""
        return (
            self.both_pages
            and self.volume is Agreement.SAME
            and self.journal is Agreement.SAME
            and self.years in (0, None)
        )

    @property
    def several_authors(self) -> bool:
        return min(self.one.names.count, self.two.names.count) > 1

    @property
    def elsewhere(self) -> bool:
        """The places contradict each other."""
        if self.pages is Agreement.SAME and self.volume is not Agreement.DIFFERENT:
            return False
        different = (self.journal, self.volume, self.pages).count(Agreement.DIFFERENT)
        return different > 1 or self.journal is Agreement.DIFFERENT or self.pages is Agreement.DIFFERENT


def _agreement(one: str, two: str) -> Agreement:
    if not one or not two:
        return Agreement.UNKNOWN
    return Agreement.SAME if one == two else Agreement.DIFFERENT


def _compare(one: Traits, two: Traits, title: TitleMatch) -> _Compared:
    here, there = one.place, two.place
    page, both = compare_pages(here.pages, there.pages)
    return _Compared(
        one,
        two,
        title,
        compare_authors(one.names, two.names),
        None if here.year is None or there.year is None else abs(here.year - there.year),
        here.same_journal(there),
        _agreement(here.volume, there.volume),
        _agreement(here.issue, there.issue),
        page,
        both,
    )


def judge(one: Traits, two: Traits) -> Finding:
    """Judge a pair; the order of the two does not matter."""
    if one.register or two.register:
        return _registers(one, two)
    title = compare_all_titles(one, two)
    if one.kind != two.kind:
        return _notice(one, two, title)
    numbered = bool((one.pmid and one.pmid == two.pmid) or (one.doi and one.doi == two.doi) or _same_number(one, two))
    if not numbered and title.likeness is Likeness.FAR and not _page_by_page(one, two):
        return _shared_trial(one, two)
    pair = _compare(one, two, title)
    for rule in (_by_number, _by_doi, _by_title, _by_place, _across_languages):
        found = rule(pair)
        if found is not None:
            return found
    return _companions(pair)


def contradicts(one: Traits, two: Traits) -> bool:
    """Tell whether two records cannot be one report, though each may be the same as a third."""
    if one.register != two.register or one.kind != two.kind:
        return True
    if one.pmid and two.pmid and one.pmid != two.pmid:
        return True
    title = compare_all_titles(one, two)
    pair = _compare(one, two, title)
    if title.telling and not pair.one_spot:
        return True
    places = (pair.journal, pair.volume, pair.pages)
    return places.count(Agreement.DIFFERENT) == len(places) or (_two_dois(pair) and pair.pages is Agreement.DIFFERENT)


def _page_by_page(one: Traits, two: Traits) -> bool:
    here, there = one.place, two.place
    return bool(here.pages.several and here.pages.first == there.pages.first and here.volume == there.volume)


def _same_number(one: Traits, two: Traits) -> bool:
    return bool(
        (one.wos_id and one.wos_id == two.wos_id)
        or (one.pmcid and one.pmcid == two.pmcid)
        or (one.accession and one.accession == two.accession)
    )


def _registers(one: Traits, two: Traits) -> Finding:
    shared = sorted(one.trials & two.trials)
    if not shared:
        return APART
    if one.register and two.register:
        return Finding(Outcome.MERGE, info("dedup.same-registration", trial_id=shared[0]), 95.0)
    return Finding(Outcome.LINK, info("dedup.link-registration", trial_id=shared[0]), link=LinkKind.REGISTRATION)


def _shared_trial(one: Traits, two: Traits) -> Finding:
    shared = sorted(one.trials & two.trials)
    if not shared:
        return APART
    return Finding(Outcome.LINK, info("dedup.link-same-trial", trial_id=shared[0]), link=LinkKind.SAME_TRIAL)


_NOTICES: Final = {
    "erratum": LinkKind.ERRATUM,
    "retraction": LinkKind.RETRACTION,
    "concern": LinkKind.RETRACTION,
    "comment": LinkKind.COMMENT,
}


def _notice(one: Traits, two: Traits, title: TitleMatch) -> Finding:
    """A correction, retraction or reply is never the paper it speaks of; it is linked to it."""
    if title.likeness < Likeness.CUT or title.telling or title.generic:
        return APART
    kind = one.kind or two.kind
    if one.kind and two.kind:
        return APART
    return Finding(Outcome.LINK, info("dedup.link-notice", notice=kind), link=_NOTICES[kind])


def _contradicted(pair: _Compared) -> bool:
    """Nothing of title, authors and place speaks for one report."""
    title = pair.title
    if title.telling:
        return True
    if title.likeness > Likeness.OTHER:
        return False
    agree = (
        (pair.authors >= Authorship.FIRST)
        + (pair.pages is Agreement.SAME)
        + (pair.volume is Agreement.SAME and pair.journal is Agreement.SAME)
    )
    if title.likeness is Likeness.OTHER:
        return agree == 0 and (pair.authors is Authorship.DIFFERENT or pair.pages is Agreement.DIFFERENT)
    return agree < 2


def _by_number(pair: _Compared) -> Finding | None:
    """Merge by PMID, PMC number, Web of Science number or the database's own number, unless the titles contradict."""
    one, two = pair.one, pair.two
    if one.pmid and one.pmid == two.pmid:
        why, strength = info("dedup.same-pmid", pmid=one.pmid), 100.0
    elif one.wos_id and one.wos_id == two.wos_id:
        why, strength = info("dedup.same-wos", wos_id=one.wos_id), 99.0
    elif one.pmcid and one.pmcid == two.pmcid:
        why, strength = info("dedup.same-pmcid", pmcid=one.pmcid), 99.0
    elif one.accession and one.accession == two.accession:
        why, strength = info("dedup.same-accession", accession=one.accession), 97.0
    else:
        return None
    if _contradicted(pair):
        return Finding(Outcome.ASK, warning("dedup.ask-number", reason=why))
    return Finding(Outcome.MERGE, why, strength)


def _by_doi(pair: _Compared) -> Finding | None:
    """Merge by DOI where title, or place and authors, agree: whole supplements and issues carry one DOI."""
    one, two = pair.one, pair.two
    if not one.doi or one.doi != two.doi or _two_pmids(pair):
        return None
    title = pair.title
    why = info("dedup.same-doi", doi=one.doi)
    if title.telling:
        return None
    if title.likeness >= Likeness.LIKE:
        if pair.authors is Authorship.DIFFERENT and (title.likeness < Likeness.CUT or pair.elsewhere):
            return Finding(Outcome.ASK, warning("dedup.ask-doi", doi=one.doi))
        if pair.pages is Agreement.DIFFERENT and title.likeness < Likeness.CUT:
            return None
        if pair.pages is Agreement.DIFFERENT and pair.volume is Agreement.DIFFERENT:
            return Finding(Outcome.ASK, warning("dedup.ask-doi", doi=one.doi))
        return Finding(Outcome.MERGE, why, 96.0)
    if title.likeness is Likeness.OTHER:
        if pair.pages is Agreement.DIFFERENT or pair.authors is Authorship.DIFFERENT or not pair.near_year:
            return None
        if pair.pages is Agreement.SAME or pair.authors >= Authorship.FIRST:
            return Finding(Outcome.MERGE, why, 94.0)
        return Finding(Outcome.ASK, warning("dedup.ask-doi", doi=one.doi))
    if pair.pages is Agreement.SAME and pair.authors >= Authorship.FIRST and pair.near_year:
        return Finding(Outcome.MERGE, why, 92.0)
    return None


def _two_pmids(pair: _Compared) -> bool:
    return bool(pair.one.pmid and pair.two.pmid and pair.one.pmid != pair.two.pmid)


def _two_dois(pair: _Compared) -> bool:
    return bool(pair.one.doi and pair.two.doi and pair.one.doi != pair.two.doi)


def _spot(pair: _Compared) -> dict[str, Any]:
    """What the messages tell of the place."""
    here, there = pair.one.place, pair.two.place
    return {
        "volume": here.volume or there.volume or "-",
        "page": pair.page or "-",
        "year": str(here.year or there.year or "-"),
    }


def _by_title(pair: _Compared) -> Finding | None:
    """Merge by title and authors, where the place agrees or does not contradict."""
    title = pair.title
    if title.likeness < Likeness.NEAR or title.telling:
        return None
    if pair.authors is Authorship.DIFFERENT and not (
        pair.both_pages and pair.volume is Agreement.SAME and pair.journal is Agreement.SAME and not title.generic
    ):
        return None
    if pair.same_place and not (title.generic and pair.volume is Agreement.UNKNOWN):
        return _in_one_place(pair)
    if title.generic or _two_pmids(pair) or _two_dois(pair) or pair.elsewhere or not pair.near_year:
        return _moved(pair)
    if pair.authors is Authorship.UNKNOWN and pair.years:
        return None
    return _place_untold(pair)


def _in_one_place(pair: _Compared) -> Finding | None:
    far = pair.journal is Agreement.DIFFERENT and not (pair.both_pages or pair.authors >= Authorship.FIRST)
    weak = pair.volume is Agreement.UNKNOWN and pair.journal is not Agreement.SAME and not pair.both_pages
    if far or (weak and pair.authors < Authorship.FIRST):
        return None
    if _two_pmids(pair):
        return Finding(Outcome.ASK, warning("dedup.ask-two-pmids", first_pmid=pair.one.pmid, second_pmid=pair.two.pmid))
    why = info("dedup.same-title-and-place", **_spot(pair))
    return Finding(Outcome.MERGE, why, 90.0 + (pair.authors >= Authorship.FIRST) + pair.both_pages)


def _moved(pair: _Compared) -> Finding | None:
    """Merge in spite of a wrong year, volume or page when all else of the place is the same."""
    if pair.title.generic or _two_pmids(pair) or pair.authors < Authorship.FIRST:
        return None
    if _page_misprinted(pair):
        return Finding(Outcome.MERGE, info("dedup.same-title-and-issue", **_spot(pair)), 72.0)
    if pair.one.place.pages.code and pair.years:
        return None  # a later version of a Cochrane review keeps its number
    if not pair.both_pages or pair.journal is not Agreement.SAME or _two_dois(pair):
        return None
    if pair.volume is Agreement.DIFFERENT and pair.years != 0:
        return None
    return Finding(Outcome.MERGE, info("dedup.same-title-and-place", **_spot(pair)), 80.0)


def _page_misprinted(pair: _Compared) -> bool:
    """Long title, all of several authors, journal, volume, issue and year agree; only the page does not."""
    return (
        pair.authors is Authorship.SAME
        and min(pair.one.names.count, pair.two.names.count) > 2
        and pair.issue is Agreement.SAME
        and pair.volume is Agreement.SAME
        and pair.journal is Agreement.SAME
        and pair.years == 0
        and not _two_dois(pair)
        and _shortest(pair) >= VERY_LONG_TITLE
    )


def _shortest(pair: _Compared) -> int:
    return min((len(title.key) for side in (pair.one, pair.two) for title in side.titles), default=0)


def _place_untold(pair: _Compared) -> Finding | None:
    """Title, authors and year agree; one record lacks pages or volume."""
    if pair.volume is Agreement.DIFFERENT:
        return None
    told = (pair.journal is Agreement.SAME) + (pair.volume is Agreement.SAME)
    long = _shortest(pair) >= VERY_LONG_TITLE
    enough = told == 2 or (told == 1 and (pair.authors >= Authorship.FIRST or long))
    if pair.authors is Authorship.UNKNOWN:
        enough = told == 2
    if not told and pair.authors >= Authorship.FIRST and pair.years == 0:
        empty = any(not side.place.journals and not side.place.pages.first for side in (pair.one, pair.two))
        if empty and long and pair.authors is Authorship.SAME:
            enough = True
        else:
            return Finding(Outcome.ASK, warning("dedup.ask-place-untold", **_spot(pair)))
    if not enough:
        return None
    return Finding(Outcome.MERGE, info("dedup.same-title-and-authors", **_spot(pair)), 75.0 + told)


def _by_place(pair: _Compared) -> Finding | None:
    """Merge by the place in print where the titles are much alike, or the authors are the same."""
    title = pair.title
    if not pair.same_place or _two_pmids(pair) or _two_dois(pair) or title.likeness is Likeness.OTHER:
        return None
    if title.telling and not pair.one_spot:
        return None
    if title.likeness >= Likeness.LIKE and _alike_enough(pair):
        return Finding(Outcome.MERGE, info("dedup.similar-title-same-place", **_spot(pair)), 70.0)
    if not pair.one_spot and not (pair.both_pages and pair.journal is Agreement.SAME and pair.years == 0):
        return None
    if title.share >= SAME_SENTENCE and pair.authors in (Authorship.SAME, Authorship.UNKNOWN):
        return Finding(Outcome.MERGE, info("dedup.similar-title-same-place", **_spot(pair)), 65.0)
    if pair.authors is Authorship.SAME and pair.several_authors:
        return Finding(Outcome.MERGE, info("dedup.other-title-same-place", **_spot(pair)), 60.0)
    return None


def _alike_enough(pair: _Compared) -> bool:
    if pair.journal is Agreement.DIFFERENT:
        return (
            pair.both_pages
            and pair.volume is Agreement.SAME
            and pair.authors is Authorship.SAME
            and pair.several_authors
        )
    if pair.volume is not Agreement.SAME and not (pair.both_pages and pair.journal is Agreement.SAME):
        return False
    return pair.authors >= Authorship.FIRST or (pair.authors is Authorship.UNKNOWN and pair.both_pages)


def _across_languages(pair: _Compared) -> Finding | None:
    """Merge a Chinese and an English record of one paper by place and authors across scripts."""
    one, two = pair.one, pair.two
    if pair.title.likeness is not Likeness.OTHER or one.han == two.han or not one.titles or not two.titles:
        return None
    if pair.pages is not Agreement.SAME or pair.years != 0 or pair.journal is Agreement.DIFFERENT:
        return None
    if Agreement.DIFFERENT in (pair.volume, pair.issue) or _two_pmids(pair) or _two_dois(pair):
        return None
    if not one.names.names or not two.names.names:
        return None
    first = compare_names(one.names.names[0], two.names.names[0])
    if first is Authorship.DIFFERENT:
        return None
    values = _spot(pair) | {"issue": one.place.issue or two.place.issue or "-"}
    numbers = (pair.issue is Agreement.SAME) + (pair.volume is Agreement.SAME) + pair.both_pages
    agreeing = sum(
        compare_names(mine, theirs) is not Authorship.DIFFERENT
        for mine, theirs in zip(one.names.names, two.names.names, strict=False)
    )
    count = min(len(one.names.names), len(two.names.names))
    in_order = agreeing == count and (one.names.count == two.names.count or one.names.cut or two.names.cut)
    known = pair.journal is Agreement.SAME
    if numbers >= 2 and ((known and (first >= Authorship.FIRST or in_order)) or (in_order and count >= 3)):
        return Finding(Outcome.MERGE, info("dedup.chinese-english", **values), 68.0 + numbers + known)
    if numbers >= 2 and in_order and first is Authorship.SAME and count >= 2:
        return Finding(Outcome.MERGE, info("dedup.chinese-english", **values), 66.0)
    if (known or pair.both_pages) and numbers >= 1 and in_order and first >= Authorship.FIRST:
        return Finding(Outcome.ASK, warning("dedup.ask-chinese-english", **values))
    return None


def _companions(pair: _Compared) -> Finding:
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


def _same_title_elsewhere(pair: _Compared) -> Finding:
    one, two = pair.one, pair.two
    journals = " ".join((*one.place.journals, *two.place.journals)).lower()
    if "cochrane" in journals and pair.years:
        return Finding(Outcome.LINK, info("dedup.link-update"), link=LinkKind.UPDATE)
    supplement = any(side.meeting or side.place.issue.startswith("s") for side in (one, two))
    if supplement:
        return Finding(Outcome.LINK, info("dedup.link-abstract"), link=LinkKind.ABSTRACT)
    return Finding(Outcome.LINK, info("dedup.link-same-title"), link=LinkKind.SAME_TITLE)
