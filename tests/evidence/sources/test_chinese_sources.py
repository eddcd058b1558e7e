# SPDX-License-Identifier: Apache-2.0
"""Every quirk met in real Chinese exports, in files invented for it; oracle: what stands in the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.evidence.importing import import_bytes, import_file
from sirolens.evidence.record import NoticeKind, Record
from sirolens.evidence.sources import (
    cnki_custom,
    cnki_estudy,
    cnki_noteexpress,
    cnki_refer,
    cnki_refworks,
    cnki_table,
    gbt7714,
)
from sirolens.evidence.sources.decode import decode
from sirolens.evidence.sources.text import SIGNATURE, SourceText, Unread

DATA = Path(__file__).parents[1] / "data" / "chinese"
FORMATS: dict[str, ModuleType] = {
    "noteexpress_cnki.net": cnki_noteexpress,
    "noteexpress_wanfang.net": cnki_noteexpress,
    "noteexpress_vip.txt": cnki_noteexpress,
    "refworks_vip.txt": cnki_refworks,
    "refer.txt": cnki_refer,
    "refworks.txt": cnki_refworks,
    "estudy.txt": cnki_estudy,
    "custom.txt": cnki_custom,
    "table.csv": cnki_table,
    "gbt7714.txt": gbt7714,
    "noteexpress_kinds.net": cnki_noteexpress,
    "refer_kinds.txt": cnki_refer,
    "refworks_kinds.txt": cnki_refworks,
    "estudy_kinds.txt": cnki_estudy,
    "gbt7714_kinds.txt": gbt7714,
}
READERS = (cnki_noteexpress, cnki_refer, cnki_refworks, cnki_estudy, cnki_custom, cnki_table, gbt7714)
# Record starts counted by an expression of the test's own, not by the reader's.
STARTS = {
    cnki_noteexpress.NAME: r"\{Reference Type\}",
    cnki_refer.NAME: r"^%0 ",
    cnki_refworks.NAME: r"^RT ",
    cnki_estudy.NAME: r"^DataType",
    cnki_custom.NAME: r"^SrcDatabase",
    cnki_table.NAME: r"^(期刊|硕士),",
    gbt7714.NAME: r"^\[\d",
}


def source(text: str) -> SourceText:
    return SourceText(name="invented.txt", text=text, encoding="utf-8", sha256="0" * 64)


def pieces(name: str) -> list[Record | Unread]:
    file, _ = decode((DATA / name).read_bytes(), name=name)
    return list(FORMATS[name].read(file))


def records(name: str) -> list[Record]:
    return [piece for piece in pieces(name) if isinstance(piece, Record)]


def read(form: ModuleType, text: str) -> list[Record]:
    return [piece for piece in form.read(source(text)) if isinstance(piece, Record)]


def lines_of(found: list[Record | Unread]) -> Iterator[tuple[int, str]]:
    for piece in found:
        first = piece.position.first_line if isinstance(piece, Record) else piece.first_line
        yield from enumerate(piece.raw.split("\n"), first)


@pytest.mark.parametrize("name", FORMATS)
def test_every_line_lies_in_exactly_one_piece_and_records_in_are_records_out(name: str) -> None:
    file, _ = decode((DATA / name).read_bytes(), name=name)
    found = pieces(name)
    kept = [(number, row.strip()) for number, row in lines_of(found) if row.strip()]
    assert kept == [(number, row.strip()) for number, row in enumerate(file.text.split("\n"), 1) if row.strip()]
    counted = [piece for piece in found if isinstance(piece, Record) or piece.counts_as_record]
    assert len(counted) == len(re.findall(STARTS[FORMATS[name].NAME], file.text, re.MULTILINE))
    numbered = [(number, piece) for number, piece in enumerate(counted, 1) if isinstance(piece, Record)]
    assert all(piece.position.ordinal == number for number, piece in numbered)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_is_recognised_by_its_own_reader_only(name: str) -> None:
    file, _ = decode((DATA / name).read_bytes(), name=name)
    scores = {form.NAME: form.detect(file.text[:8000]) for form in READERS}
    best = max(scores, key=lambda one: scores[one])
    assert best == FORMATS[name].NAME
    assert sorted(scores.values())[-2] < scores[best]


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_is_imported_whole_under_its_formats_name(name: str) -> None:
    done = import_file(DATA / name)
    assert done.source == FORMATS[name].NAME
    assert len(done.records) == len(records(name))
    codes = {message.code for message in done.messages}
    assert ("chinese.low-confidence" in codes) is name.startswith("gbt7714")


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "gbt7714.txt"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_file_reads_the_same_in_every_encoding_and_with_either_line_end(name: str, encoding: str) -> None:
    plain = (DATA / name).read_bytes().decode("utf-8-sig")
    file, _ = decode(plain.replace("\n", "\r\n").encode(encoding), name=name)
    assert [piece.raw for piece in FORMATS[name].read(file)] == [piece.raw for piece in pieces(name)]


def test_a_noteexpress_record_of_cnki_gives_its_fields() -> None:
    one = records("noteexpress_cnki.net")[0]
    assert (one.title, one.journal, one.year, one.issue, one.pages) == (
        "西罗莫司虚构研究",
        "虚构血液学杂志",
        2023,
        "03",
        "201-206+212",
    )
    assert (one.kinds, one.issn, one.database) == (("Journal Article",), "0000-0000", "CNKI")
    assert one.keywords == ("西罗莫司", "免疫性血小板减少症", "ITP")
    assert one.unparsed == ()


def test_marks_of_affiliations_leave_the_names() -> None:
    names = records("noteexpress_cnki.net")[0].authors
    assert [(one.printed, one.family, one.given) for one in names] == [
        ("张伟", "张", "伟"),
        ("欧阳芳", "欧阳", "芳"),
        ("王芳", "王", "芳"),
    ]


def test_an_abstract_keeps_its_paragraphs_and_loses_only_the_formats_own_signs() -> None:
    first, _, _, english, *_ = records("noteexpress_cnki.net")
    assert first.abstract == "目的 观察Ca²⁺与H₃PO₄。方法 2~4 mg/d。\n结果 虚构有效。\n结论 虚构。"
    assert english.abstract == "Objective: invented.\nResults: invented."
    assert english.title == "Sirolimus in invented thrombocytopenia"


def test_a_full_width_colon_and_a_missing_space_are_read() -> None:
    second = records("noteexpress_cnki.net")[1]
    assert (second.title, second.year, second.volume, second.issue) == ("雷帕霉素虚构研究二", 2021, "8", "S2")
    assert [one.printed for one in second.authors] == ["李娜", "陈静"]
    assert second.doi == "10.99999/j.fake.2021.s2.002"


def test_a_doi_is_found_inside_the_link() -> None:
    assert records("noteexpress_cnki.net")[0].doi == "10.99999/j.fake.2023.03.001"
    assert records("refworks.txt")[1].doi == "10.99999/j.fake.2020.001"


def test_odd_tags_are_known_and_an_unknown_one_is_listed_with_its_line() -> None:
    _, _, thesis, english, *_ = records("noteexpress_cnki.net")
    assert thesis.unparsed == ()
    assert (thesis.journal, thesis.kinds) == ("虚构大学", ("Thesis", "硕士"))
    assert english.unparsed == ((50, "{Mystery Field}: something new"), (52, "第二批导出"))


def test_foreign_names_without_a_comma_stay_whole() -> None:
    names = records("noteexpress_cnki.net")[3].authors
    assert [(one.printed, one.family, one.given, one.initials) for one in names] == [
        ("Kim Judy S", "", "", ""),
        ("Doe, John", "Doe", "John", ""),
        ("ZHANG W", "ZHANG", "", "W"),
    ]


def test_an_online_first_paper_is_told_by_its_missing_numbers() -> None:
    english, news = records("noteexpress_cnki.net")[3:5]
    assert (english.year, english.month, english.online_first) == (2026, 1, True)
    assert (news.year, news.online_first) == (2022, False)
    assert [one.online_first for one in records("estudy.txt")] == [False, True, False, False]


def test_a_second_file_pasted_behind_the_first_is_read_on() -> None:
    last = records("noteexpress_cnki.net")[-1]
    assert (last.title, last.journal, last.pages) == ("第二个文件接在后面的虚构研究", "虛構醫學雜誌", "1106-1111+1117")
    assert [one.collective for one in last.authors] == [True]


def test_half_a_record_at_the_end_counts_and_is_shown() -> None:
    last = pieces("noteexpress_cnki.net")[-1]
    assert isinstance(last, Unread)
    assert (last.counts_as_record, last.raw) == (True, "{Reference Type}: Journal Article\n{Ti")
    assert last.reason.code == "chinese.no-title"


CLOSED = {
    "noteexpress": (
        "{{Reference Type}}: Journal Article\n{{Title}}: 虚构{}\n{{Abstract}}: 目的 虚构。\n"
        "{{Database Provider}}: CNKI\n\n"
    ),
    "refer": "%0 Journal Article\n%T 虚构{}\n%X 目的 虚构。\n%W CNKI\n\n",
    "refworks": "RT Journal Article\nSR 1\nT1 虚构{}\nAB 目的 虚构。\nDS CNKI\n\n",
    "estudy": "DataType: 1\nTitle-题名: 虚构{}\nSummary-摘要: 目的 虚构。\nOrgan-机构: 虚构医院\n",
}


@pytest.mark.parametrize("name", CLOSED)
def test_a_last_record_without_the_end_that_all_others_have_is_told_as_cut(name: str) -> None:
    whole = "".join(CLOSED[name].format(n) for n in range(3))
    cut = whole[: whole.rindex("虚构。") + 1]  # in the middle of the abstract
    done = import_bytes(cut.encode(), name="invented")
    line = cut.count("\n") + 1
    assert [one.title for one in done.records] == ["虚构0", "虚构1", "虚构2"]
    assert done.records[-1].unparsed == ((line, cut.split("\n")[-1]),)
    (told,) = done.messages
    assert told.place is not None
    assert (told.code, told.place.line) == ("import.end-unsure", line)
    assert import_bytes(whole.encode(), name="invented").messages == ()


def test_records_that_end_in_different_ways_make_nobody_doubt_the_last() -> None:
    text = (
        "RT Journal Article\nSR 1\nT1 虚构\nDS CNKI\nLK https://x.example/1\n\nRT Patent\nSR 1\nT1 虚构二\nDS CNKI\n\n"
    )
    text += "RT Thesis\nSR 1\nT1 虚构三\nYR 2020\n"
    assert import_bytes(text.encode(), name="invented").messages == ()


def test_wanfang_repeats_authors_and_prints_a_second_title() -> None:
    one = records("noteexpress_wanfang.net")[0]
    assert [(who.family, who.given) for who in one.authors] == [("张", "伟"), ("王", "芳"), ("歐陽", "修")]
    assert (one.title_vernacular, one.title_translated) == ("Invented study of sirolimus", False)
    assert (one.keywords, one.languages) == (("西罗莫司", "免疫性血小板减少症"), ("chi",))
    assert one.unparsed == ()  # addresses go on behind blank lines


def test_vip_prints_a_space_before_a_colon_and_blanks_between_records() -> None:
    first, second = records("noteexpress_vip.txt")
    assert (first.volume, first.keywords, len(first.authors)) == ("44", ("西罗莫司", "免疫性血小板减少症"), 2)
    assert (second.abstract, second.unparsed) == ("", ())


def test_vip_prints_authors_and_keywords_behind_the_abstract() -> None:
    (one,) = records("refworks_vip.txt")
    assert ([who.printed for who in one.authors], one.keywords) == (["张伟", "王芳"], ("西罗莫司", "ITP"))
    assert (one.abstract, one.volume, one.issue) == ("目的 虚构。\n方法 虚构。", "44", "3")


def test_refer_authors_on_one_line_two_page_fields_and_the_stray_line() -> None:
    one = records("refer.txt")[0]
    assert [(who.family, who.given) for who in one.authors] == [("张", "伟"), ("王", "芳"), ("诸葛", "亮亮")]
    assert (one.pages, one.doi, one.accession) == ("201-206+212", "10.99999/j.fake.2023.03.001", "FAKE202303001")
    assert one.abstract == "有效率为60\n% 以虚构数据计。"
    assert one.unparsed == ((14, "PageCount-页码 0"),)


def test_refer_theses_and_standards_are_read() -> None:
    _, thesis, standard, bulk = records("refer.txt")
    assert (thesis.journal, thesis.kinds) == ("虚构大学", ("Thesis", "博士"))
    assert (standard.kinds, standard.issn, standard.authors) == (("Legal Rule or Regulation",), "", ())
    assert [who.printed for who in bulk.authors] == ["Kim, Judy S", "Doe John"]
    assert bulk.online_first is False


def shown(name: str) -> list[tuple[str, list[str], str, int | None, int | None, str]]:
    return [
        (one.kinds[0], [who.printed for who in one.authors], one.journal, one.year, one.month, one.pages)
        for one in records(name)
    ]


def test_every_kind_of_publication_of_noteexpress_is_read() -> None:
    assert shown("noteexpress_kinds.net") == [
        (
            "Conference Proceedings",
            ["张伟", "王芳", "李娜"],
            "虚构血液学年会",
            2018,
            None,
            "9",
        ),  # commas, as in old records
        ("Patent", ["张伟", "王芳"], "", 2020, 5, ""),
        ("Standard", [], "", 2010, 1, ""),
        ("Book", ["赵强"], "", 2011, None, ""),
    ]
    # The numbers of a patent and of a standard are no ISSN.
    assert [one.issn for one in records("noteexpress_kinds.net")] == ["", "", "", ""]


def test_every_kind_of_publication_of_refer_is_read() -> None:
    assert shown("refer_kinds.txt") == [
        ("Conference Proceedings", ["张伟", "王芳"], "虚构血液学年会", 2018, 10, "9"),
        ("Patent", ["张伟", "王芳"], "", 2020, 5, ""),
        ("Newspaper Article", ["李娜"], "虚构日报", 2022, 5, "003"),
        ("Thesis", ["赵强"], "虚构大学", 2021, None, ""),  # the university behind %J; supervisors are no authors
    ]
    assert [one.issn for one in records("refer_kinds.txt")] == ["", "", "", ""]


def test_every_kind_of_publication_of_refworks_is_read() -> None:
    assert shown("refworks_kinds.txt") == [
        ("Conference Proceeding", ["张伟", "王芳"], "虚构会议论文集", 2018, None, "33-35"),
        ("Patent", ["张伟"], "", 2020, 5, ""),
        ("Newspaper Article", ["李娜"], "虚构日报", 2022, 5, "003"),
        ("Other Article", ["虚构课题组"], "虚构年鉴", 2020, None, ""),
    ]
    conference, patent, _, other = records("refworks_kinds.txt")
    assert (conference.accession, patent.accession, other.doi) == (
        "FAKEH201801",
        "CN000000000A",
        "10.99999/fake.2020.004",
    )
    assert other.authors[0].collective


def test_newspapers_and_yearbooks_of_estudy_and_patents_and_books_of_gbt7714_are_read() -> None:
    assert shown("estudy_kinds.txt") == [
        ("Newspaper Article", ["李娜"], "虚构日报", 2022, 5, ""),
        ("Yearbook", [], "虚构年鉴", 2020, None, ""),
    ]
    assert not any(one.online_first for one in records("estudy_kinds.txt"))
    assert [(one.kinds[0], one.title, one.year, one.pages) for one in records("gbt7714_kinds.txt")] == [
        ("Patent", "一种虚构的检测方法", 2020, ""),
        ("Book", "虚构血液学", 2011, "3-5"),
        ("Standard", "FAKE/T 0000-2010,虚构标准", 2010, ""),
    ]


@pytest.mark.parametrize("name", [name for name in FORMATS if "_kinds." in name])
def test_no_line_of_any_kind_of_publication_is_unread(name: str) -> None:
    assert [piece for piece in pieces(name) if isinstance(piece, Unread)] == []
    assert [one.unparsed for one in records(name) if one.unparsed] == []


def test_a_stray_return_inside_a_field_becomes_a_space() -> None:
    text = "{Reference Type}: Journal Article\r\n{Title}: 西罗莫司\r虚构研究\r\n{Year}: 2023\r\n"
    done = import_bytes(text.encode(), name="a.net")
    assert [(one.title, one.year) for one in done.records] == [("西罗莫司 虚构研究", 2023)]
    assert [message.code for message in done.messages] == ["import.returns-inside"]


def test_an_abstract_line_of_refworks_that_starts_with_two_capitals_is_no_tag() -> None:
    one = records("refworks.txt")[0]
    assert one.abstract.split("\n") == [
        "目的 虚构。",
        "AD 患者的认知是虚构的。",
        "IS 评分也是虚构的。",
        "CT 检查没有做。",
        "DS 评分高于3分。CNKI没有规定",
    ]
    assert (one.issue, one.volume, one.issn, one.database) == ("03", "44", "0000-0000", "CNKI")
    assert [who.printed for who in one.authors] == ["张伟", "王芳", "李娜"]
    assert one.url == "https://kns.cnki.net/fake?FileName=FAKE202303001&DbName=FAKE"
    assert (one.languages, one.unparsed) == (("中文",), ())


def test_refworks_theses_and_standards_are_read() -> None:
    _, thesis, standard = records("refworks.txt")
    assert (thesis.journal, thesis.kinds) == ("虚构大学", ("Dissertation/Thesis", "硕士"))
    assert (standard.year, standard.authors[0].collective) == (2010, True)


def test_estudy_records_need_no_blank_line_and_keep_a_key_inside_a_summary() -> None:
    first, _, thesis, paper = records("estudy.txt")
    assert first.abstract == "目的 虚构。\nIgG-抗体: 虚构阳性。"
    assert (first.pages, first.volume, first.issue, first.month) == ("201-206", "44", "03", 3)
    assert (first.accession, first.database) == ("FAKE202303001", "CNKI")
    assert thesis.kinds == ("Thesis", "博士")
    assert thesis.unparsed == ((33, "Color-颜色: 蓝"),)
    assert (paper.journal, paper.month, paper.pages, paper.unparsed) == ("虚构会议论文集", 10, "", ())


def test_in_the_custom_export_the_page_count_key_holds_the_pages() -> None:
    first, thesis = records("custom.txt")
    assert (first.pages, first.doi, first.issn) == ("201-206", "10.99999/j.fake.2023.03.001", "0000-0000")
    assert (first.kinds, first.journal, first.unparsed) == (("期刊",), "虚构血液学杂志", ())
    assert (thesis.kinds, thesis.journal) == (("硕士",), "虚构大学")


def test_the_spreadsheet_twin_saved_as_csv_is_read() -> None:
    first, thesis = records("table.csv")
    assert [who.printed for who in first.authors] == ["张伟", "王芳"]
    assert (first.abstract, first.keywords) == ('目的 "虚构",观察。\n方法 虚构。', ("西罗莫司", "ITP"))
    assert (first.volume, first.issue, first.pages, first.year, first.month) == ("44", "03", "201-206", 2023, 3)
    assert (thesis.kinds, thesis.year) == (("硕士",), 2020)
    header = pieces("table.csv")[0]
    assert isinstance(header, Unread)
    assert header.reason.values["columns"] == ("Cited-被引",)


def test_gbt7714_titles_hold_stops_and_commas_and_lists_are_cut() -> None:
    found = records("gbt7714.txt")
    assert found[0].title == "西罗莫司治疗ITP.一项3.5年,随访的虚构研究"
    assert [who.printed for who in found[0].authors] == ["张伟", "王芳", "李娜"]
    assert (found[0].authors_cut, found[4].authors_cut, found[1].authors_cut) == (True, True, False)
    shape = [(one.journal, one.year, one.volume, one.issue, one.pages) for one in found]
    assert shape == [
        ("虚构血液学杂志", 2008, "", "05", "915-924"),
        ("虚构大学", 2020, "", "", ""),
        ("虚构会议论文集", 2020, "", "", "33-35"),
        ("虚构日报", 2020, "", "", "003"),
        ("Invented Blood", 2019, "40", "3", "201-206"),
        ("虚构血液学杂志", 2024, "", "", "1-9"),
        ("虚构杂志", 2019, "40", "", "201-206"),
        ("北京:虚构出版社", 2020, "", "", ""),
    ]
    assert [one.doi for one in found if one.doi] == ["10.99999/j.fake.2019.03.001", "10.99999/j.fake.2024.01.001"]
    assert [one.online_first for one in found].index(True) == 5


def test_gbt7714_entries_without_a_type_are_shown_as_unread() -> None:
    unread = [piece for piece in pieces("gbt7714.txt") if isinstance(piece, Unread)]
    assert [(piece.raw, piece.counts_as_record) for piece in unread] == [
        ("参考文献：", False),
        ("[8]西罗莫司虚构说明书", True),
    ]


def test_a_gbt7714_list_without_numbers_is_read_line_by_line() -> None:
    text = "张伟.虚构研究[J].虚构杂志,2020(1):1-2.\n王芳.虚构研究二[D].虚构大学,2021.\n来自网络\n"
    assert gbt7714.detect(text) > 0
    assert [one.year for one in read(gbt7714, text)] == [2020, 2021]


def test_lines_of_another_format_are_set_apart_and_not_read_as_an_abstract() -> None:
    text = (
        "{Reference Type}: Journal Article\n{Title}: 虚构\n{Abstract}: 目的\n\nTY  - JOUR\nTI  - Invented\nER  - \n"
        "{Reference Type}: Thesis\n{Title}: 虚构二\n"
    )
    first, other, second = cnki_noteexpress.read(source(text))
    assert isinstance(first, Record)
    assert isinstance(other, Unread)
    assert (first.abstract, other.reason.code, other.first_line, other.last_line) == (
        "目的",
        "chinese.other-format",
        5,
        7,
    )
    assert isinstance(second, Record)
    assert second.position.ordinal == 2


@pytest.mark.parametrize("form", READERS)
def test_a_file_of_something_else_is_neither_recognised_nor_lost(form: ModuleType) -> None:
    text = "dose_mg,level_ng_ml\n2,7.2\n"
    assert form.detect(text) == 0
    assert [piece.raw for piece in form.read(source(text)) if isinstance(piece, Unread)]


def test_titles_that_say_so_flag_a_retraction() -> None:
    text = "%0 Journal Article\n%T [撤稿]虚构研究\n%0 Journal Article\n%T 关于虚构研究的撤稿声明\n"
    gone, notice = read(cnki_refer, text)
    assert (gone.retracted, notice.retracted) == (True, False)
    assert notice.notices[0].kind is NoticeKind.RETRACTION_OF


def test_estudy_is_not_taken_for_a_custom_export_where_its_records_meet() -> None:
    text = (DATA / "estudy.txt").read_text(encoding="utf-8")
    inside = text[text.index("SrcDatabase") :]
    assert cnki_custom.detect(inside) < SIGNATURE


@pytest.mark.parametrize(
    ("make", "form"),
    [
        (lambda n: f"{{Reference Type}}: Journal Article\n{{Title}}: 虚构{n}\n{{Year}}: 2020\n\n", cnki_noteexpress),
        (lambda n: f"%0 Journal Article\n%A 张伟\n%T 虚构{n}\n\n", cnki_refer),
        (lambda n: f"RT Journal Article\nSR 1\nT1 虚构{n}\nAB 目的\n\n", cnki_refworks),
        (lambda n: f"DataType: 1\nTitle-题名: 虚构{n}\n", cnki_estudy),
        (lambda n: f"SrcDatabase-来源库:期刊\nTitle-题名:虚构{n}\n\n", cnki_custom),
        (lambda n: f"[{n + 1}]张伟.虚构{n}[J].虚构,2020(1):1-2.\n", gbt7714),
    ],
)
def test_many_records_come_out_in_order(make: Callable[[int], str], form: ModuleType) -> None:
    found = read(form, "".join(make(n) for n in range(300)))
    assert [one.title for one in found] == [f"虚构{n}" for n in range(300)]
    assert [one.position.ordinal for one in found] == list(range(1, 301))


SCRAPS = st.sampled_from(
    """
{Reference Type}: Journal Article|{Title}：|{|}:|%0 Thesis|%A 张%A 李|%P|RT Patent|SR 1|A1张|AB |DataType: 1
|Title-题名: 虚构|SrcDatabase-来源库:期刊|[1]甲.乙[J].丙,2020(1):1.|[2]|[J]|TY  - JOUR|\ufeff|\u3000|等|10.99999/x
|~(2+)|(#br)|PageCount-页码 0|;
| |虚构|""".replace("\n", "").split("|")
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(SCRAPS, st.text(max_size=12)), max_size=14), st.sampled_from(READERS))
def test_no_rubbish_crashes_a_reader_or_loses_a_line(rows: list[str], form: ModuleType) -> None:
    text = "\n".join(rows).replace("\r", " ")
    found = list(form.read(source(text)))
    kept = [row.strip() for _, row in lines_of(found) if row.strip()]
    assert kept == [row.strip() for row in text.split("\n") if row.strip()]
