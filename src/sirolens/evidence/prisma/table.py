# SPDX-License-Identifier: Apache-2.0
"""The flow as the table that the PRISMA2020 flow-diagram programs read and write, with its sums checked.

The columns are ``data, node, box, description, boxtext, tooltips, url, n``; ``data`` names the number. The table has no
place for records already known, for what is pending, for records of other methods removed before retrieval, nor for
studies that dropped out: `not_told` says what a flow loses in it.

Source of names and columns: Haddaway et al., Campbell Syst Rev 2022;18:e1230, doi:10.1002/cl2.1230, and the template
of its program.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from io import StringIO
from types import MappingProxyType

from sirolens.errors import InputError
from sirolens.evidence.prisma.flow import ArmFlow, Flow, Included, faults
from sirolens.evidence.sources.csv_writer import harmless, undone
from sirolens.message import Message, Place, error, warning

__all__ = ["from_table", "not_told", "to_table"]

COLUMNS = ("data", "node", "box", "description", "boxtext", "tooltips", "url", "n")

# name: node, box, words in the box
_LINES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "previous_studies": ("node5", "box1", "Studies included in previous version of review"),
        "previous_reports": ("NA", "box1", "Reports of studies included in previous version of review"),
        "database_results": ("node7", "box2", "Databases"),
        "register_results": ("NA", "box2", "Registers"),
        "website_results": ("node17", "box11", "Websites"),
        "organisation_results": ("NA", "box11", "Organisations"),
        "citations_results": ("NA", "box11", "Citation searching"),
        "duplicates": ("node8", "box3", "Duplicate records"),
        "excluded_automatic": ("NA", "box3", "Records marked as ineligible by automation tools"),
        "excluded_other": ("NA", "box3", "Records removed for other reasons"),
        "records_screened": ("node9", "box4", "Records screened"),
        "records_excluded": ("node10", "box5", "Records excluded"),
        "dbr_sought_reports": ("node11", "box6", "Reports sought for retrieval"),
        "dbr_notretrieved_reports": ("node12", "box7", "Reports not retrieved"),
        "other_sought_reports": ("node18", "box12", "Reports sought for retrieval"),
        "other_notretrieved_reports": ("node19", "box13", "Reports not retrieved"),
        "dbr_assessed": ("node13", "box8", "Reports assessed for eligibility"),
        "dbr_excluded": ("node14", "box9", "Reports excluded"),
        "other_assessed": ("node20", "box14", "Reports assessed for eligibility"),
        "other_excluded": ("node21", "box15", "Reports excluded"),
        "new_studies": ("node15", "box10", "New studies included in review"),
        "new_reports": ("NA", "box10", "Reports of new included studies"),
        "total_studies": ("node22", "box16", "Total studies included in review"),
        "total_reports": ("NA", "box16", "Reports of total included studies"),
    }
)
_TITLES = (
    ("node4", "prevstud", "Previous studies"),
    ("node6", "newstud", "Identification of new studies via databases and registers"),
    ("node16", "othstud", "Identification of new studies via other methods"),
    ("node1", "identification", "Identification"),
    ("node2", "screening", "Screening"),
    ("node3", "included", "Included"),
)
REASONS = frozenset({"dbr_excluded", "other_excluded"})
NO_REASON = "No reason given"


def to_table(flow: Flow) -> str:
    """Write a flow; see `not_told` for what has no place there.

    >>> from sirolens.evidence.prisma.flow import prisma_flow
    >>> to_table(prisma_flow([], [])).splitlines()[1]
    'previous_studies,node5,box1,Studies included in previous version of review,...,previous_studies.html,0'
    """
    out = StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for name, value in _values(flow).items():
        node, box, words = _LINES[name]
        table.writerow((name, node, box, words, words, words, f"{name}.html", harmless(str(value))))
    for node, box, words in _TITLES:
        table.writerow(("NA", node, box, words, words, words, f"{box}.html", 0))
    return out.getvalue()


def _values(flow: Flow) -> dict[str, int | str]:
    main, other = flow.main, flow.other
    return {
        "previous_studies": flow.previous.studies,
        "previous_reports": flow.previous.reports,
        "database_results": sum(main.databases.values()),
        "register_results": sum(main.registers.values()),
        "website_results": other.others.get("websites", 0),
        "organisation_results": other.others.get("organisations", 0),
        "citations_results": other.others.get("citations", 0),
        "duplicates": main.duplicates,
        "excluded_automatic": main.automatic,
        "excluded_other": main.removed + main.known,
        "records_screened": main.screened,
        "records_excluded": main.excluded,
        "dbr_sought_reports": main.sought,
        "dbr_notretrieved_reports": main.not_retrieved,
        "other_sought_reports": other.sought,
        "other_notretrieved_reports": other.not_retrieved,
        "dbr_assessed": main.assessed,
        "dbr_excluded": _reasons(main),
        "other_assessed": other.assessed,
        "other_excluded": _reasons(other),
        "new_studies": flow.new.studies,
        "new_reports": flow.new.reports,
        "total_studies": flow.total.studies,
        "total_reports": flow.total.reports,
    }


def _reasons(arm: ArmFlow) -> str:
    """Reasons with their counts; the table's own signs inside a reason become spaces."""
    told = ((" ".join(reason.replace(";", " ").replace(",", " ").split()), n) for reason, n in arm.reasons.items())
    return "; ".join(f"{reason or NO_REASON}, {n}" for reason, n in told) or "0"


