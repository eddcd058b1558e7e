# SPDX-License-Identifier: Apache-2.0
"""Reads JSON of ClinicalTrials.gov (version 2 of its service): a study, a list of studies, or several answers.

The names (``protocolSection``, ``identificationModule``, ``nctId`` ...) were seen in public descriptions of the
service and in a real export of a hundred studies, which is read whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sirolens.evidence.record import Record
from sirolens.evidence.sources.json_pieces import pieces
from sirolens.evidence.sources.registers import registration_values
from sirolens.evidence.sources.text import SIGNATURE, SourceText, Unread, half_record, heading, stray_lines

__all__ = ["NAME", "detect", "read"]

NAME: Final = "clinicaltrials-json"

_STUDY = re.compile(r'\{\s*"(?:protocolSection|derivedSection|hasResults)"')
_FRAME = re.compile(r'(?:[\s{}\[\],:]|"(?:studies|nextPageToken|totalCount)"|"[\w+/=-]*+"|\d++|null)*+')


def detect(head: str) -> int:
    """Tell the service's JSON by a study in it."""
    return SIGNATURE if head.lstrip()[:1] in ("{", "[") and _STUDY.search(head) else 0


def read(file: SourceText) -> Iterator[Record | Unread]:
    """Read the service's answers.

    Examples
    --------
    >>> one = '{"protocolSection": {"identificationModule": {"nctId": "NCT00000000", "briefTitle": "Invented"}}}'
    >>> text = '{"studies": [' + one + ']}'
    >>> found = list(read(SourceText(name="a.json", text=text, encoding="utf-8", sha256="0" * 64)))
    >>> found[1].accession, found[1].database, len(found)
    ('NCT00000000', 'ClinicalTrials.gov', 3)
    """
    ordinal = 0
    for piece in pieces(file.text, _STUDY):
        if not piece.is_record:
            yield (heading if _FRAME.fullmatch(piece.raw) else stray_lines)(piece.first_line, piece.raw)
            continue
        ordinal += 1
        values = registration_values(_cells(piece.value)) if piece.value is not None else {}
        if values.get("title") or values.get("accession"):
            lines = (piece.first_line, piece.first_line + piece.raw.count("\n"))
            yield file.record(NAME, ordinal, lines, piece.raw, **values)
        else:
            yield half_record(piece.first_line, piece.raw)


def _cells(study: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield a study's parts under the names of the CSV's columns."""

    def at(*path: str) -> Any:
        found: Any = study.get("protocolSection")
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        return found

    identification = "identificationModule"
    number = _printed(at(identification, "nctId"))
    yield "NCT Number", number
    yield "Study Title", _printed(at(identification, "officialTitle")) or _printed(at(identification, "briefTitle"))
    yield "Study URL", f"https://clinicaltrials.gov/study/{number}" if number else ""
    yield "Study Status", _printed(at("statusModule", "overallStatus"))
    yield "First Posted", _printed(at("statusModule", "studyFirstPostDateStruct", "date"))
    yield "Start Date", _printed(at("statusModule", "startDateStruct", "date"))
    yield "Brief Summary", _printed(at("descriptionModule", "briefSummary"))
    yield "Conditions", _printed(at("conditionsModule", "conditions"))
    arms = at("armsInterventionsModule", "interventions")
    names = [one.get("name") for one in arms if isinstance(one, dict)] if isinstance(arms, list) else None
    yield "Interventions", _printed(names)
    yield "Study Type", _printed(at("designModule", "studyType"))
    yield "Phases", _printed(at("designModule", "phases"))
    others = at(identification, "secondaryIdInfos")
    ids = [one.get("id") for one in others if isinstance(one, dict)] if isinstance(others, list) else None
    yield "Other IDs", _printed(ids)


def _printed(value: Any) -> str:
    if isinstance(value, list):
        return "|".join(str(one) for one in value if one)
    return value if isinstance(value, str) else ""
