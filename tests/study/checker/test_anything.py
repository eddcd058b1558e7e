# SPDX-License-Identifier: Apache-2.0
"""Whatever figures a file holds, the checker ends with findings that can be said, laid out and written as JSON."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.report.terminal import show
from sirolens.report.words import say
from sirolens.study.checker.check import check
from sirolens.study.checker.page import to_document, to_json
from sirolens.study.checker.published_file import read_published
from tests.study.checker.printed_figures import HEAD, entry

OUTCOMES = ("OR", "CR", "PR", "NR")
GROUPS = ("all", "A", "B")
PERCENTS = st.one_of(
    st.integers(0, 120).map(str), st.integers(0, 1000).map(lambda tenths: f"{tenths / 10:.1f}"), st.just("33.333")
)
COUNTS = st.integers(0, 70)
P_VALUES = st.sampled_from(["0.05", "<0.05", ">0.05", "0.000", "1", "<0.001", "0.4999", "<=0.01"])


@st.composite
def proportions(draw: st.DrawFn) -> str:
    values: dict[str, object] = {"group": draw(st.sampled_from(GROUPS)), "outcome": draw(st.sampled_from(OUTCOMES))}
    values["percent"] = draw(PERCENTS)
    if draw(st.booleans()):
        values["count"] = draw(COUNTS)
    if draw(st.booleans()):
        values["of"] = draw(COUNTS) + 1
    if draw(st.booleans()):
        values["time"] = draw(st.sampled_from(["3 months", "6 months"]))
    extra = draw(st.sampled_from(["", "sum_of", "part_of", "interval", "among"]))
    if extra == "sum_of":
        values["sum_of"] = list(draw(st.permutations(OUTCOMES))[:2])
    elif extra in ("part_of", "among"):
        values[extra] = draw(st.sampled_from(OUTCOMES))
    elif extra == "interval":
        values["interval"] = sorted(draw(st.lists(PERCENTS, min_size=2, max_size=2)), key=float)
    return entry("proportions", **values)


@st.composite
def other_entries(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["comparisons", "means", "paired_tests", "partitions"]))
    if kind == "comparisons":
        return entry(kind, outcome=draw(st.sampled_from(OUTCOMES)), groups=["A", "B"], p=draw(P_VALUES))
    if kind == "means":
        size: dict[str, object] = {"n": draw(COUNTS) + 1}
        if draw(st.booleans()):
            size = {"n_from": 1 + draw(COUNTS), "n_to": 71}
        return entry(kind, group="A", quantity="relapses", mean=draw(PERCENTS), sd=draw(PERCENTS), **size)
    if kind == "paired_tests":
        return entry(kind, what="platelets", n=draw(st.integers(1, 80)), p=draw(P_VALUES))
    return entry(kind, group=draw(st.sampled_from(GROUPS)), outcomes=list(draw(st.permutations(OUTCOMES))[:3]))


@st.composite
def files(draw: st.DrawFn) -> str:
    text = HEAD
    for name in GROUPS:
        text += entry("groups", name=name)
        if draw(st.booleans()):
            text += f"[groups.sizes]\nenrolled = {draw(COUNTS) + 1}\n"
    text += entry("splits", whole="all", parts=["A", "B"], size="enrolled")
    known = [entry("proportions", group=group, outcome=outcome, count=1) for group in GROUPS for outcome in OUTCOMES]
    text += "".join(draw(st.lists(proportions(), max_size=8)))
    return text + "".join(known) + "".join(draw(st.lists(other_entries(), max_size=5)))


@given(files())
@settings(deadline=None, max_examples=50)
def test_no_figures_bring_the_checker_down(text: str) -> None:
    reading = read_published(text, "any.toml")
    assert reading.published is not None, [str(message) for message in reading.messages]
    result = check(reading.published)
    for language in ("en", "zh"):
        json.dumps(to_json(result, language), allow_nan=False)
        for finding in result.findings:
            assert "checker." not in say(finding.message, language), finding.message


def test_a_file_without_a_single_share_is_checked_without_a_finding() -> None:
    from io import StringIO

    from rich.console import Console

    reading = read_published(HEAD + entry("groups", name="all"), "empty.toml")
    assert reading.published is not None
    result = check(reading.published)
    assert result.findings == ()
    out = StringIO()
    show(to_document(result, version="0"), "en", Console(file=out, width=100))
    assert "0 impossible" in out.getvalue()
