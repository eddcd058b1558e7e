# SPDX-License-Identifier: Apache-2.0
"""Appraisal: what was not read is no information, no sum stands for a verdict; oracle: the tools' rules, enumerated."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from sirolens.errors import InputError, UnknownNameError
from sirolens.evidence.appraisal.form import (
    Appraisal,
    Judgement,
    appraisal_of,
    compare_appraisals,
    lights,
    overall_judgement,
    read_appraisal,
    settle_appraisals,
    shares,
)
from sirolens.evidence.appraisal.tools import NO_INFORMATION, OVERALL, TOOLS, appraisal_tool, tool_for
from sirolens.evidence.extraction.studies import Design, Read
from sirolens.message import Severity
from sirolens.source import Mark


def judged(tool: str, *levels: str, study: str = "a", rater: str = "wei") -> Appraisal:
    items = appraisal_tool(tool).items
    told = tuple(
        Judgement(item=item, level=level, reason="invented") for item, level in zip(items, levels, strict=False)
    )
    return Appraisal(study=study, tool=tool, rater=rater, judgements=told, raters=(rater,), basis=Read.FULL_TEXT)


def test_the_design_decides_the_tool() -> None:
    assert [tool_for(design) for design in Design] == ["rob-2", "robins-i", "jbi-case-series", None]


def test_the_tools_have_the_items_their_sources_list() -> None:
    # Oracle: Cochrane Handbook 6.3 chapter 8, robvis, PMC7778754 table 2, MINORS as printed in reviews.
    assert [len(appraisal_tool(name).all_items) for name in TOOLS] == [5, 7, 10, 12]
    assert appraisal_tool("robins-i").items[0] == "confounding"
    assert len(appraisal_tool("minors").comparative_items) == 4


def test_what_was_not_read_at_its_source_is_said() -> None:
    for name in TOOLS:
        tool = appraisal_tool(name)
        sources = [one for one in (tool.items_source, tool.overall_source) if one is not None]
        assert bool(tool.unverified) == any(one.mark is not Mark.SEEN for one in sources)
    assert appraisal_tool("robins-i").unverified


def test_an_unknown_tool_lists_those_there_are() -> None:
    with pytest.raises(UnknownNameError) as raised:
        appraisal_tool("nos")
    assert "robins-i" in str(raised.value)


def worst_by_hand(order: tuple[str, ...], decisive: str, levels: tuple[str, ...]) -> str:
    """The rule by a search through the order from the worst level down."""
    for level in reversed(order):
        if level in levels:
            if NO_INFORMATION in levels and order.index(level) < order.index(decisive):
                return NO_INFORMATION
            return level
    return NO_INFORMATION


@pytest.mark.parametrize(("tool", "decisive"), [("rob-2", "high"), ("robins-i", "serious")])
def test_the_overall_judgement_is_the_worst_and_a_gap_is_never_low(tool: str, decisive: str) -> None:
    order = appraisal_tool(tool).levels[:-2]
    for levels in product((*order, NO_INFORMATION), repeat=3):
        rest = ("low",) * (len(appraisal_tool(tool).items) - 3)
        found = overall_judgement(judged(tool, *levels, *rest))
        assert found == worst_by_hand(order, decisive, (*levels, *rest))


@pytest.mark.parametrize("tool", ["jbi-case-series", "minors"])
def test_checklists_have_no_overall_judgement_and_no_sum(tool: str) -> None:
    assert overall_judgement(judged(tool)) is None
    assert OVERALL not in lights([judged(tool)]).items
    found = appraisal_of({"study": "a", "tool": tool, "rater": "wei", "overall": "12", "overall_reason": "sum"})
    assert [message.code for message in found.messages] == ["appraisal.no-overall"]


def test_an_abstract_leaves_every_unjudged_item_without_information() -> None:
    found = appraisal_of({"study": "a", "tool": "jbi-case-series", "rater": "wei", "basis": "abstract"}).appraisal
    assert found is not None
    assert {one.level for one in found.judgements} == {NO_INFORMATION}
    assert len(found.judgements) == 10


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"judgement": {"measurement": {"level": "low"}}}, "appraisal.reason-missing"),
        ({"judgement": {"measurement": {"level": "fine", "reason": "x"}}}, "models.not-one-of"),
        ({"judgement": {"measurment": {"level": "low", "reason": "x"}}}, "models.unknown-key"),
        ({"basis": "nothing", "judgement": {"measurement": {"level": "low", "reason": "x"}}}, "appraisal.nothing-read"),
        ({"overall": "low"}, "appraisal.reason-missing"),
        ({"overall": "fine", "overall_reason": "x"}, "models.not-one-of"),
        ({"tool": "nos"}, "models.not-one-of"),
    ],
)
def test_a_faulty_appraisal_is_named_and_located(told: dict[str, object], code: str) -> None:
    reading = appraisal_of({"study": "a", "tool": "rob-2", "rater": "wei"} | told, file="a.toml")
    assert reading.appraisal is None
    assert code in [message.code for message in reading.messages]
    assert all(message.place is not None and message.place.file == "a.toml" for message in reading.messages)


def test_a_broken_file_is_a_message(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    for raw, code in ((b"study = ", "appraisal.file-unreadable"), (b"\xff", "extraction.not-text")):
        path.write_bytes(raw)
        assert [message.code for message in read_appraisal(path).messages] == [code]


@pytest.mark.parametrize(("encoding", "codes"), [("gb18030", ["extraction.not-utf-8"]), ("utf-8-sig", [])])
def test_another_encoding_is_named_with_its_line_and_a_mark_changes_nothing(
    tmp_path: Path, encoding: str, codes: list[str]
) -> None:
    text = "study = 'a'\ntool = 'rob-2'\nrater = 'wei'\n[judgement.measurement]\nlevel = 'high'\nreason = '未设盲'\n"
    (tmp_path / "a.toml").write_bytes(text.encode(encoding))
    reading = read_appraisal(tmp_path / "a.toml")
    assert [message.code for message in reading.messages] == codes
    assert [message.place.line for message in reading.messages if message.place] == [6] * len(codes)


def test_the_best_level_without_the_full_text_is_asked_about() -> None:
    told = {
        "study": "a",
        "tool": "rob-2",
        "rater": "wei",
        "judgement": {"reporting": {"level": "low", "reason": "told"}},
    }
    (found,) = appraisal_of(told).messages
    assert (found.code, found.severity) == ("appraisal.best-from-less", Severity.WARNING)
    assert not appraisal_of({**told, "basis": "full-text"}).messages
    plain = {
        "study": "a",
        "tool": "jbi-case-series",
        "rater": "wei",
        "judgement": {"site": {"level": "yes", "reason": "told"}},
    }
    assert not appraisal_of(plain).messages  # a question about what is reported can be answered by an abstract


def test_two_raters_are_compared_item_by_item_and_settled_by_name() -> None:
    first = judged("rob-2", "low", "low", "low", "low", "low")
    second = judged("rob-2", "low", "high", "low", "low", "low", rater="ana")
    (differ,) = compare_appraisals(first, second)
    assert (differ.item, differ.first, differ.second) == ("deviations", "low", "high")
    with pytest.raises(InputError) as raised:
        settle_appraisals(first, second, [])
    assert raised.value.messages[0].code == "appraisal.undecided"
    told = Judgement(item="deviations", level="some-concerns", reason="open label", decided_by="wei and ana")
    agreed = settle_appraisals(first, second, [told])
    assert agreed.rater == "consensus"
    assert agreed.judgements[1] == told
    assert overall_judgement(agreed) == "some-concerns"


@pytest.mark.parametrize(
    "decision",
    [
        Judgement(item="deviations", level="low", reason="", decided_by="wei"),
        Judgement(item="deviations", level="low", reason="x"),
        Judgement(item="deviations", level="fine", reason="x", decided_by="wei"),
        Judgement(item="randomisation", level="low", reason="x", decided_by="wei"),
    ],
)
def test_a_decision_without_name_reason_level_or_difference_is_refused(decision: Judgement) -> None:
    first, second = judged("rob-2", "low", "low"), judged("rob-2", "low", "high", rater="ana")
    with pytest.raises(InputError):
        settle_appraisals(first, second, [decision])


def test_raters_of_different_things_are_not_compared() -> None:
    with pytest.raises(InputError):
        compare_appraisals(judged("rob-2"), judged("rob-2", study="b"))


def test_the_lights_hold_every_level_and_say_what_the_reader_must_know() -> None:
    plot = lights([judged("rob-2", "low", "high"), judged("rob-2", "some-concerns", study="b")], {"a": "Invented 2020"})
    assert plot.studies == ("Invented 2020", "b")
    assert [plot.levels[code] for code in plot.codes[0]] == ["low", "high", *[NO_INFORMATION] * 3, "high"]
    assert [message.code for message in plot.messages] == ["appraisal.single-rater"]


def test_two_results_of_one_study_are_told_apart() -> None:
    both = [Appraisal(study="a", tool="rob-2", rater="wei", outcome=result) for result in ("OR", "SR")]
    assert lights(both, {"a": "A 2020"}).studies == ("A 2020: OR", "A 2020: SR")


def test_shares_add_up_to_one_and_follow_the_weights() -> None:
    plot = lights([judged("rob-2", *["low"] * 5), judged("rob-2", *["high"] * 5, study="b")])
    summed = shares(plot, [1.0, 3.0])
    assert np.allclose(summed.shares.sum(axis=1), 1.0)
    assert summed.shares[0, plot.levels.index("high")] == 0.75
    with pytest.raises(InputError):
        shares(plot, [1.0, 0.0])
    with pytest.raises(InputError):
        shares(plot, [1.0])


def test_one_plot_shows_one_tool() -> None:
    with pytest.raises(InputError):
        lights([judged("rob-2"), judged("minors")])
    with pytest.raises(InputError):
        lights([])


def test_items_for_comparisons_do_not_apply_where_nobody_judged_them() -> None:
    compared = Appraisal(
        study="a", tool="minors", rater="wei", judgements=(Judgement(item="control", level="adequate", reason="x"),)
    )
    plot = lights([compared, Appraisal(study="b", tool="minors", rater="wei")])
    assert plot.items[-1] == "control"
    assert [plot.levels[code] for code in plot.codes[:, -1]] == ["adequate", "not-applicable"]
