# SPDX-License-Identifier: Apache-2.0
"""Forms of a review folder are taken in by events with their hash; a later change is seen. Every study is invented."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from sirolens.errors import InputError
from sirolens.evidence.extraction.form_file import read_extraction
from sirolens.evidence.review.events import Kind
from sirolens.evidence.review.folder import init, open_review
from sirolens.evidence.review.forms import (
    APPRAISALS,
    CERTAINTY,
    STUDIES,
    changed_forms,
    new_form,
    read_forms,
    take_in,
)

STUDY = """\
id = "invented-2020"
name = "Invented 2020"
design = "single-arm"
by = "wei"
outcome = [{ outcome = "OR", time = "3m", arm = "s", k = 12, n = 20 }]
[patients]
population = "primary-itp"
[[report]]
id = "paper"
kind = "journal-article"
[[arm]]
id = "s"
name = "sirolimus"
"""
APPRAISAL = 'study = "invented-2020"\ntool = "jbi-case-series"\nrater = "wei"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "review"
    init(place, by="wei")
    (place / STUDIES).mkdir()
    (place / APPRAISALS).mkdir()
    (place / STUDIES / "invented.toml").write_text(STUDY, encoding="utf-8")
    (place / APPRAISALS / "invented.toml").write_text(APPRAISAL, encoding="utf-8")
    return place


def test_forms_are_taken_in_once_and_change_is_seen(folder: Path) -> None:
    written = take_in(folder, "wei")
    assert [event.kind for event in written] == [Kind.GROUPED, Kind.EXTRACTED, Kind.APPRAISED]
    assert take_in(folder, "wei") == ()
    events = open_review(folder).events
    assert changed_forms(folder, events) == ()
    (folder / STUDIES / "invented.toml").write_text(STUDY.replace("k = 12", "k = 11"), encoding="utf-8")
    assert [message.code for message in changed_forms(folder, events)] == ["extraction.form-changed"]
    assert [event.kind for event in take_in(folder, "wei")] == [Kind.GROUPED, Kind.EXTRACTED]
    (folder / APPRAISALS / "invented.toml").unlink()
    codes = [message.code for message in changed_forms(folder, open_review(folder).events)]
    assert codes == ["extraction.form-gone"]


def test_the_state_knows_the_study(folder: Path) -> None:
    take_in(folder, "wei")
    state = open_review(folder).state
    assert state.studies["invented-2020"].label == "Invented 2020"
    assert state.studies["invented-2020"].cohorts == ()


def test_a_form_with_an_error_is_told_and_not_taken_in(folder: Path) -> None:
    (folder / STUDIES / "invented.toml").write_text(STUDY.replace("k = 12", "k = 21"), encoding="utf-8")
    codes = [message.code for message in read_forms(folder).messages]
    assert codes == ["pooling.more-events-than-patients", "appraisal.study-unknown"]
    assert Kind.EXTRACTED not in [event.kind for event in take_in(folder, "wei")]


def test_a_tool_of_another_design_and_a_missing_appraisal_are_told(folder: Path) -> None:
    path = folder / APPRAISALS / "invented.toml"
    path.write_text(APPRAISAL.replace("jbi-case-series", "rob-2"), encoding="utf-8")
    assert [message.code for message in read_forms(folder).messages] == ["appraisal.tool-of-other-design"]
    path.unlink()
    assert [message.code for message in read_forms(folder).messages] == ["appraisal.not-appraised"]


def test_a_folder_without_forms_is_empty_and_no_fault(tmp_path: Path) -> None:
    forms = read_forms(tmp_path)
    assert not forms.extractions
    assert not forms.messages
    assert not (tmp_path / CERTAINTY).exists()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_new_form_is_read_without_a_fault_and_explains_every_field(tmp_path: Path, language: str) -> None:
    path = new_form(tmp_path, "invented-2020", by="wei", language=language)
    reading = read_extraction(path)
    assert reading.messages == ()
    assert reading.extraction is not None
    assert reading.extraction.study.id == "invented-2020"
    text = path.read_text(encoding="utf-8")
    asked = {
        key for file in (EXAMPLES / STUDIES).glob("*.toml") for key in keys(tomllib.loads(file.read_text("utf-8")))
    }
    assert not [key for key in asked if re.fullmatch(r"[a-z_]+", key) and not re.search(rf"\b{key}\b", text)]
    given = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)  # every field that is only shown is filled in
    path.write_text(given, encoding="utf-8")
    assert [message.code for message in read_extraction(path).messages] == []


EXAMPLES = Path(__file__).parents[3] / "examples" / "review-sirolimus-itp"


def keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for name, inner in value.items() if name != "diagnoses" for key in keys(inner)}
    return {key for inner in value for key in keys(inner)} if isinstance(value, list) else set()


def test_a_form_that_is_there_is_never_overwritten_and_names_stay_inside_the_folder(folder: Path) -> None:
    new_form(folder, "invented-2021", by="wei")
    for name in ("invented-2021", "../x", "A B", ""):
        with pytest.raises(InputError):
            new_form(folder, name, by="wei")


def test_an_appraisal_cannot_rest_on_more_than_the_form_says_was_read(tmp_path: Path) -> None:
    for name in (STUDIES, APPRAISALS):
        (tmp_path / name).mkdir()
    (tmp_path / STUDIES / "a.toml").write_text(STUDY, encoding="utf-8")  # of its report an abstract was read
    for basis, wanted in (("abstract", []), ("nothing", []), ("full-text", ["a.toml:basis"])):
        told = f"study = 'invented-2020'\ntool = 'jbi-case-series'\nrater = 'wei'\nbasis = '{basis}'\n"
        (tmp_path / APPRAISALS / "a.toml").write_text(told, encoding="utf-8")
        found = [one for one in read_forms(tmp_path).messages if one.code == "appraisal.basis-above-read"]
        assert [str(one.place) for one in found] == wanted
