# SPDX-License-Identifier: Apache-2.0
"""Two records, judged: one report, two reports that belong together, two reports, or a pair to ask about.

The order of evidence: numbers that name a report (PMID, PMC, Web of Science, DOI, registration), each checked against
the titles because they are reused and misprinted; then title with authors and place in print; then, for titles in two
languages, the place in print with the authors' names across scripts. What is missing is not evidence for anything;
what contradicts keeps apart.
"""

from __future__ import annotations

from typing import Final

from sirolens.evidence.dedup.bilingual import across_languages
from sirolens.evidence.dedup.companions import companions, notice, registers, shared_trial
from sirolens.evidence.dedup.compared import Compared, Finding, Outcome, compare, spot, two_dois, two_pmids
from sirolens.evidence.dedup.journals import Agreement
from sirolens.evidence.dedup.names import Authorship
from sirolens.evidence.dedup.places import pages_apart
from sirolens.evidence.dedup.titles import Likeness
from sirolens.evidence.dedup.traits import Traits, compare_all_titles
from sirolens.message import info, warning

__all__ = ["Finding", "Outcome", "contradicts", "judge"]

VERY_LONG_TITLE: Final = 60  # letters: alone enough, with the first author and year, where no place is told
NEAR_PAGES: Final = 5  # a page misprinted, or a neighbour's
THROUGH_PAGED: Final = 20  # a first page from which an issue's own pages are unlikely to repeat in the next issue
SAME_SENTENCE: Final = 60.0  # of 100: two translations of one title, when everything else is the same


def judge(one: Traits, two: Traits) -> Finding:
    """Judge a pair; the order of the two does not matter."""
    if one.register or two.register:
        return registers(one, two)
    title = compare_all_titles(one, two)
    if one.kind != two.kind:
        return notice(one, two, title)
    numbered = bool((one.pmid and one.pmid == two.pmid) or (one.doi and one.doi == two.doi) or _same_number(one, two))
    far = title.likeness is Likeness.FAR and one.chinese == two.chinese
    if not numbered and far and not _page_by_page(one, two):
        return shared_trial(one, two)
    pair = compare(one, two, title)
    for rule in (_by_number, _by_doi, _by_title, _by_place, across_languages):
        found = rule(pair)
        if found is not None:
            return found
    return companions(pair)


def contradicts(one: Traits, two: Traits) -> bool:
    """Tell whether two records cannot be one report, though each may be the same as a third."""
    if one.register != two.register or one.kind != two.kind:
        return True
    if one.pmid and two.pmid and one.pmid != two.pmid:
        return True
    title = compare_all_titles(one, two)
    pair = compare(one, two, title)
    if title.telling and not pair.one_spot:
        return True
    places = (pair.journal, pair.volume, pair.pages)
    return places.count(Agreement.DIFFERENT) == len(places) or (two_dois(pair) and pair.pages is Agreement.DIFFERENT)


def _page_by_page(one: Traits, two: Traits) -> bool:
    here, there = one.place, two.place
    return bool(here.pages.several and here.pages.first == there.pages.first and here.volume == there.volume)


def _same_number(one: Traits, two: Traits) -> bool:
    return bool(
        (one.wos_id and one.wos_id == two.wos_id)
        or (one.pmcid and one.pmcid == two.pmcid)
        or (one.accession and one.accession == two.accession)
    )


def _contradicted(pair: Compared) -> bool:
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


def _by_number(pair: Compared) -> Finding | None:
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


