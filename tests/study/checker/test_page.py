# SPDX-License-Identifier: Apache-2.0
"""A check as a page and as JSON says the same in both languages, and the documented cases are what is found."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from sirolens.report.html import page
from sirolens.report.words import say
from sirolens.study.checker.check import check
from sirolens.study.checker.findings import Weight
from sirolens.study.checker.page import to_document, to_json
from sirolens.study.checker.published_file import read_published
from tests.study.checker.cases import BEGIN, END, PAGE, cases
from tests.study.checker.printed_figures import EXAMPLES, checked, example, share


def test_the_documented_cases_are_what_the_program_says() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.split(BEGIN)[1].split(END)[0].strip() == cases().strip(), "run `python -m tests.study.checker.cases`"


def test_the_documented_format_is_read_and_checked() -> None:
    text = PAGE.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    reading = read_published(text, "page.toml")
    assert [str(message) for message in reading.messages] == []
    assert reading.published is not None
    entries = (*reading.published.proportions, *reading.published.comparisons, *reading.published.means)
    assert entries
    codes = {finding.code for finding in check(reading.published).findings}
    assert {"checker.percent-agrees", "checker.p-reproduced", "checker.interval-reproduced"} <= codes


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_page_holds_every_finding(path: object, language: str) -> None:
    result = example(getattr(path, "stem", ""))
    text = page(to_document(result, version="0"), language)
    for finding in result.findings:
        assert any(part in text for part in (finding.printed, finding.subject))
    assert str(result.published.source.doi or result.published.source.pmid or "") in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_json_holds_printed_computed_and_what_would_fit(language: str) -> None:
    result = example("feng_2020")
    told = json.loads(json.dumps(to_json(result, language)))
    assert Counter(one["weight"] for one in told["findings"]) == {
        weight.value: count for weight, count in result.tally.items() if count
    }
    (rounded,) = [one for one in told["findings"] if one["code"] == "checker.sum-of-rounded"]
    assert (rounded["printed"], rounded["computed"], rounded["line"]) == ("70", ["70.51"], 39)
    assert rounded["would_fit"] == [{"count": 55, "of": 78, "denominator": "", "how": "rounded", "percent": "70.51"}]
    finding = next(one for one in result.findings if one.code == "checker.sum-of-rounded")
    assert rounded["text"] == say(finding.message, language)
    assert told["source"]["doi"] == "10.3389/fmed.2020.00110"


def test_the_heaviest_findings_come_first_and_each_weight_has_its_severity() -> None:
    result = checked(share("a", count=6, of=20, percent="30") + share("b", percent="61.3"))
    assert [finding.weight for finding in result.findings] == [Weight.IMPOSSIBLE, Weight.PASSED]
    assert [weight.severity.value for weight in Weight] == ["warning", "warning", "info", "info", "checked"]
    assert result.findings[0].line > result.findings[1].line
