# SPDX-License-Identifier: Apache-2.0
"""English-Chinese matches on the invented set: no false merge, at least nine in ten found, few questions."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from tests.evidence.dedup_records import BILINGUAL, bilingual, merged, record

from sirolens.evidence.dedup.deduplicate import Duplicates, deduplicate
from sirolens.evidence.dedup.journals import Agreement, compare_journals

RECALL = 0.9  # the bar of the project
ASKED = 0.01  # of the records

ZH = "西罗莫司治疗免疫性血小板减少症86例的虚构研究"
CNKI: dict[str, Any] = {
    "title": ZH,
    "authors": "张伟明; 单晓峰; 吕思佳",
    "journal": "虚构血液学杂志",
    "year": 2021,
    "volume": "",
    "issue": "03",
    "pages": "201-206+212",
    "source": "cnki-noteexpress",
    "database": "CNKI",
}
PUBMED: dict[str, Any] = {
    "title": "An invented study of sirolimus in 86 patients with immune thrombocytopenia",
    "title_translated": True,
    "authors": "Zhang WM; Shan XF; Lyu SJ",
    "journal": "Xu Gou Xue Ye Xue Za Zhi",
    "year": 2021,
    "volume": "42",
    "issue": "3",
    "pages": "201-6",
    "pmid": "99000001",
    "source": "pubmed-nbib",
}


@cache
def _all() -> tuple[list[dict[str, Any]], Duplicates]:
    pairs = bilingual()
    return pairs, deduplicate([one for pair in pairs for one in pair["records"]])


def _one(pair: dict[str, Any], found: Duplicates) -> bool:
    first, second = pair["records"]
    return found.representative[first.id] == found.representative[second.id]


def test_the_set_is_large_enough_and_says_that_it_is_invented() -> None:
    pairs, _ = _all()
    assert sum(pair["same"] for pair in pairs) >= 200
    assert sum(not pair["same"] for pair in pairs) >= 100
    assert "invented" in json.loads(BILINGUAL.read_text(encoding="utf-8").splitlines()[0])["note"]


def test_no_two_papers_of_the_set_are_merged() -> None:
    _, found = _all()
    mixed = [
        cluster.members for cluster in found.merged if len({name.rsplit("-", 1)[0] for name in cluster.members}) > 1
    ]
    assert mixed == []


def test_no_hard_negative_is_merged() -> None:
    pairs, found = _all()
    assert [pair["why"] for pair in pairs if not pair["same"] and _one(pair, found)] == []


def test_nine_of_ten_true_pairs_are_found_and_few_questions_asked() -> None:
    pairs, found = _all()
    true = [pair for pair in pairs if pair["same"]]
    assert sum(_one(pair, found) for pair in true) >= RECALL * len(true)
    assert len(found.asks) <= ASKED * 2 * len(pairs)


def test_all_undamaged_true_pairs_are_found() -> None:
    pairs, found = _all()
    assert [pair["pair"] for pair in pairs if pair["same"] and not pair["why"] and not _one(pair, found)] == []


def test_place_and_names_across_scripts_are_enough() -> None:
    found = deduplicate([record("en", **PUBMED), record("zh", **CNKI)])
    assert [join.rule for join in found.merged[0].joins] == ["chinese-english"]


def test_the_vernacular_title_is_enough_without_pages() -> None:
    assert merged(record("en", **(PUBMED | {"title_vernacular": f"{ZH}."})), record("zh", **(CNKI | {"pages": ""})))


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "依维莫司治疗免疫性血小板减少症86例的虚构研究", "authors": "张伟明", "journal": "另一虚构杂志"},
        {"authors": "王芳; 李娜; 赵敏"},
        {"authors": "张丽; 单晓峰; 吕思佳"},
        {"issue": "04"},
        {"pages": "301-306"},
        {"year": 2015},
        {"volume": "41"},
    ],
)
def test_a_contradiction_across_scripts_keeps_apart(changed: dict[str, Any]) -> None:
    assert not merged(record("en", **PUBMED), record("zh", **(CNKI | changed)))


def test_two_chinese_titles_that_differ_keep_apart_what_the_place_would_join() -> None:
    english = record(
        "en", **(PUBMED | {"title_vernacular": "达那唑治疗再生障碍性贫血的虚构分析", "journal": "Fictional Letters"})
    )
    assert not merged(english, record("zh", **CNKI))


def test_two_chinese_databases_print_one_paper() -> None:
    wanfang = CNKI | {
        "title": "西羅莫司治療免疫性血小板減少症86例的虛構研究",
        "authors": "张伟明; 单晓峰",
        "authors_cut": True,
    }
    assert merged(
        record("a", **CNKI), record("b", **(wanfang | {"pages": "201-206", "volume": "42", "database": "Wanfang"}))
    )


def test_a_common_chinese_title_by_others_is_another_paper() -> None:
    other = CNKI | {"authors": "王芳; 李娜", "journal": "虚构内科杂志", "pages": "55-57", "year": 2018}
    assert not merged(record("a", **CNKI), record("b", **other))


def test_parts_in_chinese_are_two() -> None:
    first, second = (CNKI | {"title": f"{ZH}（{part}）"} for part in "上下")
    assert not merged(record("a", **first), record("b", **(second | {"pages": "207-210"})))


@pytest.mark.parametrize(
    ("chinese", "latin", "same"),
    [
        ("中华血液学杂志", "Zhonghua Xue Ye Xue Za Zhi", Agreement.SAME),
        ("中華血液學雜誌", "Zhonghua xueyexue zazhi", Agreement.SAME),
        ("中华血液学杂志", "Chinese journal of hematology", Agreement.SAME),
        ("中国实验血液学杂志", "J Exp Hematol", Agreement.SAME),
        ("临床血液学杂志", "Journal of Clinical Hematology", Agreement.SAME),
        ("中华血液学杂志", "Blood", Agreement.UNKNOWN),
        ("中华内科杂志", "Chinese Journal of Hematology", Agreement.UNKNOWN),
        ("中华血液学杂志", "中国实验血液学杂志", Agreement.DIFFERENT),
        ("中华临床医师杂志(电子版)", "中华临床医师杂志", Agreement.DIFFERENT),
    ],
)
def test_journals_across_languages(chinese: str, latin: str, same: Agreement) -> None:
    assert compare_journals(chinese, latin) is same
