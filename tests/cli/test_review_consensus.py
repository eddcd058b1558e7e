# SPDX-License-Identifier: Apache-2.0
"""Two people's forms are compared and settled as a user does it; the differences are made here, so they are known."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from sirolens.evidence.appraisal.form import overall_judgement, read_appraisal
from sirolens.evidence.extraction.form_file import read_extraction
from tests.cli.command import Done, sirolens

FORM = """
id = "zhang-2021"
name = "Zhang 2021 (invented)"
design = "single-arm"
by = "wei"
[[report]]
id = "paper"
kind = "journal-article"
[patients]
population = "primary-itp"
[[arm]]
id = "s"
name = "sirolimus"
[[outcome]]
outcome = "OR"
time = "3m"
arm = "s"
k = 12
n = 20
"""
MORE = """
[[outcome]]
outcome = "CR"
time = "3m"
arm = "s"
k = 6
n = 20
"""
APPRAISAL = """
study = "zhang-2021"
tool = "rob-2"
rater = "wei"
basis = "full-text"
[judgement.deviations]
level = "low"
reason = "blinded"
reason_zh = "设盲"
[judgement.measurement]
level = "low"
reason = "a count"
"""
KEY, ROW = "outcome[s/OR/3m].k", "outcome[s/CR/3m]"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A review with wei's form in it and ana's beside it: another count and one row more."""
    folder = tmp_path / "rev"
    assert sirolens("review", "init", folder, "--by", "wei").code == 0
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SIROLENS_REVIEWER", "wei")
    (folder / "studies").mkdir()
    (folder / "studies" / "zhang-2021.toml").write_text(FORM, encoding="utf-8")
    second = FORM.replace("k = 12", "k = 13").replace('"wei"', '"ana"') + MORE
    (tmp_path / "ana.toml").write_text(second, encoding="utf-8")
    for name, text in (("one", APPRAISAL), ("two", _other_rater())):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def _other_rater() -> str:
    text = APPRAISAL.replace('"wei"', '"ana"').replace("full-text", "abstract")
    text = text.replace("basis =", 'overall = "high"\noverall_reason = "all in all"\nbasis =')
    return text.replace(
        'level = "low"\nreason = "blinded"\nreason_zh = "设盲"', 'level = "high"\nreason = "open label"'
    )


def _compared(desk: Path, first: str, second: str) -> Path:
    done = sirolens("review", "compare-forms", first, desk / second, "-o", desk / "told.toml")
    assert done.code == 0, done.err
    return desk / "told.toml"


def _decide(path: Path, told: dict[str, tuple[str, ...]]) -> None:
    """Fill the file in as a person does: choice, reason and, for "other", the value as it is written in TOML."""
    *blocks, _ = [*path.read_text(encoding="utf-8").split("\n[[difference]]"), ""]
    filled = []
    for block in blocks:
        for field, (choice, why, *value) in told.items():
            if f"field = {json.dumps(field)}\n" in block:
                block = block.replace(
                    'choice = ""', "\n".join([f'choice = "{choice}"', *(f"value = {v}" for v in value)])
                )
                block = block.replace('why = ""', f'why = "{why}"')
        filled.append(block)
    path.write_text("\n[[difference]]".join(filled), encoding="utf-8")


def _settled(desk: Path) -> Done:
    return sirolens("review", "settle-forms", "studies/zhang-2021.toml", desk / "ana.toml", desk / "told.toml")


