# SPDX-License-Identifier: Apache-2.0
"""Records written by this test in the shapes of Chinese exports come back as they were; oracle: what was written."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import final

from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.evidence.record import Record
from sirolens.evidence.sources import cnki_custom, cnki_estudy, cnki_noteexpress, cnki_refer, cnki_refworks, gbt7714
from sirolens.evidence.sources.decode import decode

WORDS = st.text(alphabet="西罗莫司雷帕霉素免疫性血小板减少症研究观察疗效虚构甲乙丙", min_size=2, max_size=14)
NAMES = st.text(alphabet="张王李赵陈", min_size=1, max_size=1).flatmap(
    lambda family: st.text(alphabet="伟芳娜敏静磊", min_size=1, max_size=2).map(lambda given: family + given)
)


@final
@dataclass(frozen=True)
class Paper:
    title: str
    names: tuple[str, ...]
    journal: str
    year: int
    volume: str
    issue: str
    pages: str
    doi: str
    keywords: tuple[str, ...]
    abstract: str


@st.composite
def papers(draw: st.DrawFn) -> Paper:
    first = draw(st.integers(2, 900))
    return Paper(
        title=draw(WORDS) + draw(st.sampled_from(("", ".一项随访,虚构", "：ITP", "(一)"))),
        names=tuple(draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))),
        journal=draw(WORDS) + "杂志",
        year=draw(st.integers(1990, 2026)),
        volume=draw(st.sampled_from(("", "8", "44"))),
        issue=draw(st.sampled_from(("03", "12", "S2", "Z1"))),
        pages=f"{first}-{first + 5}" + draw(st.sampled_from(("", f"+{first + 9}"))),
        doi=draw(st.sampled_from(("", "10.99999/j.fake.2023.03.001", "10.99999/s0000-0000(20)00001-x"))),
        keywords=tuple(draw(st.lists(WORDS, min_size=1, max_size=3, unique=True))),
        abstract="\n".join(draw(st.lists(WORDS, min_size=1, max_size=3))),
    )


def noteexpress(one: Paper, quirk: int) -> str:
    colon = (": ", "：", ":", " : ")[quirk]
    names = (
        [f"{{Author}}{colon}{name}" for name in one.names]
        if quirk == 1
        else [f"{{Author}}{colon}{';'.join(one.names)};"]
    )
    rows = ["{Reference Type}: Journal Article ", f"{{Title}}{colon}{one.title}", *names]
    rows += [f"{{Journal}}{colon}{one.journal}", f"{{Year}}{colon}{one.year}", f"{{Volume}}{colon}{one.volume}"]
    rows += [f"{{Issue}}{colon}{one.issue}", f"{{Pages}}{colon}{one.pages}", f"{{DOI}}{colon}{one.doi}"]
    rows += [f"{{Keywords}}{colon}{';;'.join(one.keywords)}", f"{{Abstract}}{colon}<正>{one.abstract}", "", ""]
    return "\n".join(rows)


def refer(one: Paper, quirk: int) -> str:
    joined = ["".join(f"%A {name}" for name in one.names)]
    rows = ["%0 Journal Article", *(joined if quirk else [f"%A {name}" for name in one.names])]
    rows += [f"%T {one.title}", f"%J {one.journal}", f"%D {one.year}", f"%V {one.volume}", f"%N {one.issue}"]
    rows += [
        f"%K {';'.join(one.keywords)}",
        f"%X {one.abstract}",
        "%P 6",
        f"%P {one.pages}",
        f"%R {one.doi}",
        "%W CNKI",
        "",
    ]
    return "\n".join(rows)


def refworks(one: Paper, quirk: int) -> str:
    rows = ["RT Journal Article", "SR 1", f"A1{' ' if quirk else ''}{';'.join(one.names)}", f"T1 {one.title}"]
    rows += [f"JF {one.journal}", f"YR {one.year}", f"IS {one.issue}", f"{'vo' if quirk else 'VO'} {one.volume}"]
    rows += [
        f"OP {one.pages}",
        f"K1 {';'.join(one.keywords)}",
        f"AB {one.abstract}",
        f"DO {one.doi}",
        "DS CNKI",
        "",
        "",
    ]
    return "\n".join(rows)


def estudy(one: Paper, quirk: int) -> str:
    rows = [
        "DataType: 1",
        f"Title-题名: {one.title}",
        f"Author-作者: {';'.join(one.names)};",
        f"Source-刊名: {one.journal}",
    ]
    rows += [f"Year-年: {one.year}", f"Keyword-关键词: {';'.join(one.keywords)}", f"Summary-摘要: {one.abstract}"]
    rows += [f"Period-期: {one.issue}", f"Roll-卷: {one.volume}", "PageCount-页数: 6", f"Page-页码: {one.pages}"]
    return "\n".join([*rows, f"DOI-DOI: {one.doi}", ""])


def custom(one: Paper, quirk: int) -> str:
    gap = " " if quirk else ""
    rows = [f"SrcDatabase-来源库:{gap}期刊", f"Title-题名:{gap}{one.title}", f"Author-作者:{gap}{';'.join(one.names)};"]
    rows += [f"Source-文献来源:{gap}{one.journal}", f"Keyword-关键词:{gap}{';;'.join(one.keywords)}"]
    rows += [f"Summary-摘要:{gap}{one.abstract}", f"Year-年:{gap}{one.year}", f"Volume-卷:{gap}{one.volume}"]
    return "\n".join(
        [*rows, f"Period-期:{gap}{one.issue}", f"PageCount-页码:{gap}{one.pages}", f"DOI-DOI:{gap}{one.doi}", "", ""]
    )


def reference(one: Paper, quirk: int) -> str:
    names = ",".join(one.names[:3]) + ("等" if len(one.names) > 3 else "")
    volume = f",{one.volume}" if one.volume else ""
    doi = f".DOI:{one.doi}." if one.doi else "."
    return f"[{quirk + 1}]{names}.{one.title}[J].{one.journal},{one.year}{volume}({one.issue}):{one.pages}{doi}\n"


WRITERS = (
    (cnki_noteexpress, noteexpress),
    (cnki_refer, refer),
    (cnki_refworks, refworks),
    (cnki_estudy, estudy),
    (cnki_custom, custom),
    (gbt7714, reference),
)


def came_back(form: ModuleType, one: Record) -> Paper:
    short = form is gbt7714
    return Paper(
        title=one.title,
        names=tuple(who.printed for who in one.authors),
        journal=one.journal,
        year=one.year or 0,
        volume=one.volume,
        issue=one.issue,
        pages=one.pages,
        doi=one.doi,
        keywords=() if short else one.keywords,
        abstract="" if short else one.abstract,
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(papers(), min_size=1, max_size=4),
    st.sampled_from(WRITERS),
    st.integers(0, 3),
    st.sampled_from(("utf-8", "utf-8-sig", "gb18030", "utf-16")),
    st.sampled_from(("\n", "\r\n")),
)
def test_what_was_written_is_read(
    written: list[Paper],
    writer: tuple[ModuleType, object],
    quirk: int,
    encoding: str,
    end: str,
) -> None:
    form, write = writer
    assert callable(write)
    text = "".join(write(one, quirk) for one in written)
    if encoding == "gb18030" and form is gbt7714:
        encoding = "utf-8"  # too few characters to tell the encoding by
    file, _ = decode(text.replace("\n", end).encode(encoding), name="invented.txt")
    found = list(form.read(file))
    assert all(isinstance(one, Record) for one in found)
    read = [came_back(form, one) for one in found if isinstance(one, Record)]
    if form is gbt7714:
        expected = [Paper(**{**vars(one), "names": one.names[:3], "keywords": (), "abstract": ""}) for one in written]
        assert [one.authors_cut for one in found if isinstance(one, Record)] == [len(one.names) > 3 for one in written]
    else:
        expected = written
    assert read == expected
    assert not any(one.unparsed for one in found if isinstance(one, Record))
