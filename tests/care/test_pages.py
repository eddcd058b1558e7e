# SPDX-License-Identifier: Apache-2.0
"""The pages of advice: five headings, words for everything, the intended use, and nothing of research."""

from __future__ import annotations

import io
import json
import re
from functools import cache
from pathlib import Path

import pytest
from rich.console import Console

from sirolens.care.advice_json import to_json
from sirolens.care.advice_page import advice_document
from sirolens.care.consult import Consultation, consult
from sirolens.care.warnings import GROUPED, gathered
from sirolens.chart import Chart
from sirolens.interop.chart_json import read_chart
from sirolens.message import Severity, checked, critical, info, warning
from sirolens.report.document import Document, Frame, Heading, Headline
from sirolens.report.html import page
from sirolens.report.terminal import show
from sirolens.report.words import label, say
from tests.interop.charts import CHINESE

CHARTS = Path(__file__).parent.parent.parent / "examples" / "charts"
EXAMPLES = (
    "adult_three_troughs",
    "child_18kg_before_first_dose",
    "adult_clarithromycin",
    "child_over_target_falling_platelets",
    "messy_units",
)
LANGUAGES = ("en", "zh")
# A message without words is shown as its code with its values (`sirolens.report.words`).
RAW_CODE = re.compile(r"\b[a-z][a-z0-9]*\.[a-z0-9]+(?:-[a-z0-9]+)+(?:\s*\(|\b)")
FILE_NAME = re.compile(r"\S*\.(?:json|toml|csv)\b|https?://\S+|doi:\S+")
HEADINGS = ("expectedness", "suitability", "prediction", "remonitoring", "warning")
RESEARCH = re.compile(r"mechanis|virtual patient|simulated trial|机制模型|虚拟患者", re.IGNORECASE)


@cache
def consulted(name: str) -> Consultation:
    chart, flags = read_chart(CHARTS / f"{name}.json")
    assert isinstance(chart, Chart)
    assert chart.last_recorded is not None
    return consult(chart, at=chart.last_recorded, flags=flags)


@cache
def document(name: str) -> Document:
    return advice_document(consulted(name), version="test")


@cache
def shown(name: str, language: str) -> str:
    out = io.StringIO()
    show(document(name), language, Console(file=out, width=400, color_system=None))
    return out.getvalue()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_first_page_asks_the_five_questions_in_order(name: str) -> None:
    codes = [block.text.code for block in document(name).blocks if isinstance(block, Heading)]
    assert codes[:5] == [f"advice.{heading}" for heading in HEADINGS]
    assert isinstance(document(name).blocks[0], Headline)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", EXAMPLES)
def test_everything_on_the_pages_has_words(name: str, language: str) -> None:
    text = FILE_NAME.sub("", shown(name, language))
    assert not RAW_CODE.findall(text)
    assert "None" not in text
    assert "nan" not in text.split()
    assert not re.search(r"\{[a-z_]+\}", text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_message_in_the_json_has_words(name: str, language: str) -> None:
    def texts(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [str(node["text"])] if {"code", "text", "severity"} <= node.keys() else []
            wrong = [text for text in own if str(node["code"]) in text]
            assert not wrong
            return own + [text for value in node.values() for text in texts(value)]
        return [text for one in node for text in texts(one)] if isinstance(node, list) else []

    found = texts(to_json(consulted(name), language))
    assert found
    if language == "zh":
        assert not [text for text in found if not CHINESE.search(text)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_intended_use_stands_on_every_output(name: str, language: str) -> None:
    # PDF and DOCX: tests/cli/test_advise.py and tests/report/test_documents.py.
    words = "".join(label("report.intended-use", language).split())
    assert words in "".join(shown(name, language).split())
    assert words in "".join(page(document(name), language).split())
    assert words == "".join(to_json(consulted(name), language)["intended_use"].split())


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_of_research_stands_in_advice(name: str) -> None:
    # Hazard H29: research output is framed and stands elsewhere; advice holds none, framed or not.
    assert not [block for block in document(name).blocks if isinstance(block, Frame)]
    told = json.dumps(to_json(consulted(name), "en")) + json.dumps(to_json(consulted(name), "zh"), ensure_ascii=False)
    assert not RESEARCH.search(told)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_warning_of_the_advice_is_on_the_pages(name: str) -> None:
    serious = [
        message
        for message in consulted(name).advice.messages
        if message.severity in (Severity.CRITICAL, Severity.WARNING, Severity.ERROR)
    ]
    text = "".join(shown(name, "en").split())
    zone = consulted(name).chart.zone
    assert not [one.code for one in serious if "".join(say(one, "en", zone=zone).split()) not in text]


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_was_read_with_care_is_listed_in_full(name: str) -> None:
    flags = [flag for flag in consulted(name).flags if flag.place is not None]
    assert bool(flags) == (name == "messy_units")
    text = "".join(shown(name, "en").split())
    assert not [flag.code for flag in flags if "".join(say(flag, "en").split()) not in text]


def test_a_critical_warning_is_pointed_to_before_the_dose() -> None:
    for name in EXAMPLES:
        first = document(name).blocks[0]
        assert isinstance(first, Headline)
        grave = any(message.severity is Severity.CRITICAL for message in consulted(name).advice.messages)
        assert ("advice.critical-first" in [detail.code for detail in first.details]) == grave
        assert (first.text.severity is Severity.CRITICAL) == grave


def test_an_invented_patient_is_called_so() -> None:
    assert "Invented patient" in shown("adult_three_troughs", "en")
    assert "虚构患者" in shown("adult_three_troughs", "zh")


def test_repetitive_warnings_are_one_line_and_the_serious_come_first() -> None:
    code = sorted(GROUPED)[0]
    said = [
        checked("a.fine"),
        warning(code, model="X 2001"),
        warning(code, model="Y 2002"),
        warning("a.warning"),
        critical("a.critical"),
        critical("a.critical"),
        info("a.info"),
    ]
    found = gathered(said)
    assert [message.code for message in found] == [
        "a.critical",
        "a.warning",
        "advice.models-borrowed",
        "advice.checks-quiet",
    ]
    assert found[2].values["models"] == ("X 2001", "Y 2002")
