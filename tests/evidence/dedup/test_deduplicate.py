# SPDX-License-Identifier: Apache-2.0
"""Which records are merged, asked about, linked and kept apart; every record is invented, the judgement is ours."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.dedup_records import TITLE, clusters, merged, record

from sirolens.errors import InputError
from sirolens.evidence.dedup.deduplicate import FlagKind, LinkKind, deduplicate
from sirolens.evidence.record import Notice, NoticeKind, Record
from sirolens.message import Message
from sirolens.report.words import say

LONG = (
    "Long-term follow-up of sirolimus and prednisone in adults with chronic immune thrombocytopenia of an invented city"
)


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"pages": "11-9"},
        {"title": f"{TITLE}. [Chinese]"},
        {"title": f"{TITLE} [Erratum appears in Invented Blood. 2021;8(1):3]"},
        {"title": TITLE.upper(), "issue": "02"},
        {"title": TITLE.replace("Sirolimus", "Sirolimis")},
        {"title": f"{TITLE}: a report of 20 patients"},
        {"title": "Sirolimus for relapsed immune thrombocytopenia"},
        {"authors": "Doe, John; Roe, Richard"},
        {"authors": "Doe J", "authors_cut": True},
        {"journal": "Invent Bld", "pages": "11-19; discussion 20"},
        {"pages": ""},
        {"volume": "", "issue": ""},
        {"year": 2021},
        {"volume": "7 Suppl 1"},
        {"pages": "01-Nov"},
        {"pages": "e10234", "article_number": "e10234"},
    ],
)
def test_copies_as_databases_print_them_are_merged(other: dict[str, object]) -> None:
    assert merged(record("a"), record("b", **other))


@pytest.mark.parametrize(
    "other",
    [
        {"title": f"{TITLE}: part II", "pages": "20-28"},
        {"title": TITLE.replace("relapsed", "newly diagnosed"), "pages": "30-33"},
        {"title": f"Reply to: {TITLE}", "pages": "19", "authors": "Roe R"},
        {"title": f"Erratum to: {TITLE}", "pages": "80", "volume": "8"},
        {"title": f"Correction: {TITLE}"},
        {"title": f"Comment on: {TITLE}", "pages": "19"},
        {"journal": "Invented Haematology Letters", "volume": "30", "pages": "A128"},
        {"year": 2022, "volume": "9", "pages": "301-9"},
        {"authors": "Smith A; Jones B", "pages": "90-9", "volume": "3", "journal": "Fictional Medicine"},
        {"doi": "10.99999/b", "pages": "40-49"},
        {"pmid": "99000002", "pages": "40-49"},
    ],
)
def test_papers_that_look_alike_are_kept_apart(other: dict[str, object]) -> None:
    first = record("a", title=f"{TITLE}: part I" if "part II" in str(other.get("title")) else TITLE)
    first = record(
        "a", title=first.title, doi="10.99999/a" if "doi" in other else "", pmid="99000001" if "pmid" in other else ""
    )
    assert not merged(first, record("b", **other))


def test_one_pmid_is_not_enough_when_all_else_contradicts() -> None:
    other = record(
        "b", pmid="99000001", title="Fracture of the wrist in skaters", authors="Poe E", pages="5", volume="3"
    )
    found = deduplicate([record("a", pmid="99000001"), other])
    assert len(found.clusters) == 2
    assert [ask.why.code for ask in found.asks] == ["dedup.ask-number"]


def test_a_supplement_of_abstracts_under_one_doi_stays_many() -> None:
    topics = ("Megakaryocytes in mice", "Splenectomy in the aged", "Rituximab after danazol", "Platelets and sleep")
    abstracts = [
        record(
            f"r{n}",
            doi="10.99999/supplement",
            title=f"{topic}: an invented abstract",
            authors=f"{'ABCD'[n]}lpha J",
            pages=f"A{n}",
        )
        for n, topic in enumerate(topics)
    ]
    assert len(deduplicate(abstracts).clusters) == len(topics)


def test_two_abstracts_of_nearly_one_title_on_two_pages_of_a_supplement_stay_two() -> None:
    told = {"doi": "10.99999/supplement", "issue": "S3", "authors": "Doe J; Roe R; Poe E"}
    assert not merged(record("a", title=LONG, pages="51", **told), record("b", title=f"The {LONG}", pages="52", **told))


@pytest.mark.parametrize("other", [{"issue": "9", "pages": "12-13"}, {"issue": "", "pages": "12-13", "year": 2004}])
def test_one_doi_and_words_in_common_are_asked_about_where_issue_or_year_differ_and_nobody_is_named(
    other: dict[str, Any],
) -> None:
    told = {"doi": "10.99999/supplement", "authors": ""}
    likely = "Sirolimus in an invented hospital for relapsed immune thrombocytopenia of children"
    found = deduplicate([record("a", **told), record("b", title=likely, **told, **other)])
    assert (len(found.clusters), len(found.asks)) == (2, 1)
    # With the authors' names it is one report.
    assert merged(record("a", doi="10.99999/x"), record("b", title=likely, doi="10.99999/x", **other))


def test_one_doi_merges_an_early_version_with_the_printed_one() -> None:
    early = record("a", doi="10.99999/x", online_first=True, volume="", issue="", pages="1-9", year=2019)
    assert merged(early, record("b", doi="10.99999/x"))


def test_an_editors_column_is_not_one_report() -> None:
    columns = [
        record(f"r{n}", title="From the editor", authors="Doe J", issue=str(n), pages="1-2") for n in range(1, 5)
    ]
    assert len(deduplicate(columns).clusters) == 4


def test_a_translated_title_at_one_place_is_one_report() -> None:
    polish = record("a", title="Syrolimus w nawrotowej małopłytkowości", authors="Nowak A; Kowal B")
    english = record(
        "b", title="Treatment of low platelets with an mTOR drug", authors="Nowak A; Kowal B", title_translated=True
    )
    assert merged(polish, english)


def test_misprints_of_a_page_do_not_part_a_long_title_in_one_issue() -> None:
    first = record("a", title=LONG, authors="Doe J; Roe R; Poe E", pages="e3")
    assert merged(first, record("b", title=LONG, authors="Doe J; Roe R; Poe E", pages="e8-e9"))


def test_registrations_merge_with_each_other_and_link_to_their_report() -> None:
    blank = {"journal": "", "volume": "", "issue": "", "pages": "", "authors": "", "trial_ids": ("NCT99999999",)}
    found = deduplicate([
        record("a", source="register-csv", **blank),
        record("b", source="register-xml", **(blank | {"title": "Public title of the same trial"})),
        record("c", trial_ids=("NCT99999999",)),
        record("d", trial_ids=("NCT99999999",), title="Quality of life in the same patients", pages="50-55"),
    ])  # fmt: skip
    assert clusters(found) == {frozenset("ab"), frozenset("c"), frozenset("d")}
    kinds = {frozenset((link.first, link.second)): link.kind for link in found.links}
    assert kinds[frozenset("ac")] is LinkKind.REGISTRATION
    assert kinds[frozenset("cd")] is LinkKind.SAME_TRIAL


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        ({"title": f"Erratum to: {TITLE}", "pages": "80"}, LinkKind.ERRATUM),
        ({"title": f"{TITLE} (vol 7, pg 11, 2020)", "pages": "80"}, LinkKind.ERRATUM),
        ({"journal": "medRxiv", "kinds": ("Preprint",), "pages": "", "volume": ""}, LinkKind.PREPRINT),
        ({"title": f"Retraction notice to: {TITLE}", "pages": "80"}, LinkKind.RETRACTION),
        ({"title": f"Comment on: {TITLE}", "pages": "80", "authors": "Poe E"}, LinkKind.COMMENT),
        ({"title": f"{TITLE}, 2", "pages": "80-89"}, LinkKind.SERIES),
        (
            {"pages": "S42", "issue": "S1", "volume": "6", "year": 2019, "journal": "Fictional Reviews"},
            LinkKind.ABSTRACT,
        ),
        ({"pages": "90-99", "volume": "44", "journal": "Fictional Reviews"}, LinkKind.SAME_TITLE),
    ],
)
def test_companion_reports_are_linked_not_merged(other: dict[str, object], kind: LinkKind) -> None:
    found = deduplicate([record("a", title=f"{TITLE}, 1" if kind is LinkKind.SERIES else TITLE), record("b", **other)])
    assert len(found.clusters) == 2
    assert [link.kind for link in found.links] == [kind]


def test_two_registrations_of_one_register_are_two_trials_though_one_names_the_other() -> None:
    blank = {"journal": "", "volume": "", "issue": "", "pages": "", "authors": "", "source": "register-xml"}
    extension = record("b", trial_ids=("NCT99999992", "NCT99999991"), **(blank | {"title": f"Extension of: {TITLE}"}))
    elsewhere = record("c", trial_ids=("ChiCTR9900000001", "NCT99999991"), **blank)
    found = deduplicate([record("a", trial_ids=("NCT99999991",), **blank), extension, elsewhere])
    assert clusters(found) == {frozenset("ac"), frozenset("b")}


def test_abstracts_of_one_title_in_two_years_are_not_one() -> None:
    told = {"journal": "Invented Blood", "volume": "", "issue": "", "pages": "", "kinds": ("Conference abstract",)}
    found = deduplicate([record("a", year=2019, **told), record("b", year=2020, **told)])
    assert len(found.clusters) == 2
    assert [ask.why.code for ask in found.asks] == ["dedup.ask-place-untold"]


def test_versions_of_a_cochrane_review_are_linked() -> None:
    fields = {"journal": "Cochrane Database of Systematic Reviews", "pages": "CD999999", "volume": "", "issue": "4"}
    found = deduplicate([record("a", year=2015, **fields), record("b", year=2019, **fields)])
    assert [link.kind for link in found.links] == [LinkKind.UPDATE]


def test_a_retraction_is_flagged_by_the_record_its_title_or_the_notice() -> None:
    notice = Notice(kind=NoticeKind.RETRACTION_OF, pmid="99000001")
    found = deduplicate([
        record("a", pmid="99000001"),
        record("b", title="Notice of retraction", pages="99", pmid="99000009", notices=(notice,)),
        record("c", title="RETRACTED: Danazol in an invented town", pages="3-4"),
        record("d", title="Vincristine in an invented town", pages="5-6", retracted=True),
    ])  # fmt: skip
    flagged = {(flag.record, flag.kind) for flag in found.flags}
    assert flagged == {
        ("a", FlagKind.RETRACTED),
        ("b", FlagKind.RETRACTION_NOTICE),
        ("c", FlagKind.RETRACTED),
        ("d", FlagKind.RETRACTED),
    }
    assert [link.kind for link in found.links] == [LinkKind.RETRACTION]


def test_a_retracted_paper_is_still_one_with_its_earlier_export() -> None:
    assert merged(record("a"), record("b", title=f"RETRACTED ARTICLE: {TITLE}"))


def test_the_fuller_record_represents_its_cluster() -> None:
    found = deduplicate([record("a"), record("b", pmid="99000001", abstract="Invented."), record("c", pages="")])
    assert found.merged[0].representative == "b"
    assert found.representative == {"a": "b", "b": "b", "c": "b"}
    assert found.removed == 2


def test_every_join_tells_its_rule_and_every_reason_has_words_in_both_languages() -> None:
    found = deduplicate([record("a", pmid="99000001"), record("b"), record("c", pmid="99000001", pages="", volume="")])
    joins = found.merged[0].joins
    assert {join.rule for join in joins} == {"same-pmid", "same-title-and-place"}
    for join in joins:
        for language in ("en", "zh"):
            assert "{" not in say(join.why, language)
            assert "dedup." not in say(join.why, language)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_questions_links_and_flags_have_words_too(language: str) -> None:
    found = deduplicate([
        record("a", pmid="99000001", retracted=True),
        record("b", pmid="99000001", title="Fracture of the wrist in skaters", authors="Poe E", pages="5", volume="3"),
        record("c", title=f"Erratum to: {TITLE}", pages="80"),
    ])  # fmt: skip
    said = [say(one.why, language) for one in (*found.asks, *found.links, *found.flags)]
    assert len(said) == 3
    assert not [text for text in said if "{" in text or "dedup." in text]
    assert "99000001" in said[0]


def test_an_id_given_twice_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        deduplicate([record("a"), record("a")])
    assert refused.value.messages[0].code == "dedup.id-twice"


def test_progress_ends_with_all_pairs_done() -> None:
    told: list[tuple[int, int]] = []
    deduplicate([record("a"), record("b")], progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (1, 1)


def test_empty_records_and_no_records_are_no_trouble() -> None:
    blank = {"title": "", "authors": "", "journal": "", "volume": "", "issue": "", "pages": "", "year": None}
    assert deduplicate([]).clusters == ()
    assert len(deduplicate([record("a", **blank), record("b", **blank)]).clusters) == 2


def test_five_hundred_copies_are_one_cluster() -> None:
    assert merged(*(record(f"r{n:03d}") for n in range(500)))


TITLES = st.sampled_from([
    TITLE, TITLE.upper(), f"{TITLE}: part I", f"{TITLE}: part II", f"Erratum to: {TITLE}", f"{TITLE} [Chinese]",
    "Editorial", "Danazol in an invented town of few people", "西罗莫司治疗免疫性血小板减少症的虚构研究", "",
])  # fmt: skip
RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "title": TITLES,
            "authors": st.sampled_from(["Doe J; Roe R", "Doe, John", "Poe E", "", "张伟; 李娜", "Zhang W; Li N"]),
            "year": st.sampled_from([2019, 2020, None]),
            "journal": st.sampled_from(["Invented Blood", "Invent Blood", "虚构血液学杂志", ""]),
            "volume": st.sampled_from(["7", "8", ""]),
            "issue": st.sampled_from(["2", "02", "S1", ""]),
            "pages": st.sampled_from(["11-19", "11-9", "11", "80", ""]),
            "doi": st.sampled_from(["", "", "10.99999/a", "10.99999/b"]),
            "pmid": st.sampled_from(["", "", "99000001", "99000002"]),
            "trial_ids": st.sampled_from([(), (), ("NCT99999999",)]),
        }
    ),
    min_size=2,
    max_size=9,
)


def named(drawn: list[dict[str, object]]) -> list[Record]:
    return [record(f"r{number}", **fields) for number, fields in enumerate(drawn)]


@given(drawn=RECORDS, order=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=120)
def test_the_answer_does_not_depend_on_the_order_of_the_records(
    drawn: list[dict[str, object]], order: random.Random
) -> None:
    records = named(drawn)
    shuffled = list(records)
    order.shuffle(shuffled)
    assert deduplicate(records) == deduplicate(shuffled)


@given(drawn=RECORDS)
@settings(deadline=None, max_examples=120)
def test_every_record_is_in_one_cluster_and_a_cluster_of_n_has_n_less_one_joins(drawn: list[dict[str, object]]) -> None:
    records = named(drawn)
    found = deduplicate(records)
    members = [member for cluster in found.clusters for member in cluster.members]
    assert sorted(members) == [one.id for one in records]
    for cluster in found.clusters:
        assert cluster.representative in cluster.members
        assert len(cluster.joins) == len(cluster.members) - 1
        reached = {cluster.members[0]}
        for _ in cluster.joins:
            reached |= {
                end
                for join in cluster.joins
                for end in (join.first, join.second)
                if {join.first, join.second} & reached
            }
        assert reached == set(cluster.members)
    for pair in (*found.asks, *found.links):
        assert found.representative[pair.first] != found.representative[pair.second]
        assert isinstance(pair.why, Message)


@given(drawn=RECORDS)
@settings(deadline=None, max_examples=80)
def test_two_pmids_never_meet_in_one_cluster(drawn: list[dict[str, object]]) -> None:
    records = {one.id: one for one in named(drawn)}
    for cluster in deduplicate(records.values()).clusters:
        assert len({records[one].pmid for one in cluster.members} - {""}) <= 1


TEXT = st.text(max_size=30)
WILD = st.fixed_dictionaries(
    dict.fromkeys(
        (
            "title",
            "title_vernacular",
            "authors",
            "journal",
            "volume",
            "issue",
            "pages",
            "doi",
            "pmid",
            "issn",
            "article_number",
        ),
        TEXT,
    )
    | {"year": st.none() | st.integers(-5, 99999), "trial_ids": st.lists(TEXT, max_size=2).map(tuple)}
)


@given(drawn=st.lists(WILD, min_size=2, max_size=4))
@settings(deadline=None, max_examples=60)
def test_whatever_is_printed_is_compared_without_an_error(drawn: list[dict[str, object]]) -> None:
    twice = named([*drawn, *drawn])
    assert sum(len(cluster.members) for cluster in deduplicate(twice).clusters) == len(twice)