def not_told(flow: Flow) -> tuple[Message, ...]:
    """Return what a flow says and the table cannot."""
    other = flow.other
    lost = {
        "known": flow.main.known,
        "pending": sum(one.pending + one.retrieval_pending + one.assessed_pending for one in (flow.main, other)),
        "removed-other": other.known + other.duplicates + other.automatic + other.removed + other.excluded,
        "dropped": flow.dropped.reports,
        "reconsidered": flow.reconsidered.reports,
    }
    return tuple(warning(f"prisma.table-{name}", count=count) for name, count in lost.items() if count)


def from_table(text: str, file: str = "") -> Flow:
    """Read such a table, check every number and every sum.

    Raises
    ------
    InputError
        ``prisma.table-columns``, ``prisma.table-number`` with the line, ``prisma.table-missing``, ``prisma.sums``.

    Examples
    --------
    >>> from sirolens.evidence.prisma.flow import prisma_flow
    >>> from_table(to_table(prisma_flow([], []))).total
    Included(studies=0, reports=0)
    """
    rows = csv.DictReader(StringIO(text.removeprefix("\ufeff")))
    if not {"data", "n"} <= set(_header(rows, file)):
        raise InputError(error("prisma.table-columns", place=Place(file=file or None, line=1), expected=COLUMNS))
    told: dict[str, int] = {}
    reasons: dict[str, dict[str, int]] = {name: {} for name in REASONS}
    wrong: list[Message] = []
    for row in _rows(rows, file):
        name, value = (row["data"] or "").strip(), undone((row["n"] or "").strip())
        place = Place(file=file or None, line=rows.line_num, field=name)
        if name in REASONS:
            reasons[name] = _read_reasons(value, place, wrong)
        elif name in _LINES:
            if name in told or not _is_count(value):
                wrong.append(error("prisma.table-number", place=place, value=value))
            told[name] = int(value) if _is_count(value) else 0
    missing = [name for name in _LINES if name not in told and name not in REASONS]
    if missing:
        wrong.append(error("prisma.table-missing", place=Place(file=file or None), names=tuple(missing)))
    flow = None if wrong else _flow(told, reasons)
    if flow is not None:
        wrong += faults(flow)
        if flow.other.removed < 0:
            expected = flow.other.identified
            wrong.append(error("prisma.sums", line="other: sought", value=flow.other.sought, expected=expected))
    if wrong or flow is None:
        raise InputError(*wrong)
    return flow


def _header(rows: csv.DictReader[str], file: str) -> tuple[str, ...]:
    try:
        return tuple(rows.fieldnames or ())
    except csv.Error as wrong:
        place = Place(file=file or None, line=1)
        raise InputError(error("prisma.table-unreadable", place=place, told=str(wrong))) from wrong


def _rows(rows: csv.DictReader[str], file: str) -> Iterator[dict[str, str | None]]:
    try:
        yield from rows
    except csv.Error as wrong:
        place = Place(file=file or None, line=rows.line_num)
        raise InputError(error("prisma.table-unreadable", place=place, told=str(wrong))) from wrong


def _is_count(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 9


def _read_reasons(value: str, place: Place, wrong: list[Message]) -> dict[str, int]:
    found: dict[str, int] = {}
    if value in ("", "0", "NA"):
        return found
    for part in value.split(";"):
        reason, _, count = part.rpartition(",")
        if not _is_count(count.strip()):
            wrong.append(error("prisma.table-number", place=place, value=part.strip()))
            continue
        name = reason.strip()
        found[name] = found.get(name, 0) + int(count)
    return found


def _flow(told: Mapping[str, int], reasons: Mapping[str, Mapping[str, int]]) -> Flow:
    main = ArmFlow(
        databases={"": told["database_results"]},
        registers={"": told["register_results"]},
        duplicates=told["duplicates"],
        automatic=told["excluded_automatic"],
        removed=told["excluded_other"],
        screened=told["records_screened"],
        excluded=told["records_excluded"],
        sought=told["dbr_sought_reports"],
        not_retrieved=told["dbr_notretrieved_reports"],
        assessed=told["dbr_assessed"],
        reasons=reasons["dbr_excluded"],
        included=told["dbr_assessed"] - sum(reasons["dbr_excluded"].values()),
    )
    routes = {"websites": "website_results", "organisations": "organisation_results", "citations": "citations_results"}
    others = {route: told[name] for route, name in routes.items() if told[name]}
    sought = told["other_sought_reports"]
    other = ArmFlow(
        others=others,
        removed=sum(others.values()) - sought,
        screened=sought,
        sought=sought,
        not_retrieved=told["other_notretrieved_reports"],
        assessed=told["other_assessed"],
        reasons=reasons["other_excluded"],
        included=told["other_assessed"] - sum(reasons["other_excluded"].values()),
    )
    previous, new, total = (
        Included(studies=told[f"{name}_studies"], reports=told[f"{name}_reports"])
        for name in ("previous", "new", "total")
    )
    # The table has no line for what dropped out: what the total lacks must be that.
    dropped = Included(
        studies=max(previous.studies + new.studies - total.studies, 0),
        reports=max(previous.reports + new.reports - total.reports, 0),
    )
    nothing = Included(studies=0, reports=0)
    return Flow(
        version=1,
        main=main,
        other=other,
        previous=previous,
        dropped=dropped,
        reconsidered=nothing,
        new=new,
        total=total,
        draft=False,
    )
