# SPDX-License-Identifier: Apache-2.0
"""Extraction forms: every fault is named with file, line, key and value; what the numbers hide is said.

Oracles: counts worked out by hand from the published figures; the enumeration of all whole numbers.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.evidence.extraction.form import conflicts
from sirolens.evidence.extraction.form_checks import possible_counts
from sirolens.evidence.extraction.form_file import ExtractionReading, extraction_of, read_extraction, read_form_folder
from sirolens.evidence.extraction.outcome import NOT_REPORTED
from sirolens.message import Message, Severity
from sirolens.report.words import say

FORM = """\
# invented
id = "invented-2020"
name = "Invented 2020"
design = "single-arm"
by = "wei"
outcome = [
{outcomes}
]
[patients]
population = "primary-itp"
enrolled = 40
[[report]]
id = "paper"
kind = "journal-article"
year = 2020
[[arm]]
id = "s"
name = "sirolimus"
{more}
"""
FIRST_OUTCOME = 7  # the line of the first outcome in FORM


def read(tmp_path: Path, *outcomes: str, more: str = "", name: str = "a.toml") -> ExtractionReading:
    path = tmp_path / name
    lines = "\n".join(f"{{ arm = 's', {one} }}," for one in outcomes)
    path.write_text(FORM.replace("{outcomes}", lines).replace("{more}", more), encoding="utf-8")
    return read_extraction(path)


def codes(reading: ExtractionReading) -> list[str]:
    return [message.code for message in reading.messages]


def only(reading: ExtractionReading, code: str) -> Message:
    (found,) = [message for message in reading.messages if message.code == code]
    return found


def test_a_good_form_says_nothing_and_what_is_not_there_is_not_reported(tmp_path: Path) -> None:
    reading = read(tmp_path, "outcome = 'OR', time = '3m', k = 12, n = 20, percent = '60', printed = '60% (12/20)'")
    assert reading.messages == ()
    form = reading.extraction
    assert form is not None
    assert form.criteria.name == form.patients.age_group == form.arms[0].assay == NOT_REPORTED
    assert form.arms[0].partners is None
    assert form.arms[0].target is None
    assert form.rows[0].criteria == NOT_REPORTED
    assert (form.rows[0].k, form.rows[0].n, form.rows[0].year) == (12, 20, 2020)
    assert len(form.sha256) == 64


IMPOSSIBLE = [
    ("k = 21, n = 20", "pooling.more-events-than-patients"),
    ("k = 0, n = 0", "pooling.no-patients"),
    ("k = -1, n = 20", "pooling.negative-count"),
    ("k = 1, n = -20", "pooling.negative-count"),
    ("k = 0.6, n = 20", "pooling.share-for-count"),
    ("k = 12", "pooling.count-without-patients"),
    ("k = '60%', n = 20", "extraction.percent-for-count"),
    ("k = 'many', n = 20", "models.wrong-type"),
    ("percent = 60", "extraction.percent-needs-quotes"),
    ("percent = 'about 60'", "extraction.percent-unreadable"),
    ("k = 12, n = 41", "extraction.more-than-enrolled"),
    ("mean = 90, sd = 0, n = 20", "pooling.spread-not-positive"),
    ("estimate = 0.5, standard_error = 0", "pooling.spread-not-positive"),
    ("k = 12, n = 20, mark = 'memory'", "extraction.memory-count"),
    ("k = 12, n = 20, cohort = 'other'", "extraction.no-such-part"),
    ("k = 12, n = 20, report = 'poster'", "extraction.no-such-part"),
    ("k = 12, m = 20", "models.unknown-key"),
    ("k = nan, n = 20", "models.wrong-type"),
]


@pytest.mark.parametrize(("told", "code"), IMPOSSIBLE)
def test_what_cannot_be_is_an_error_with_its_file_and_line(tmp_path: Path, told: str, code: str) -> None:
    reading = read(tmp_path, "outcome = 'CR', time = '3m', k = 1, n = 20", f"outcome = 'OR', time = '3m', {told}")
    assert reading.extraction is None
    found = next(message for message in reading.messages if message.code == code)
    assert found.severity is Severity.ERROR
    assert found.place is not None
    assert (found.place.file, found.place.line) == ("a.toml", FIRST_OUTCOME + 1)
    assert str(found.place.field).startswith("outcome[1]")


def test_a_percentage_in_the_place_of_a_count_is_recognised(tmp_path: Path) -> None:
    reading = read(tmp_path, "outcome = 'OR', time = '3m', k = 60, n = 20")
    assert only(reading, "extraction.maybe-percent").values["fits"] == (12,)


def test_every_fault_of_a_form_is_told_at_once(tmp_path: Path) -> None:
    reading = read(tmp_path, "outcome = 'OR', time = '3m', k = 21, n = 20", "outcome = 'CR', time = '3m', k = 0, n = 0")
    assert codes(reading) == ["pooling.more-events-than-patients", "pooling.no-patients"]


def test_the_same_row_twice_is_an_error(tmp_path: Path) -> None:
    same = "outcome = 'OR', time = '3m', k = 12, n = 20"
    assert only(read(tmp_path, same, same), "extraction.row-twice").values["first_line"] == FIRST_OUTCOME


def test_more_complete_responses_than_responses_is_an_error(tmp_path: Path) -> None:
    rows = ("outcome = 'OR', time = '3m', k = 5, n = 20", "outcome = 'CR', time = '3m', k = 6, n = 20")
    assert "extraction.part-above-whole" in codes(read(tmp_path, *rows))


def test_parts_that_do_not_add_up_are_a_warning(tmp_path: Path) -> None:
    rows = [f"outcome = '{name}', time = '3m', k = {k}, n = 20" for name, k in (("OR", 12), ("CR", 6), ("PR", 5))]
    found = only(read(tmp_path, *rows), "extraction.parts-do-not-add-up")
    assert (found.values["whole"], found.values["parts"]) == (12, (6, 5))


def test_a_percentage_that_no_rounding_gives_is_told_with_the_counts_that_would(tmp_path: Path) -> None:
    found = only(
        read(tmp_path, "outcome = 'OR', time = '3m', k = 12, n = 20, percent = '70'"), "extraction.percent-disagrees"
    )
    assert found.values["fits"] == (14,)


def test_digits_that_were_cut_off_are_told_apart_from_wrong_ones(tmp_path: Path) -> None:
    # 13 of 17 is 76.47 %: published as 76.4.
    assert codes(read(tmp_path, "outcome = 'OR', time = '3m', k = 13, n = 17, percent = '76.4'")) == [
        "extraction.percent-cut"
    ]


def test_a_derived_count_says_when_it_is_one_of_several(tmp_path: Path) -> None:
    row = "outcome = 'OR', time = '3m', k = 20, n = 400, percent = '5', mark = 'derived', how = '5 % of 400'"
    form = (
        FORM.replace("enrolled = 40", "enrolled = 400")
        .replace("{more}", "")
        .replace("{outcomes}", f"{{arm='s', {row}}}")
    )
    found = extraction_of(tomllib.loads(form)).messages
    (several,) = [message for message in found if message.code == "extraction.several-counts"]
    assert several.values["fits"] == (18, 19, 20, 21, 22)


def test_a_percentage_without_counts_lists_every_whole_number_it_can_be(tmp_path: Path) -> None:
    rows = ("outcome = 'OR', time = '3m', k = 30, n = 38", "outcome = 'OR', time = '6m', percent = '65'")
    found = only(read(tmp_path, *rows), "extraction.counts-unknown")
    assert found.values["fits"] == ("26/40", "25/38")  # 25 of 38 is 65.8: only with its digits cut off
    form = read(tmp_path, *rows).extraction
    assert form is not None
    assert form.rows[1].k is None
    assert form.rows[1].percent == 65


def test_a_shrinking_denominator_is_told_with_the_share_of_all() -> None:
    # Feng 2020: 55 of 78 at 6 months, 86 at 3: of all 64.0 % (clinical facts).
    reading = read_extraction(EXAMPLES / "feng-2020.toml")
    found = [message for message in reading.messages if message.code == "extraction.denominator-shrinks"]
    overall = next(message for message in found if message.values["outcome"] == "OR")
    assert (overall.values["first_n"], overall.values["n"]) == (86, 78)
    assert overall.values["all_percent"] == pytest.approx(100 * 55 / 86)


EXAMPLES = Path(__file__).parents[3] / "examples" / "review-sirolimus-itp" / "studies"
P_TOLERANCE = 5e-4  # the published P values have three decimals


def test_sustained_response_among_responders_is_told_per_arm_with_both_p_values() -> None:
    # Li 2013: 17/25 against 11/28, P = 0.037; of the arms 17/43 against 11/45, P = 0.129 (scipy, no correction).
    reading = read_extraction(EXAMPLES / "li-2013.toml")
    per_arm = [message for message in reading.messages if message.code == "extraction.among-responders"]
    assert [round(float(str(message.values["all_percent"])), 1) for message in per_arm] == [39.5, 24.4]
    both = only(reading, "extraction.responders-comparison")
    assert both.values["among_p"] == pytest.approx(0.037, abs=P_TOLERANCE)
    assert both.values["all_p"] == pytest.approx(0.129, abs=P_TOLERANCE)
    assert reading.extraction is not None
    assert {row.outcome for row in reading.extraction.rows} == {"OR", "AE", "SR_AMONG_RESPONDERS"}


def test_arms_that_do_not_add_up_to_those_who_completed_are_told() -> None:
    found = only(read_extraction(EXAMPLES / "mousavi-2020.toml"), "extraction.arms-do-not-add-up")
    assert (found.values["total"], found.values["known"]) == (60, (67, 61))


def test_one_study_in_two_files_is_named_with_both(tmp_path: Path) -> None:
    read(tmp_path, "outcome = 'OR', time = '3m', k = 12, n = 20")
    read(tmp_path, "outcome = 'OR', time = '3m', k = 12, n = 20", name="b.toml")
    folder = read_form_folder(tmp_path)
    (found,) = folder.messages
    assert [form.file for form in folder.forms] == ["a.toml"]  # counted once, not twice
    assert found.code == "extraction.study-in-two-files"
    assert (str(found.place), found.values["other_file"]) == ("b.toml:id", "a.toml")


GOOD = "time = '3m', outcome = 'OR', k = 4, n = 20"


@pytest.mark.parametrize(
    ("more", "field", "value", "expected", "code"),
    [
        (
            "target = { low_ng_ml = 15, high_ng_ml = 5 }",
            "target.low_ng_ml",
            "15-5",
            "low_ng_ml < high_ng_ml",
            "target-reversed",
        ),
        ("target = { high_ng_ml = 5, report = 'letter' }", "target.report", "letter", "paper", "no-such-part"),
        ("[[arm]]\nid = 's'\nname = 'again'", "arm[1].id", "s", None, "id-twice"),
        ("[[cohort]]\nid = 'all'\n[[cohort]]\nid = 'all'", "cohort[1].id", "all", None, "id-twice"),
        ("[criteria]\nset = 'Not reported'", "criteria.set", "Not reported", '"not reported"', "criteria-not-reported"),
        ("[criteria]\nset = 'unknown'", "criteria.set", "unknown", '"not reported"', "criteria-not-reported"),
        ("[criteria]\nset = '未报告'", "criteria.set", "未报告", '"not reported"', "criteria-not-reported"),
        (
            "[[report]]\nid = 'b'\nkind = 'letter'\ndoi = 'https://doi.org/10.1/x'",
            "report[1].doi",
            "https://doi.org/10.1/x",
            "10.1234/...",
            "identifier",
        ),
        (
            "[[report]]\nid = 'b'\nkind = 'letter'\npmid = 'PMID 1'",
            "report[1].pmid",
            "PMID 1",
            "12345678",
            "identifier",
        ),
    ],
)
def test_a_part_that_cannot_be_right_is_named_where_it_stands_in_both_languages(
    tmp_path: Path, more: str, field: str, value: str, expected: str | None, code: str
) -> None:
    reading = read(tmp_path, GOOD, more=more)
    assert reading.extraction is None  # nothing is guessed
    fault = only(reading, f"extraction.{code}")
    assert fault.severity is Severity.ERROR
    assert fault.place is not None
    assert (fault.place.file, fault.place.line is not None) == ("a.toml", True)
    assert str(fault.place.field).endswith(field)
    assert fault.values["value"] == value
    assert expected is None or fault.values["expected"] == expected
    for language in ("en", "zh"):
        assert value in say(fault, language)


@pytest.mark.parametrize(("encoding", "shown"), [("gb18030", "GB18030"), ("utf-16", "UTF-16")])
def test_a_form_in_another_encoding_says_which_and_where(tmp_path: Path, encoding: str, shown: str) -> None:
    path = tmp_path / "a.toml"
    text = FORM.replace("{outcomes}", f"{{ arm = 's', {GOOD}, note = '西罗莫司' }},").replace("{more}", "")
    path.write_bytes(text.encode(encoding))
    (fault,) = read_extraction(path).messages
    assert fault.code == "extraction.not-utf-8"
    assert fault.values["encoding"] == shown
    assert fault.place is not None
    assert fault.place.line == (1 if encoding == "utf-16" else FIRST_OUTCOME)


def test_a_mark_before_the_first_byte_changes_nothing(tmp_path: Path) -> None:
    plain = read(tmp_path, GOOD).extraction
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "a.toml").read_bytes())
    marked = read_extraction(tmp_path / "a.toml").extraction
    assert plain is not None
    assert marked is not None
    assert marked.rows == plain.rows


def test_a_slip_in_a_code_is_asked_about_and_a_code_of_ones_own_is_taken(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        "time = '3 months', outcome = 'or', k = 4, n = 20",
        "time = 'visit 2', outcome = 'MINE', k = 1, n = 20",
    )
    assert [one.values["expected"] for one in reading.messages if one.code == "extraction.code-alike"] == ["OR", "3m"]
    assert reading.extraction is not None
    assert [(row.outcome, row.timepoint) for row in reading.extraction.rows] == [
        ("or", "3 months"),
        ("MINE", "visit 2"),
    ]


def test_criteria_that_differ_in_signs_only_are_asked_about(tmp_path: Path) -> None:
    read(tmp_path, GOOD, more="[criteria]\nset = 'IWG 2009'")
    (found,) = [one for one in read_form_folder(tmp_path).messages if one.code == "extraction.criteria-alike"]
    assert found.values["names"] == ("iwg-2009", "IWG 2009")


def test_a_sum_of_rounded_parts_is_told_apart_from_digits_that_were_cut_off(tmp_path: Path) -> None:
    """Feng 2020 at 6 months: 32 + 23 of 78 is 70.51 %; printed is 70 %, which is 41 + 29."""
    rows = [
        f"time = '6m', outcome = '{name}', k = {k}, n = 78, percent = '{percent}'"
        for name, k, percent in (("OR", 55, "70"), ("CR", 32, "41"), ("PR", 23, "29"))
    ]
    wide = FORM.replace("enrolled = 40", "enrolled = 86").replace("{more}", "")
    (tmp_path / "b.toml").write_text(wide.replace("{outcomes}", "\n".join(f"{{ arm = 's', {one} }}," for one in rows)))
    found = only(read_extraction(tmp_path / "b.toml"), "extraction.percent-sum")
    assert found.values["parts"] == ("41", "29")


def test_relapse_is_of_responders_by_its_nature_and_nothing_is_said(tmp_path: Path) -> None:
    whole = "time = 'best', outcome = 'OR', k = 10, n = 20"
    reading = read(tmp_path, whole, "time = 'end', outcome = 'RELAPSE', denominator = 'responders', k = 4, n = 10")
    assert "extraction.among-responders" not in codes(reading)


def test_studies_that_disagree_make_a_conflict_and_agreement_makes_none(tmp_path: Path) -> None:
    said = "[[finding]]\ntopic = 'trough-response'\ndirection = '{}'\nsays = 'invented'"
    forms = [read(tmp_path, more=said.format(word)).extraction for word in ("none", "none", "higher-better")]
    named = []
    for letter, form in zip("abc", forms, strict=True):
        assert form is not None
        renamed = extraction_of({**tomllib.loads((tmp_path / "a.toml").read_text()), "id": letter}).extraction
        assert renamed is not None
        object.__setattr__(renamed, "findings", form.findings)
        named.append(renamed)
    assert not conflicts(named[:2])
    (conflict,) = conflicts(named)
    assert [study for study, _ in conflict.sides] == ["a", "b", "c"]


@pytest.mark.parametrize("text", ["", "= 1", "id = ", "[[outcome]]\nk = 1", "\x00", "a = " + "[" * 3000])
def test_a_broken_file_is_a_message_and_never_a_crash(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text, encoding="utf-8")
    reading = read_extraction(path)
    assert reading.extraction is None
    assert all(message.severity is Severity.ERROR for message in reading.messages)
    assert reading.messages


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=200))
def test_bytes_of_any_kind_never_crash(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "a.toml"
    path.write_bytes(raw)
    assert read_extraction(path).extraction is None


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 300)
    | st.floats(allow_nan=True)
    | st.sampled_from(["OR", "s", "60%", ""]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["k", "n", "arm", "id"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(["id", "by", "design", "outcome", "arm", "report", "patients", "cell"]), JSON))
def test_values_of_any_shape_never_crash(data: dict[str, object]) -> None:
    assert extraction_of(data).extraction is None


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 300), st.data())
def test_possible_counts_hold_the_true_one_and_nothing_that_prints_otherwise(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    decimals = data.draw(st.integers(0, 2))
    printed = f"{100 * k / n:.{decimals}f}"
    found = possible_counts(printed, n)
    assert k in found
    half = 0.5 * 10**-decimals + 1e-9  # a tie may have been rounded either way
    assert all(abs(100 * one / n - float(printed)) <= half for one in found)
