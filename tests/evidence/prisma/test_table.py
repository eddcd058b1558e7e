# SPDX-License-Identifier: Apache-2.0
"""The table of the PRISMA2020 programs: what is written is read back, what has no place is told, sums are checked."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.review_folds import Story

from sirolens.errors import InputError
from sirolens.evidence.prisma.flow import ArmFlow, Flow, Included, faults, prisma_flow
from sirolens.evidence.prisma.table import from_table, not_told, to_table
from sirolens.evidence.review.events import Kind

COUNT = st.integers(0, 40)
REASON = st.text(alphabet="abc =+-'研究", min_size=1, max_size=6).map(lambda text: " ".join(text.split())).filter(bool)
NOTHING = Included(studies=0, reports=0)


@st.composite
def arms(draw: st.DrawFn, main: bool) -> ArmFlow:
    reasons = draw(st.dictionaries(REASON, st.integers(1, 9), max_size=3))
    included, not_retrieved = draw(COUNT), draw(COUNT)
    assessed = included + sum(reasons.values())
    sought = assessed + not_retrieved
    if not main:
        others = {name: n for name in ("websites", "organisations", "citations") if (n := draw(COUNT))}
        spare = sum(others.values()) - sought
        if spare < 0:
            others["citations"] = others.get("citations", 0) - spare
        return ArmFlow(
            others=others, removed=max(spare, 0), screened=sought, sought=sought, not_retrieved=not_retrieved,
            assessed=assessed, reasons=reasons, included=included,
        )  # fmt: skip
    excluded, duplicates, automatic, removed, registers = (draw(COUNT) for _ in range(5))
    screened = sought + excluded
    identified = screened + duplicates + automatic + removed
    registers = min(registers, identified)
    return ArmFlow(
        databases={"": identified - registers}, registers={"": registers}, duplicates=duplicates, automatic=automatic,
        removed=removed, screened=screened, excluded=excluded, sought=sought, not_retrieved=not_retrieved,
        assessed=assessed, reasons=reasons, included=included,
    )  # fmt: skip


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    main, other = draw(arms(True)), draw(arms(False))
    reports = main.included + other.included
    new = Included(studies=draw(st.integers(0, reports)), reports=reports)
    before = draw(COUNT)
    previous = Included(studies=draw(st.integers(0, before)), reports=before)
    total = Included(studies=previous.studies + new.studies, reports=previous.reports + new.reports)
    return Flow(
        version=1, main=main, other=other, previous=previous, dropped=NOTHING, reconsidered=NOTHING, new=new,
        total=total, draft=False,
    )  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(flow=flows())
def test_what_is_written_is_read_back(flow: Flow) -> None:
    assert faults(flow) == ()
    assert from_table(to_table(flow)) == flow
    for row in csv.reader(StringIO(to_table(flow))):
        assert not row[-1].startswith(("=", "+", "-", "@"))


def test_what_the_table_cannot_say_is_told() -> None:
    story = Story()
    names = story.search("db", 2)
    cited = story.search("cited", 2, arm="other")
    story.add(Kind.MERGED, members=[names[0], cited[0]], method="doi")
    told = {message.code: message.values["count"] for message in not_told(prisma_flow(story.events, story.records))}
    assert told == {"prisma.table-pending": 3, "prisma.table-removed-other": 1}


GOOD = to_table(prisma_flow([], []))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("data,node", "date,node", "prisma.table-columns"),
        ("database_results.html,0", "database_results.html,ten", "prisma.table-number(value=ten)"),
        ("database_results.html,0", "database_results.html,-1", "prisma.table-number"),
        ("database_results.html,0", "database_results.html,7", "databases: screened"),
        ("other_sought_reports.html,0", "other_sought_reports.html,2", "other: sought"),
        ("dbr_excluded.html,0", 'dbr_excluded.html,"design, three"', "prisma.table-number"),
        ("\nnew_reports", "\nnew_report", "prisma.table-missing(names=('new_reports',))"),
        ("total_studies.html,0", "total_studies.html,1", "total studies"),
    ],
)
def test_a_wrong_table_is_refused_with_what_is_wrong(old: str, new: str, code: str) -> None:
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        from_table(GOOD.replace(old, new, 1), "flow.csv")
    assert code in str(caught.value)


def test_the_programs_own_blank_template_is_read() -> None:
    """Its reasons are words without counts: they are refused by name, its zeros are read."""
    with pytest.raises(InputError, match=r"prisma\.table-number\(value=Reason1, xxx\)"):
        from_table(GOOD.replace("dbr_excluded.html,0", 'x.html,"Reason1, xxx; Reason2, xxx"'))
    with pytest.raises(InputError, match=r"prisma\.table-columns"):
        from_table("")
    with pytest.raises(InputError, match=r"prisma\.table-"):
        from_table('data,n\n"' + "x" * 200_000)