def _by_doi(pair: Compared) -> Finding | None:
    """Merge by DOI where title, or place and authors, agree: whole supplements and issues carry one DOI."""
    one, two = pair.one, pair.two
    if not one.doi or one.doi != two.doi or two_pmids(pair):
        return None
    title = pair.title
    why = info("dedup.same-doi", doi=one.doi)
    if title.telling and not (
        title.likeness is Likeness.CUT and pair.authors is Authorship.SAME and pair.several_authors
    ):
        return None
    if title.likeness >= Likeness.LIKE:
        if pair.authors is Authorship.DIFFERENT and (title.likeness < Likeness.CUT or pair.elsewhere):
            return Finding(Outcome.ASK, warning("dedup.ask-doi", doi=one.doi))
        if pair.pages is Agreement.DIFFERENT and title.likeness < Likeness.SAME:
            return None  # two abstracts of one supplement
        if title.likeness < Likeness.SAME and pair.authors is Authorship.UNKNOWN and _another_issue(pair):
            return Finding(Outcome.ASK, warning("dedup.ask-doi", doi=one.doi))
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


def _another_issue(pair: Compared) -> bool:
    return pair.issue is Agreement.DIFFERENT or not pair.near_year


def _by_title(pair: Compared) -> Finding | None:
    """Merge by title and authors, where the place agrees or does not contradict."""
    title = pair.title
    if title.likeness < Likeness.NEAR or title.telling:
        return None
    if pair.authors is Authorship.DIFFERENT and not (
        pair.both_pages and pair.volume is Agreement.SAME and pair.journal is Agreement.SAME and not title.generic
    ):
        return None
    if pair.issue is Agreement.DIFFERENT and (title.generic or not (pair.both_pages or _page_and_long_title(pair))):
        return None  # an editor's column has one title in every issue, and often one first page
    if _versions(pair):
        return None
    if pair.same_place and not (title.generic and Agreement.UNKNOWN in (pair.volume, pair.issue)):
        return _in_one_place(pair)
    if title.generic or two_pmids(pair) or two_dois(pair) or pair.elsewhere or not pair.near_year:
        return _moved(pair)
    if pair.authors is Authorship.UNKNOWN and pair.years:
        return None
    return _place_untold(pair)


def _versions(pair: Compared) -> bool:
    """A later version of a Cochrane review keeps its number and title; only year, issue or DOI tell it."""
    cochrane = pair.one.place.pages.first.startswith("cd") and pair.one.place.pages.code
    return cochrane and (bool(pair.years) or two_dois(pair))


def _page_and_long_title(pair: Compared) -> bool:
    return pair.pages is Agreement.SAME and pair.volume is Agreement.SAME and _shortest(pair) >= VERY_LONG_TITLE


def _in_one_place(pair: Compared) -> Finding | None:
    sure = pair.volume is Agreement.SAME and pair.authors >= Authorship.FIRST
    far = pair.journal is Agreement.DIFFERENT and not (pair.both_pages or sure)
    weak = pair.volume is Agreement.UNKNOWN and pair.journal is not Agreement.SAME and not pair.both_pages
    if far or (weak and pair.authors < Authorship.FIRST):
        return None
    if two_pmids(pair):
        return Finding(Outcome.ASK, warning("dedup.ask-two-pmids", first_pmid=pair.one.pmid, second_pmid=pair.two.pmid))
    why = info("dedup.same-title-and-place", **spot(pair))
    return Finding(Outcome.MERGE, why, 90.0 + (pair.authors >= Authorship.FIRST) + pair.both_pages)


def _moved(pair: Compared) -> Finding | None:
    """Merge in spite of a wrong year, volume or page when all else of the place is the same."""
    if pair.title.generic or two_pmids(pair) or pair.authors < Authorship.FIRST:
        return None
    if _page_misprinted(pair):
        return Finding(Outcome.MERGE, info("dedup.same-title-and-issue", **spot(pair)), 72.0)
    if not pair.both_pages or pair.journal is not Agreement.SAME or two_dois(pair):
        return None
    if pair.volume is Agreement.DIFFERENT and pair.years != 0:
        return None
    return Finding(Outcome.MERGE, info("dedup.same-title-and-place", **spot(pair)), 80.0)