def _events() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("events/wei.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_comparison_writes_the_file_of_decisions_with_both_values_side_by_side(desk: Path) -> None:
    path = _compared(desk, "studies/zhang-2021.toml", "ana.toml")
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    assert told["study"] == "zhang-2021"
    assert [(one["field"], one["first"], one["second"]) for one in told["difference"]] == [
        (KEY, 12, 13),
        (ROW, "-", "row"),
    ]
    assert 'second = "row" # { outcome = "CR", time = "3m", arm = "s", k = 6, n = 20 }' in path.read_text(
        encoding="utf-8"
    )
    again = sirolens("review", "compare-forms", "studies/zhang-2021.toml", desk / "ana.toml", "-o", path)
    assert again.code == 2  # what a person has filled in is not written over
    assert tomllib.loads(path.read_text(encoding="utf-8")) == told


def test_settled_forms_go_into_the_review_and_what_they_were_made_from_is_kept(desk: Path) -> None:
    first = Path("studies/zhang-2021.toml").read_bytes()
    path = _compared(desk, "studies/zhang-2021.toml", "ana.toml")
    _decide(path, {KEY: ("first", "table 2"), ROW: ("second", "text")})
    done = _settled(desk)
    assert done.code == 0, done.err
    form = read_extraction(Path("studies/zhang-2021.toml")).extraction
    assert form is not None
    assert form.by == "wei, ana"
    assert [(one.row.outcome, one.row.k) for one in form.outcomes] == [("OR", 12), ("CR", 6)]
    event = _events()[-1]
    assert (event["kind"], event["by"], event["values"]["consensus"]) == ("extracted", "wei", True)
    kept = Path("consensus/studies/zhang-2021")
    assert (kept / "first.toml").read_bytes() == first
    assert (kept / "second.toml").read_bytes() == (desk / "ana.toml").read_bytes()
    assert (kept / "decisions.toml").read_bytes() == (desk / "told.toml").read_bytes()
    done = sirolens("review", "forms", "--take-in")
    assert done.code == 0, done.err
    assert len(_events()) == 2  # it was taken in already


def test_a_consensus_can_be_settled_again_but_no_other_form_is_written_over(desk: Path) -> None:
    path = _compared(desk, "studies/zhang-2021.toml", "ana.toml")
    _decide(path, {KEY: ("first", "table 2"), ROW: ("second", "text")})
    (desk / "wei.toml").write_bytes(Path("studies/zhang-2021.toml").read_bytes())
    assert _settled(desk).code == 0
    path.write_text(path.read_text(encoding="utf-8").replace('choice = "first"', 'choice = "second"'), encoding="utf-8")
    again = ("review", "settle-forms", desk / "wei.toml", desk / "ana.toml", path)
    assert sirolens(*again).code == 0
    assert "k = 13" in Path("studies/zhang-2021.toml").read_text(encoding="utf-8")
    with Path("studies/zhang-2021.toml").open("a", encoding="utf-8") as stream:
        stream.write("# by hand\n")
    refused = sirolens(*again)
    assert refused.code == 2
    assert "zhang-2021.toml" in refused.err
    assert Path("studies/zhang-2021.toml").read_text(encoding="utf-8").endswith("# by hand\n")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({KEY: ("first", "x")}, f"{ROW}: the two differ"),
        ({KEY: ("first", ""), ROW: ("second", "x")}, f"{KEY} needs a name and a reason"),
        ({KEY: ("third", "x"), ROW: ("second", "x")}, "third"),
        ({KEY: ("other", "x"), ROW: ("second", "x")}, f"{KEY}: “other” needs a value"),
        ({KEY: ("first", "x", "3"), ROW: ("second", "x")}, f"{KEY}: “other” needs a value"),
        ({KEY: ("other", "x", "21"), ROW: ("second", "x")}, "21 of 20"),
        ({KEY: ("other", "x", '"twelve"'), ROW: ("second", "x")}, "twelve"),
        ({KEY: ("first", "x"), ROW: ("other", "x", "1")}, "other"),
    ],
)
def test_a_decision_that_is_none_is_named_at_its_line_and_nothing_is_written(
    desk: Path, told: dict[str, tuple[str, ...]], said: str
) -> None:
    _decide(_compared(desk, "studies/zhang-2021.toml", "ana.toml"), told)
    before = Path("studies/zhang-2021.toml").read_bytes()
    done = _settled(desk)
    assert done.code == 2
    assert said in done.err
    assert "told.toml, line " in done.err
    assert Path("studies/zhang-2021.toml").read_bytes() == before
    assert not Path("consensus").exists()
    assert not _events()


def test_decisions_about_what_does_not_differ_or_is_no_longer_so_are_refused(desk: Path) -> None:
    path = _compared(desk, "studies/zhang-2021.toml", "ana.toml")
    _decide(path, {KEY: ("first", "x"), ROW: ("second", "x")})
    whole = path.read_text(encoding="utf-8")
    more = '\n[[difference]]\nfield = "design"\nfirst = "a"\nsecond = "b"\nchoice = "first"\nwhy = "x"\n'
    path.write_text(whole + more, encoding="utf-8")
    assert "do not differ on design" in _settled(desk).err
    path.write_text(whole.replace("second = 13", "second = 14"), encoding="utf-8")
    assert f"{KEY}: the forms now say 12 and 13" in _settled(desk).err
    path.write_text(whole.partition("\n[[difference]]")[0], encoding="utf-8")
    assert f"{ROW}: the two differ" in _settled(desk).err
    path.write_text(whole.replace('study = "zhang-2021"', 'study = "li-2013"'), encoding="utf-8")
    assert "li-2013" in _settled(desk).err
    assert not _events()


