# SPDX-License-Identifier: Apache-2.0
"""`sirolens advise` on every example chart: terminal, JSON and reports, in both languages."""

from __future__ import annotations

import json
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import jsonschema
import pypdf
import pytest

from tests.cli.command import CHARTS, ROOT, Done, sirolens
from tests.interop.charts import CHINESE

EXAMPLES = (
    "adult_three_troughs.json",
    "adult_three_troughs_csv",
    "child_18kg_before_first_dose.json",
    "adult_clarithromycin.json",
    "child_over_target_falling_platelets.json",
    "messy_units.json",
)
LANGUAGES = ("en", "zh")
SCHEMA = json.loads((ROOT / "docs" / "schema" / "advice.schema.json").read_text(encoding="utf-8"))
INTENDED_USE = {"en": "Decision support for qualified professionals", "zh": "供具备资质的专业人员作决策参考"}
HEADINGS = {
    "en": (
        "Was the level to be expected?",
        "Does the present dose suit?",
        "What will the next dose do?",
        "When to look again?",
        "What to beware of",
    ),
    "zh": ("血药浓度是否符合预期", "目前剂量是否合适", "下一剂量的预测", "何时复查", "注意事项"),
}


@cache
def advice(example: str, *more: str) -> Done:
    return sirolens("advise", CHARTS / example, *more)


def told(example: str, *more: str) -> dict[str, Any]:
    done = advice(example, "--json", *more)
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("example", EXAMPLES)
def test_the_page_has_its_five_headings_in_order_and_the_intended_use(example: str, language: str) -> None:
    done = advice(example, "--language", language)
    assert done.code == 0
    places = [done.out.index(heading) for heading in HEADINGS[language]]
    assert places == sorted(places)
    assert INTENDED_USE[language] in done.out
    assert bool(CHINESE.search(done.out)) == (language == "zh") or example == "messy_units.json"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("example", EXAMPLES)
def test_json_is_as_the_published_schema_says(example: str, language: str) -> None:
    # Oracle: the jsonschema library.
    found = told(example, "--language", language)
    checker = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    assert not [f"{list(fault.absolute_path)}: {fault.message}" for fault in checker.iter_errors(found)]
    assert INTENDED_USE[language] in found["intended_use"]
    assert found["language"] == language
    assert found["patient"]["invented"]


def _described(node: Any) -> list[str]:
    """Paths of properties without a description of their own or of what they refer to."""
    missing = []
    for name, one in node.get("properties", {}).items():
        target = one
        while "$ref" in target and "description" not in target:
            parts = target["$ref"].removeprefix("#/").split("/")
            target = SCHEMA
            for part in parts:
                target = target[part]
        if not target.get("description"):
            missing.append(name)
        missing += [f"{name}.{deeper}" for deeper in _described(one) + _described(one.get("items", {}))]
    return missing


def test_the_schema_is_one_closed_and_describes_every_field() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert not _described(SCHEMA)
    assert not [name for name, one in SCHEMA["$defs"].items() if _described(one)]
    for part in (SCHEMA, *SCHEMA["$defs"].values()):
        if part.get("type") == "object":
            assert part["additionalProperties"] is False


def test_numbers_do_not_depend_on_the_language() -> None:
    english, chinese = (told(EXAMPLES[0], "--language", language) for language in LANGUAGES)
    for key in ("best_mg", "per_model", "provenance", "levels", "outcome", "preferred"):
        if key != "per_model":
            assert english[key] == chinese[key]
    numbers = ("amount_mg", "p_true_in", "p_level_in", "p_low", "p_high", "trough_ng_ml", "auc24_ng_h_ml")
    for one, other in zip(english["options"], chinese["options"], strict=True):
        assert [one[name] for name in numbers] == [other[name] for name in numbers]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_says_so() -> None:
    again = sirolens("advise", CHARTS / EXAMPLES[0], "--json")
    assert again.out == advice(EXAMPLES[0], "--json").out
    other = told(EXAMPLES[0], "--seed", "2")
    assert other["provenance"]["seed"] == 2
    assert other["options"] != told(EXAMPLES[0])["options"]


def test_a_folder_of_csv_files_and_the_json_file_give_the_same_advice() -> None:
    one, other = told("adult_three_troughs.json"), told("adult_three_troughs_csv")
    for key in ("options", "outcome", "levels", "next_sample", "per_model"):
        assert one[key] == other[key]