def _page_misprinted(pair: Compared) -> bool:
    """Long title, all of several authors, journal, volume and year agree, and the issue, or the pages nearly."""
    apart = pages_apart(pair.one.place.pages, pair.two.place.pages)
    near = apart is not None and apart <= NEAR_PAGES and pair.issue is Agreement.UNKNOWN
    return (
        pair.title.likeness is Likeness.SAME
        and pair.authors is Authorship.SAME
        and min(pair.one.names.count, pair.two.names.count) > 2
        and (pair.issue is Agreement.SAME or near)
        and pair.volume is Agreement.SAME
        and pair.journal is Agreement.SAME
        and pair.years == 0
        and not two_dois(pair)
        and _shortest(pair) >= VERY_LONG_TITLE
    )


def _shortest(pair: Compared) -> int:
    """The length of the shortest title in letters; a Chinese character counts for three."""
    sides = (pair.one, pair.two)
    return min((len(title.key) * (3 if title.han else 1) for side in sides for title in side.titles), default=0)


def _abstract_and_paper(pair: Compared) -> bool:
    """One record is a meeting's, and the other does not look like an abstract: one page, or a supplement."""
    if pair.one.meeting == pair.two.meeting:
        return False
    other = pair.two if pair.one.meeting else pair.one
    single = bool(other.place.pages.first) and not other.place.pages.several
    return not single and not other.place.issue.startswith("s")


def _place_untold(pair: Compared) -> Finding | None:
    """Title, authors and year agree; one record lacks pages or volume."""
    told = (pair.journal is Agreement.SAME) + (pair.volume is Agreement.SAME)
    if pair.volume is Agreement.DIFFERENT or (told < 2 and _abstract_and_paper(pair)):
        return None
    long = _shortest(pair) >= VERY_LONG_TITLE
    enough = told == 2 or (told == 1 and pair.years == 0 and (pair.authors >= Authorship.FIRST or long))
    if pair.authors is Authorship.UNKNOWN:
        enough = told == 2
    elif pair.authors >= Authorship.FIRST and not enough and pair.years is not None:
        # a record without any place may be a thesis or a meeting abstract of the same title: several authors say no
        empty = any(not side.place.journals and not side.place.pages.first for side in (pair.one, pair.two))
        many = min(pair.one.names.count, pair.two.names.count) > 2 and pair.authors is Authorship.SAME
        enough = not told and pair.years == 0 and empty and long and many
        if not enough:
            return Finding(Outcome.ASK, warning("dedup.ask-place-untold", **spot(pair)))
    if not enough:
        return None
    return Finding(Outcome.MERGE, info("dedup.same-title-and-authors", **spot(pair)), 75.0 + told)


def _by_place(pair: Compared) -> Finding | None:
    """Merge by the place in print where the titles are much alike, or the authors are the same."""
    title = pair.title
    if not pair.same_place or two_pmids(pair) or two_dois(pair) or title.likeness is Likeness.OTHER:
        return None
    if title.telling and not pair.one_spot:
        return None
    unlike = title.generic or title.likeness < Likeness.LIKE or not pair.both_pages
    if pair.issue is Agreement.DIFFERENT and unlike:
        return None
    if title.likeness >= Likeness.LIKE and _alike_enough(pair):
        return Finding(Outcome.MERGE, info("dedup.similar-title-same-place", **spot(pair)), 70.0)
    if not pair.one_spot and not (pair.both_pages and pair.journal is Agreement.SAME and pair.years == 0):
        return None
    if title.share >= SAME_SENTENCE and pair.authors in (Authorship.SAME, Authorship.UNKNOWN):
        return Finding(Outcome.MERGE, info("dedup.similar-title-same-place", **spot(pair)), 65.0)
    through = pair.issue is Agreement.SAME or pair.one.place.pages.spans[0][0] >= THROUGH_PAGED
    if pair.authors is Authorship.SAME and pair.several_authors and through:
        return Finding(Outcome.MERGE, info("dedup.other-title-same-place", **spot(pair)), 60.0)
    return None


def _alike_enough(pair: Compared) -> bool:
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