def test_an_invalid_form_is_named_with_its_place_and_not_compared(desk: Path) -> None:
    path = desk / "ana.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("k = 13", "k = 21"), encoding="utf-8")
    done = sirolens("review", "compare-forms", "studies/zhang-2021.toml", path)
    assert done.code == 2
    assert f"{path}, line 14" in done.err
    assert "21 of 20" in done.err
    assert not done.out


def test_two_appraisals_are_settled_item_by_item_with_basis_and_overall(desk: Path) -> None:
    path = _compared(desk, str(desk / "one.toml"), "two.toml")
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    assert [(one["field"], one["first"], one["second"]) for one in told["difference"]] == [
        ("deviations", "low", "high"),
        ("basis", "full-text", "abstract"),
        ("overall", "-", "high"),
    ]
    settle = ("review", "settle-forms", desk / "one.toml", desk / "two.toml", path)
    decided = {
        "deviations": ("other", "open, but a count", '"some-concerns"'),
        "basis": ("first", "x"),
        "overall": ("first", "x"),
    }
    _decide(path, decided)
    wrong = path.read_text(encoding="utf-8")
    path.write_text(wrong.replace("some-concerns", "moderate"), encoding="utf-8")
    refused = sirolens(*settle)
    assert refused.code == 2
    assert "told.toml, line 8" in refused.err
    assert "some-concerns" in refused.err  # the levels there are
    path.write_text(wrong, encoding="utf-8")
    done = sirolens(*settle)
    assert done.code == 0, done.err
    agreed = read_appraisal(Path("appraisals/zhang-2021-rob-2.toml")).appraisal
    assert agreed is not None
    assert (agreed.rater, agreed.raters, agreed.basis.value) == ("consensus", ("wei", "ana"), "full-text")
    assert (agreed.level("deviations"), agreed.level("measurement")) == ("some-concerns", "low")
    assert next(one.decided_by for one in agreed.judgements if one.item == "deviations") == "wei"
    assert overall_judgement(agreed) == "no-information"  # by the rule: three items were judged by nobody


def test_who_is_right_keeps_the_reasons_given_in_both_languages(desk: Path) -> None:
    path = _compared(desk, str(desk / "one.toml"), "two.toml")
    _decide(path, {"deviations": ("first", "x"), "basis": ("first", "x"), "overall": ("second", "x")})
    done = sirolens("review", "settle-forms", desk / "one.toml", desk / "two.toml", path)
    assert done.code == 0, done.err
    agreed = read_appraisal(Path("appraisals/zhang-2021-rob-2.toml")).appraisal
    assert agreed is not None
    told = next(one for one in agreed.judgements if one.item == "deviations")
    assert (told.reason, told.reason_zh) == ("blinded", "设盲")
    assert (agreed.overall_given, agreed.overall_reason) == ("high", "all in all")


def test_a_file_that_is_not_there_or_no_form_is_named(desk: Path) -> None:
    (desk / "large.toml").write_text("#" * 1_000_001, encoding="utf-8")
    (desk / "bytes.toml").write_bytes(b"\xff")
    for name in ("nowhere.toml", "large.toml", "bytes.toml"):
        done = sirolens("review", "compare-forms", "studies/zhang-2021.toml", desk / name)
        assert done.code == 2
        assert name in done.err
        done = sirolens("review", "settle-forms", "studies/zhang-2021.toml", desk / "ana.toml", desk / name)
        assert done.code == 2
        assert name in done.err


def test_forms_of_two_studies_are_not_compared(desk: Path) -> None:
    path = desk / "ana.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("zhang-2021", "li-2013"), encoding="utf-8")
    done = sirolens("review", "compare-forms", "studies/zhang-2021.toml", path)
    assert done.code == 2
    assert "li-2013" in done.err


def test_a_second_reviewer_starts_from_the_same_empty_form(desk: Path) -> None:
    place = desk / "own.toml"
    done = sirolens("review", "forms", "--new", "zhang-2021", "--out", place)
    assert done.code == 0, done.err
    assert tomllib.loads(place.read_text(encoding="utf-8"))["id"] == "zhang-2021"
    assert sirolens("review", "forms", "--new", "zhang-2021", "--out", place).code == 2
    assert "--new" in sirolens("review", "forms", "--out", desk / "other.toml").err
    assert not (desk / "other.toml").exists()