@pytest.mark.parametrize("language", LANGUAGES)
def test_reports_are_written_whole_in_the_language(language: str, tmp_path: Path) -> None:
    html, pdf, word = (tmp_path / f"a.{ending}" for ending in ("html", "pdf", "docx"))
    done = sirolens(
        "advise", CHARTS / EXAMPLES[0], "--html", html, "--pdf", pdf, "--docx", word, "--language", language
    )
    assert done.code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"a.html", "a.pdf", "a.docx"}
    assert all(str(path) in done.err for path in (html, pdf, word))
    page = html.read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    # Oracles: what pypdf and python-docx read back.
    printed = "".join(part.extract_text() for part in pypdf.PdfReader(BytesIO(pdf.read_bytes())).pages)
    written = "\n".join(part.text for part in docx.Document(str(word)).paragraphs)
    for content in (page, printed, written):
        squeezed = "".join(content.split())
        for heading in HEADINGS[language]:
            assert "".join(heading.split()) in squeezed
    assert INTENDED_USE[language] in page
    assert "".join(INTENDED_USE[language].split()) in "".join(printed.split())


def test_details_are_shown_when_asked_for() -> None:
    short, long = advice(EXAMPLES[0]), advice(EXAMPLES[0], "--details")
    assert "For the pharmacist" not in short.out
    assert "For the pharmacist" in long.out
    assert "SHA-256" in long.out


def test_advice_is_for_the_instant_asked_and_sees_nothing_later() -> None:
    early = told(EXAMPLES[0], "--at", "2026-09-01T09:00")
    assert early["at"].startswith("2026-09-01T09:00:00+08:00")
    assert {level["time"][:10] for level in early["levels"]} == {"2026-08-18"}
    assert {level["time"][:10] for level in told(EXAMPLES[0])["levels"]} > {"2026-08-18"}


def test_advice_before_a_retraction_sees_the_level_and_advice_after_it_does_not(tmp_path: Path) -> None:
    chart = json.loads((CHARTS / EXAMPLES[0]).read_text(encoding="utf-8"))
    days = [level["at"][:10] for level in chart["levels"]]
    chart["levels"][0]["retracted"] = "2026-09-20T09:00+08:00"
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(chart), encoding="utf-8")
    same, before, after = (
        json.loads(sirolens("advise", path, "--json", "--at", at).out)
        for path, at in (
            (CHARTS / EXAMPLES[0], "2026-09-20T08:59"),
            (wrong, "2026-09-20T08:59"),
            (wrong, "2026-09-20T09:01"),
        )
    )
    assert before["options"] == same["options"]
    assert days[0] in {level["time"][:10] for level in before["levels"]}
    assert days[0] not in {level["time"][:10] for level in after["levels"]}


def test_one_model_can_be_chosen() -> None:
    found = told(EXAMPLES[0], "--model", "wu_2012")
    assert [one["name"] for one in found["per_model"]] == ["wu_2012"]
    two = told(EXAMPLES[0], "--model", "wu_2012", "--model", "golubovic_2019")
    assert {one["name"] for one in two["per_model"]} == {"wu_2012", "golubovic_2019"}


def test_a_site_sets_target_products_and_limits_with_its_reason(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        'author = "Dr Example"\nreason = "Invented decision"\n[target]\nlow_ng_ml = 4\nhigh_ng_ml = 8\n'
        '[limits]\nsoft_daily_cap_mg = 3\n[products]\n[[products.product]]\nform = "tablet"\nstrength_mg = 1\n',
        encoding="utf-8",
    )
    found = told(EXAMPLES[0], "--settings", str(site))
    assert (found["target"]["low_ng_ml"], found["target"]["high_ng_ml"]) == (4, 8)
    assert found["target"]["author"] == "Dr Example"
    assert all(amount == int(amount) for option in found["options"] for amount in option["amount_mg"])
    assert max(option["daily_mg"] for option in found["options"]) <= 3
    limit = next(one for one in found["settings"] if one["name"] == "soft_daily_cap_mg")
    assert limit["value"] == 3
    assert "Invented decision" in limit["source"]


ALERT = "guardrails.platelets-fall-level-high"
FALLING = "child_over_target_falling_platelets.json"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_critical_alert_says_how_it_is_acknowledged(language: str) -> None:
    done = advice(FALLING, "--language", language)
    assert f'--acknowledge "{ALERT}=..."' in done.err
    told_so = advice(FALLING, "--language", language, "--acknowledge", f"{ALERT}=seen, count repeated")
    assert ALERT not in told_so.err


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_acknowledgement_that_meets_nothing_is_said(language: str) -> None:
    done = advice(EXAMPLES[0], "--language", language, "--acknowledge", f"{ALERT}=seen")
    assert done.code == 0
    assert ALERT in done.err
    assert bool(CHINESE.search(done.err)) == (language == "zh")
