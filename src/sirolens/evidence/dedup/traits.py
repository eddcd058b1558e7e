# SPDX-License-Identifier: Apache-2.0
"""What of a record is compared: its titles, authors, place and identifiers, each worked out once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, final

from sirolens.evidence.dedup.names import Names, names
from sirolens.evidence.dedup.places import Place, place
from sirolens.evidence.dedup.titles import Likeness, Title, about, compare_titles, title
from sirolens.evidence.record import Record

__all__ = ["TitleMatch", "Traits", "compare_all_titles", "traits"]

_REGISTER = re.compile(
    r"clinicaltrials\.gov|chictr|ictrp|isrctn|trialsearch|trial registry|who\.int/trial|临床试验注册", re.IGNORECASE
)
_REGISTER_SOURCE = re.compile(r"clinicaltrials|ictrp|chictr|register", re.IGNORECASE)
_MEETING: Final = re.compile(r"meeting|conference|congress|poster|会议", re.IGNORECASE)
_PREPRINT: Final = re.compile(r"preprint|biorxiv|medrxiv|research square|ssrn|chinaxiv|预印本", re.IGNORECASE)
_TRIAL = re.compile(r"NCT\d{8}|ChiCTR[-\w]*\d+|ISRCTN\d+|EUCTR\d{4}-\d{6}-\d{2}", re.IGNORECASE)
ACCESSION_LENGTH: Final = 6
_DOI = re.compile(r"10\.\d{4,9}/\S+")


@final
@dataclass(frozen=True, slots=True)
class Traits:
    """One record, ready to be compared.

    Parameters
    ----------
    id : str
    titles : tuple of Title
        Its title and its second title, where they can be read.
    kind : str
        What the title says it is to another paper (`sirolens.evidence.dedup.titles.about`).
    names : Names
    place : Place
    pmid, doi, pmcid, wos_id : str
    accession : str
        The database with its number; empty without either.
    trials : frozenset of str
    registration : str
        The number printed first: of a register's entry its own, the others are what it refers to.
    register : bool
        True for an entry of a trial register.
    meeting, preprint, retracted : bool
    """

    id: str
    titles: tuple[Title, ...]
    kind: str
    names: Names
    place: Place
    pmid: str
    doi: str
    pmcid: str
    wos_id: str
    accession: str
    trials: frozenset[str]
    registration: str
    register: bool
    meeting: bool
    preprint: bool
    retracted: bool

    @property
    def chinese(self) -> bool:
        """True for a record in characters: its authors', or its title's where it has no authors."""
        if self.names.names:
            return self.names.names[0].han
        return bool(self.titles) and self.titles[0].han


def _is_register(record: Record) -> bool:
    if _REGISTER_SOURCE.search(record.source):
        return True
    if record.pmid or not _trials(record):
        return False
    return bool(_REGISTER.search(record.journal) or any(_REGISTER.search(kind) for kind in record.kinds))


def _trials(record: Record) -> tuple[str, ...]:
    """Return the registration numbers, those in the place of the journal too, where some exports print them."""
    printed = [*record.trial_ids]
    if _REGISTER.search(record.journal):
        printed += _TRIAL.findall(f"{record.journal} {record.url} {record.accession}")
    return tuple(dict.fromkeys(trial.upper().replace(" ", "") for trial in printed))


def _accession(record: Record) -> str:
    """Return the database's number of a record; a short one may be its number in the file."""
    if not record.database or len(record.accession) < ACCESSION_LENGTH:
        return ""
    return f"{record.database.lower()}:{record.accession}"


def traits(record: Record) -> Traits:
    """Work out what of a record is compared.

    >>> from sirolens.evidence.record import Position
    >>> here = Position(sha256="0" * 64, ordinal=1, first_line=1, last_line=2)
    >>> traits(Record(id="r-1", source="ris", position=here, raw="", title="Erratum to: An invented trial")).kind
    'erratum'
    """
    kind, subject = about(record.title)
    trials = _trials(record)
    texts = dict.fromkeys((subject, record.title_vernacular))
    found = tuple(one for one in (title(text) for text in texts if text) if one is not None)
    doi = _DOI.search(record.doi.lower())
    venue = " ".join((record.journal, *record.kinds))
    return Traits(
        id=record.id,
        titles=found,
        kind="" if kind == "retracted" else kind,
        names=names(record),
        place=place(record),
        pmid=record.pmid.strip().lstrip("0"),
        doi=doi[0].rstrip(".,;)") if doi else "",
        pmcid=record.pmcid.strip().upper(),
        wos_id=record.wos_id.strip().upper(),
        accession=_accession(record),
        trials=frozenset(trials),
        registration=trials[0] if trials else "",
        register=_is_register(record),
        meeting=bool(_MEETING.search(venue)),
        preprint=bool(_PREPRINT.search(venue)),
        retracted=record.retracted or kind == "retracted",
    )


@final
@dataclass(frozen=True, slots=True)
class TitleMatch:
    """The best agreement among the titles of two records.

    Parameters
    ----------
    likeness : Likeness
    telling : str
        The difference that makes them two papers, or ``""``.
    share : float
        Letters in common, 0-100.
    generic : bool
        True when the titles that agree are too short to know a paper by.
    han : bool
        True when Chinese titles were compared.
    """

    likeness: Likeness
    telling: str
    share: float
    generic: bool
    han: bool


NOTHING: Final = TitleMatch(Likeness.OTHER, "", 0.0, False, False)


def compare_all_titles(one: Traits, two: Traits) -> TitleMatch:
    """Compare every title of one record with every title of the other and keep the best agreement."""
    best = NOTHING
    for mine in one.titles:
        for other in two.titles:
            if mine.han != other.han:
                continue
            likeness, difference, share = compare_titles(mine, other)
            if best is NOTHING or (likeness, share) > (best.likeness, best.share):
                best = TitleMatch(likeness, difference, share, mine.generic or other.generic, mine.han)
    return best
