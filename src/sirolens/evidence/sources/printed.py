# SPDX-License-Identifier: Apache-2.0
"""What is printed in a field, taken apart: DOIs, ISSNs, registration numbers, dates, names; the same for every format.

Nothing is guessed: what does not have the form is not found, and the caller keeps the text as printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from sirolens.evidence.record import Author
from sirolens.evidence.sources.chinese_names import chinese_name

__all__ = [
    "author",
    "bare_doi",
    "is_cut",
    "issns",
    "one_line",
    "paragraphs",
    "plain_line",
    "plain_paragraphs",
    "says_retracted",
    "trial_ids",
    "year_month",
]

_DOI = re.compile(r"(?<![\d.])10\.\d{4,9}(?:\.\d+)*(?:/|%2F)\S{1,500}", re.I)
_PAIRS: Final = {")": "(", "]": "[", ">": "<", "}": "{"}
_ISSN = re.compile(r"(?<![\d-])(\d{4})-?(\d{3}[\dXx])(?![\d-])")
_TRIAL = re.compile(
    r"\b(?:NCT\d{8}|ChiCTR[A-Z0-9-]*\d{6,}|ISRCTN\d{8}|EUCTR\d{4}-\d{6}-\d{2}|ACTRN\d{14}|JPRN-[A-Za-z]+\d+|"
    r"jRCTs?\d{9,}|UMIN\d{9}|CTRI/\d{4}/\d{2,3}/\d{6}|IRCT\d{8,}N\d+|KCT\d{7}|DRKS\d{8}|NTR\d{3,5}|PACTR\d{15,})\b",
    re.I,
)
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
_COMPACT_DATE = re.compile(r"(?<!\d)((?:1[5-9]|20)\d\d)(0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)")
_MONTH_NUMBER = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?:年|[-/.])\s*(1[0-2]|0?[1-9])(?!\d)")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAME = re.compile(rf"\b({'|'.join(_MONTHS)})[a-z]*\b", re.I)
_CUT = re.compile(r"^(?:et al\.?|and others|others|等\.?|\.\.\.|…)$", re.I)
_CUT_END = re.compile(r"(?:,? ?\bet al\.?|,? ?等\.?)$", re.I)
_HAN_NAME = re.compile(r"[\u3400-\u9fff\U00020000-\U0002ffff]{2,4}")
_GROUP = re.compile(
    r"\b(?:group|consortium|committee|investigators|network|society|association|collaboration|collaborators|"
    r"initiative|project|registry)\b|(?:协作组|学组|学会|协会|编委会|委员会|编辑部|课题组|研究组|医院|大学|中心)$",
    re.I,
)
_INITIALS = re.compile(r"[A-Z](?:[.\s-]*[A-Z]){0,3}\.?")
_RETRACTED_KIND = re.compile(r"retracted (?:publication|article|paper)", re.I)
_RETRACTED_TITLE = re.compile(
    r"\s*[\[(]?retracted(?: article)?[\])]?\s*[:.\]]|.*\(retracted article\b|.*\[retracted\]", re.I
)


def bare_doi(text: str) -> str:
    """Return the first DOI in a text, bare and in lower case; empty when there is none.

    Punctuation after it is left off; brackets that belong to it stay.

    >>> bare_doi("https://doi.org/10.99999/FAKE.1."), bare_doi("10.99999/(sici)1(1)2<3::aid-4>3.0.co;2-g")
    ('10.99999/fake.1', '10.99999/(sici)1(1)2<3::aid-4>3.0.co;2-g')
    """
    if "10." not in text:
        return ""
    found = _DOI.search(text)
    if found is None:
        return ""
    doi = found.group()
    if "%" in doi:
        doi = unquote(doi)
    while doi:
        last = doi[-1]
        opening = _PAIRS.get(last)
        if last in ".,;:'\"。，；、" or (opening is not None and doi.count(opening) < doi.count(last)):
            doi = doi[:-1]
        else:
            break
    return doi.lower()


def issns(*texts: str) -> str:
    """Return every ISSN printed in the texts, each once, as ``dddd-dddX``, joined by a space.

    >>> issns("0000-000x (Print)", "00000001 0000-000X")
    '0000-000X 0000-0001'
    """
    found = (f"{first}-{second.upper()}" for text in texts for first, second in _ISSN.findall(text))
    return " ".join(dict.fromkeys(found))


def trial_ids(*texts: str) -> tuple[str, ...]:
    """Return the registration numbers printed in the texts, each once.

    >>> trial_ids("ClinicalTrials.gov/NCT00000000; ChiCTR-ONN-00000000")
    ('NCT00000000', 'ChiCTR-ONN-00000000')
    """
    return tuple(dict.fromkeys(found for text in texts for found in _TRIAL.findall(text)))


def year_month(text: str) -> tuple[int | None, int | None]:
    """Return year and month of a printed date; what is not printed is None.

    >>> year_month("2019/03/15/"), year_month("2021 Mar-Apr"), year_month("JAN 2026"), year_month("in press")
    ((2019, 3), (2021, 3), (2026, 1), (None, None))
    """
    compact = _COMPACT_DATE.search(text)
    if compact is not None:
        return int(compact[1]), int(compact[2])
    year = _YEAR.search(text)
    if year is None:
        return None, None
    number = _MONTH_NUMBER.search(text)
    if number is not None:
        return int(year.group()), int(number[1])
    name = _MONTH_NAME.search(text)
    return int(year.group()), _MONTHS.index(name[1].lower()) + 1 if name is not None else None


@lru_cache(maxsize=65_536)  # names recur in a review
def author(printed: str) -> Author:
    """Take a name apart where its form tells the parts: a comma, initials at the end, or a sure Chinese surname.

    >>> one = author("Zhang, Wei")
    >>> one.family, one.given, author("Zhang W").initials, author("欧阳伟").family
    ('Zhang', 'Wei', 'W', '欧阳')
    """
    if "," in printed:
        family, _, given = printed.partition(",")
        family, given = family.strip(), given.strip()
        initials = given if given and _INITIALS.fullmatch(given) else ""
        return Author(printed=printed, family=family, given="" if initials else given, initials=initials)
    if _HAN_NAME.fullmatch(printed) and not _GROUP.search(printed):
        family, given = chinese_name(printed)
        return Author(printed=printed, family=family, given=given)
    if _GROUP.search(printed):
        return Author(printed=printed, collective=True)
    family, _, last = printed.rpartition(" ")
    if family and _INITIALS.fullmatch(last):
        return Author(printed=printed, family=family.strip(), initials=last)
    return Author(printed=printed)


def is_cut(names: list[str]) -> bool:
    """Take the mark of a cut list ("et al.", 等) off a list of printed names, in place; True when there was one.

    >>> names = ["Zhang W", "Li H et al."]
    >>> is_cut(names), names
    (True, ['Zhang W', 'Li H'])
    """
    if not names:
        return False
    if _CUT.match(names[-1]):
        names.pop()
        return True
    shorter = _CUT_END.sub("", names[-1])
    cut = shorter != names[-1] and (len(shorter) > 1 or not _HAN_NAME.fullmatch(names[-1]))
    if cut:
        names[-1] = shorter.rstrip(" ,")
    return cut


def says_retracted(title: str, kinds: Iterable[str]) -> bool:
    """Whether the export itself says that the publication was retracted, by its type or in its title.

    >>> says_retracted("RETRACTED: Invented study", ()), says_retracted("Retracted papers: a survey", ())
    (True, False)
    """
    if any(_RETRACTED_KIND.search(kind) for kind in kinds):
        return True
    return "retracted" in title.lower() and _RETRACTED_TITLE.match(title) is not None


def one_line(text: str) -> str:
    r"""Return a text in one line: strip it, and let every line break with the blanks around it become one space.

    >>> one_line("  西罗莫司\n      trial ")
    '西罗莫司 trial'
    """
    text = text.strip()
    return " ".join(line.strip() for line in text.split("\n")) if "\n" in text else text


def paragraphs(text: str) -> str:
    r"""Return an abstract with one line for each paragraph: strip every line, leave empty ones out.

    >>> paragraphs(" AIM: one.\n\n  RESULT: two. ")
    'AIM: one.\nRESULT: two.'
    """
    text = text.strip()
    if "\n" not in text:
        return text
    return "\n".join(line for line in map(str.strip, text.split("\n")) if line)


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029\ufeff]")


def plain_line(text: str) -> str:
    r"""Return a text in one line without control characters, for writing.

    >>> plain_line("Invented\x0c\r\n title ")
    'Invented title'
    """
    return one_line(_CONTROL.sub(" ", text))


def plain_paragraphs(text: str) -> str:
    r"""Return an abstract with one line for each paragraph and without control characters, for writing."""
    return paragraphs(_CONTROL.sub(" ", text))
