# SPDX-License-Identifier: Apache-2.0
"""The report of a review: every part stands where the folder has it, and says so where it has not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from sirolens.evidence.appraisal.tools import TOOLS, appraisal_tool
from sirolens.evidence.pool.pooled import Pooled
from sirolens.evidence.prisma.checklist import ITEMS
from sirolens.evidence.prisma.flow import prisma_flow
from sirolens.evidence.review.events import Kind
from sirolens.evidence.review.folder import open_review
from sirolens.message import Message
from sirolens.report.document import Block, Document, Figure, Findings, Heading, Table
from sirolens.report.flow_figure import FlowDiagram, FlowLine
from sirolens.report.forest_figure import ForestPlot, RowKind
from sirolens.report.words import say
from sirolens.study.review.figures import LIGHTS, flow_figure, reason_words
from sirolens.study.review.flow import flow_document, flow_json
from sirolens.study.review.pool import pool_document, pooled_json
from sirolens.study.review.report import Material, material, report_document
from tests.evidence.prisma.test_flow import close, include
from tests.evidence.review_folds import Story

SHIPPED = Path(__file__).parents[3] / "examples" / "review-sirolimus-itp"
TODAY = date(2026, 1, 2)


@pytest.fixture(scope="module")
def told() -> Material:
    return material(open_review(SHIPPED))


@pytest.fixture(scope="module", params=["en", "zh"])
def page(request: pytest.FixtureRequest, told: Material) -> tuple[str, Document]:
    return request.param, report_document(told, request.param, version="0", today=TODAY)


def figures(document: Document, kind: type) -> list[Figure]:
    return [one for one in document.blocks if isinstance(one, Figure) and isinstance(one.drawing, kind)]


def codes(document: Document) -> set[str]:
    return {message.code for message in messages(document.blocks)}


def messages(blocks: tuple[Block, ...]) -> Iterator[Message]:
    for block in blocks:
        if isinstance(block, Heading):
            yield block.text
        if isinstance(block, Findings):
            yield from block.messages


def test_comparisons_stand_before_single_arms_and_every_part_has_its_place(page: tuple[str, Document]) -> None:
    heads = [block.text.code for block in page[1].blocks if isinstance(block, Heading) and block.level == 2]
    wanted = (
        *("question", "searches", "studies", "risk", "comparisons", "single-arms", "methods", "responses", "others"),
        *("safety", "conflicts", "findings", "cells", "certainty", "notes", "found", "open", "reports", "checklist"),
        "basis",
    )
    assert heads == [f"evidence.heading-{name}" for name in wanted]


def test_without_a_search_there_is_no_flow_and_the_report_says_so(page: tuple[str, Document]) -> None:
    assert "evidence.no-search" in codes(page[1])
    assert not figures(page[1], FlowDiagram)


def test_every_pool_of_two_studies_has_a_forest_plot_with_flags_and_the_warning(
    told: Material, page: tuple[str, Document]
) -> None:
    """12/20 and 73/86, without criteria: the binomial-normal model by profile likelihood gives 0.38 to 0.94."""
    drawn = [one.drawing for one in figures(page[1], ForestPlot) if one.name.startswith("forest-")]
    assert len(drawn) == sum(pooled.k > 1 for _, pooled in told.answered)
    first = drawn[0]
    assert isinstance(first, ForestPlot)
    assert [row.columns for row in first.rows[:2]] == [("73/86",), ("12/20",)]
    pooled = next(row for row in first.rows if row.kind is RowKind.POOLED)
    assert (round(pooled.low, 2), round(pooled.high, 2)) == (0.38, 0.94)
    assert "evidence.flag-criteria" in {note.code for note in first.notes}
    assert all(row.notes for row in first.rows[:2])
    assert "pooling.two-studies" in {one.code for one in first.statements}


def test_what_a_forest_plot_draws_of_the_studies_stands_as_text_too(told: Material) -> None:
    """On a terminal there is no picture; the weights are those of the random-effects estimate, and sum to all."""
    document = pool_document(told.answered, told.refused, told.forms.names(), version="0")
    tables = [
        block
        for block in document.blocks
        if isinstance(block, Table) and block.caption and block.caption.code == "evidence.studies-caption"
    ]
    pools = [pooled for _, pooled in told.answered if pooled.k > 1]
    assert [len(table.rows) for table in tables] == [pooled.k for pooled in pools]
    assert [row[1] for row in tables[[pooled.timepoint for pooled in pools].index("3m")].rows] == ["73/86", "12/20"]
    for table in tables:
        assert sum(float(str(row[-1])) for row in table.rows) == pytest.approx(100, abs=0.1 * len(table.rows))


def test_no_advantage_over_ciclosporin_is_said_in_words_and_responders_only_is_said_where_it_stands(
    page: tuple[str, Document],
) -> None:
    """Li 2013 among responders: 17/25 against 11/28, P = 0.037; of all patients 17/43 against 11/45, P = 0.129."""
    language, document = page
    at = [isinstance(b, Heading) and b.text.code == "evidence.heading-comparisons" for b in document.blocks].index(True)
    table, said = document.blocks[at + 1 : at + 3]
    assert isinstance(table, Table)
    assert isinstance(said, Findings)
    words = [say(message, language) for message in said.messages]
    assert [message.code for message in said.messages] == [
        "evidence.no-difference",
        "evidence.difference-among-responders",
        "extraction.responders-comparison",
    ]
    assert all(study in words[0] for study in ("Li 2013", "Int Immunopharmacol 2020"))
    assert "0.1287" in words[2]
    controls = {say(row[3], language) for row in table.rows if isinstance(row[3], Message)}
    assert {"28/45, cyclosporine A + prednisone", "28/45，环孢素A + 泼尼松"} & controls


def test_what_the_reader_must_know_is_said_in_the_words_of_the_tables(page: tuple[str, Document]) -> None:
    language, document = page
    told = " ".join(say(one, language) for one in messages(document.blocks) if one.code.startswith("extraction."))
    assert ".toml" not in told
    assert "_AMONG_RESPONDERS" not in told
    assert "feng-2020" not in told


def test_messages_name_studies_as_the_tables_do(told: Material, page: tuple[str, Document]) -> None:
    ids = {form.study.id for form in told.forms.extractions}
    for message in messages(page[1].blocks):
        studies = message.values.get("studies")
        if message.code.startswith("pooling.") and isinstance(studies, tuple):
            assert not ids & set(studies)


def test_every_word_of_the_report_is_there_in_the_language(page: tuple[str, Document]) -> None:
    language, document = page
    for message in messages(document.blocks):
        assert say(message, language)
    assert "evidence." not in " ".join(say(message, language) for message in messages(document.blocks))


def test_the_checklist_has_the_27_items_and_claims_nothing_that_is_not_there(page: tuple[str, Document]) -> None:
    assert len({item.number.rstrip("abcdef") for item in ITEMS}) == 27
    tables = [block for block in page[1].blocks if isinstance(block, Table)]
    table = next(one for one in tables if one.columns[0].head.code == "evidence.column-item")
    where = {str(row[0]): row[2].code for row in table.rows if isinstance(row[2], Message)}
    assert len(where) == len(ITEMS)
    assert where["16a"] == where["6"] == where["24b"] == "evidence.part-missing"
    assert where["20b"] == "evidence.part-synthesis"
    assert where["25"] == "evidence.part-authors"


def test_every_level_of_every_tool_has_a_light() -> None:
    for tool in TOOLS:
        assert set(appraisal_tool(tool).levels) <= set(LIGHTS)


def test_answers_as_values_hold_the_studies_and_every_method(told: Material) -> None:
    rows = {row["question"]: row for row in pooled_json(told.answered, "en")}
    first = rows["single-arm-OR-3m-primary-itp"]
    assert [(one["k"], one["n"]) for one in first["studies"]] == [(73, 86), (12, 20)]
    assert [line["method"] for line in first["pooled"]][:2] == ["binomial-normal", "half-normal"]
    assert first["pooled"][0]["prediction_low"] is None
    assert rows["comparison-OR-best-primary-itp"]["effect"] == "RR"


def test_questions_of_one_study_are_listed_and_not_pooled(told: Material) -> None:
    document = pool_document(told.answered, told.refused, told.forms.names(), version="0")
    alone: list[Pooled] = [pooled for _, pooled in told.answered if pooled.k == 1]
    single = [
        block
        for block in document.blocks
        if isinstance(block, Table) and block.caption is not None and block.caption.code == "evidence.single-caption"
    ]
    assert [len(table.rows) for table in single] == [4, len(alone) - 4]  # four comparisons, which stand first
    assert next(block for block in document.blocks if isinstance(block, Table)) is single[0]


def lines(figure: Figure) -> dict[str, int | None]:
    drawing = figure.drawing
    assert isinstance(drawing, FlowDiagram)
    found: dict[str, int | None] = {}

    def take(line: FlowLine) -> None:
        found[line.text.code if isinstance(line.text, Message) else line.text] = line.count

    for arm in (drawing.main, drawing.other):
        for step in arm.steps if arm else ():
            for box in (step.box, step.aside):
                for line in box.lines if box else ():
                    take(line)
    for line in drawing.changes.lines if drawing.changes else ():
        take(line)
    return found


def test_the_diagram_tells_the_flow_and_reasons_in_words() -> None:
    story = Story()
    names = story.search("db", 4)
    include(story, names[0])
    story.decide(names[1], "include")
    story.add(Kind.RETRIEVED, record=names[1])
    story.decide(names[1], "exclude", stage="fulltext", reasons=["design"])
    story.decide(names[2], "exclude")
    protocol = open_review(SHIPPED).reading.protocol
    flow = prisma_flow(story.events, story.records)
    told = lines(flow_figure(flow, reason_words(protocol, "zh")))
    assert told["研究设计不符"] == 1
    assert (told["evidence.flow-identified"], told["evidence.flow-pending"]) == (4, 1)
    diagram = flow_figure(flow).drawing
    assert isinstance(diagram, FlowDiagram)
    assert diagram.draft
    assert diagram.previous is None
    assert flow_json(flow)["main"]["reasons"] == {"design": 1}
    assert [block for block in flow_document(flow, version="0").blocks if isinstance(block, Findings)]


def test_a_second_version_shows_what_was_there_before_and_what_left() -> None:
    story = Story()
    first, second = story.search("db", 2)
    include(story, first, second)
    close(story, "v1")
    include(story, *story.search("new", 1))
    story.add(Kind.RETRACTED, record=second, date="2026-01-02")
    figure = flow_figure(prisma_flow(story.events, story.records))
    assert isinstance(figure.drawing, FlowDiagram)
    assert figure.drawing.previous is not None
    assert figure.drawing.total is not None
    assert lines(figure)["evidence.flow-dropped"] == 1
