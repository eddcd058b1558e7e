# SPDX-License-Identifier: Apache-2.0
"""What trial registers call the parts of a registration, and the record made of them; shared by their file formats.

Where the names come from. ClinicalTrials.gov's CSV (columns from "NCT Number" on) and its JSON of version 2
(``protocolSection`` and its modules) were seen in real exports, which this code reads whole. The WHO portal's XML
(``Trial`` with ``TrialID``, ``Public_title`` ...) was seen in public code and descriptions that work with real exports,
not in an export itself. The Chinese names of the Chinese Clinical Trial Registry's columns are from memory and
unverified, as is the older ClinicalTrials.gov CSV.
A registration has no authors; its sponsor stays in the raw text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import unescape
from typing import Any, Final

from sirolens.evidence.sources.printed import paragraphs, trial_ids, year_month

__all__ = ["COLUMNS", "column", "registration_values"]

COLUMNS: Final[Mapping[str, str]] = {
    # ClinicalTrials.gov
    "nct number": "id",
    "study title": "title",
    "title": "title",
    "official title": "title",
    "study url": "url",
    "url": "url",
    "study status": "status",
    "status": "status",
    "brief summary": "abstract",
    "conditions": "conditions",
    "interventions": "interventions",
    "phases": "phase",
    "study type": "type",
    "other ids": "other_ids",
    "first posted": "date",
    "start date": "later_date",
    # WHO portal
    "trialid": "id",
    "main id": "id",
    "scientific title": "title",
    "public title": "public_title",
    "web address": "url",
    "recruitment status": "status",
    "condition": "conditions",
    "intervention": "interventions",
    "phase": "phase",
    "secondary id": "other_ids",
    "secondary ids": "other_ids",
    "date registration3": "date",
    "date registration": "date",
    "primary outcome": "abstract",
    "source register": "register",
    # as registers hand trials to the WHO portal
    "trial id": "id",
    "reg name": "register",
    "hc freetext": "conditions",
    "i freetext": "interventions",
    # Chinese Clinical Trial Registry (unverified)
    "注册号": "id",
    "注册题目": "public_title",
    "研究课题的正式科学名称": "title",
    "注册时间": "date",
    "注册日期": "date",
    "研究疾病": "conditions",
    "研究所处阶段": "phase",
    "研究类型": "type",
    "征募研究对象情况": "status",
    "研究目的": "abstract",
}
"""Column or element, in lower case and with spaces, to the part of a registration."""

_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_REGISTERS = {"NCT": "ClinicalTrials.gov", "CHI": "ChiCTR"}


def column(printed: str) -> str:
    """Return the part that a column or element holds; empty when nobody knows.

    >>> column("Public_title"), column("NCT Number"), column("Phase 9")
    ('public_title', 'id', '')
    """
    return COLUMNS.get(" ".join(printed.replace("_", " ").lower().split()), "")


def registration_values(cells: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Turn named cells into the fields of a `Record`.

    ``kinds`` holds the type of study, the phase and the recruitment status, as printed; ``keywords`` conditions and
    interventions; the year is that of registration.

    Parameters
    ----------
    cells : iterable of (str, str)
        Name as printed and value, in order; the first that is not empty is taken for each part.

    Examples
    --------
    >>> one = registration_values([("TrialID", "ChiCTR0000000000"), ("Public_title", "Invented"), ("Phase", "4")])
    >>> one["title"], one["trial_ids"], one["database"], one["kinds"]
    ('Invented', ('ChiCTR0000000000',), 'ChiCTR', ('4',))
    """
    parts: dict[str, str] = {}
    for name, value in cells:
        part, text = column(name), _text(value)
        if part and text and not parts.get(part):
            parts[part] = text
    number = parts.get("id", "")
    date = year_month(parts.get("date", "") or parts.get("later_date", ""))
    title = parts.get("title") or parts.get("public_title", "")
    return {
        "title": title.replace("\n", " "),
        "year": date[0],
        "month": date[1],
        "trial_ids": _numbers(number, parts.get("other_ids", "")),
        "accession": number,
        "database": parts.get("register") or _REGISTERS.get(number[:3].upper(), ""),
        "kinds": tuple(filter(None, (parts.get(name, "") for name in ("type", "phase", "status")))),
        "keywords": (*_listed(parts.get("conditions", "")), *_listed(parts.get("interventions", ""))),
        "abstract": parts.get("abstract", ""),
        "url": parts.get("url", ""),
    }


def _numbers(own: str, others: str) -> tuple[str, ...]:
    """Return the registration's own number as printed, then those of other registers."""
    found = (own, *trial_ids(others)) if own else trial_ids(others)
    return tuple(dict.fromkeys(found))


def _text(value: str) -> str:
    r"""Return a cell's text; the WHO portal leaves HTML in it (``&lt;br&gt;``, ``&#x0D;``).

    >>> _text("one;\r&lt;br&gt;two &amp; three ")
    'one;\ntwo & three'
    """
    return paragraphs(_BREAK.sub("\n", unescape(value)).replace("\r", "\n"))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split(r"[|;\n]", text) if part.strip())
