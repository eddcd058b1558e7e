# SPDX-License-Identifier: Apache-2.0
"""Export files for tests of import: invented records drawn by Hypothesis, and the invented files of the data folder."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from sirolens.errors import InputError
from sirolens.evidence.importing import Imported, import_bytes
from sirolens.evidence.record import Author, Notice, NoticeKind, Position, Record, record_id

DATA = Path(__file__).parent / "data"
FORMATS_DATA = DATA / "formats"
EXPORTS = tuple(
    path
    for folder in ("chinese", "formats", "retrieval")
    for path in sorted((DATA / folder).iterdir())
    if path.suffix not in (".md", ".toml")
)

# What breaks writers: signs of every format, of spreadsheets and of LaTeX, and Chinese text.
NASTY = (
    "=1+1", "+1", "-2", "@SUM(A1)", "'", "''=1", '"', '""', ",", "\t", "\r", "\r\n", "\n", "\n\n", "TY  - JOUR",
    "\nER  - \n", "\nAB  - x", "\nER\n", "1.\nTY  - ", "Link to", "{", "}", "{}", "\\", "\\'e", "\\{",
    "@article{x,", "\n@misc{y,\n", "%", "$x_2$", "~", "^", "&amp;", "<b>", "--", " and ", "#", "|", "\x00", "\x0b",
    "\x1c", "\u2028", "\u3000", "西罗莫司", "免疫性血小板减少症", "É", "e\u0301", "\U00020000", "\ufeff",
    "{Reference Type}: ", "%0 ", "PMID- 1",
)  # fmt: skip
CUT_LIKE = re.compile(r"et al|others|等|\.\.\.|…", re.I)
PIECES = st.one_of(st.sampled_from(NASTY), st.text(st.characters(exclude_categories=("Cs",)), max_size=4))
TEXTS = st.lists(PIECES, max_size=4).map("".join)
# A semicolon ends a name or a keyword in every format; a bar parts the parts of a notice.
MEMBERS = TEXTS.map(lambda text: re.sub("[;；|]", " ", text))
KINDS = ("THES", "GEN", "Journal Article", "综述", "Review, Systematic")
DOIS = ("", "10.99999/fake.1", "10.99999/(sici)1(1)2<3::aid-4>3.0.co;2-g", "10.99999/a_b%c#d")
NAMES = st.one_of(
    st.sampled_from(("Zhang, Wei", "张伟", "Doe J", "Invented ITP Study Group")),
    MEMBERS.map(lambda text: re.sub("[{}]", "", text)).filter(lambda text: bool(text) and not CUT_LIKE.search(text)),
)
NOTICES = st.builds(
    Notice,
    kind=st.sampled_from(NoticeKind),
    printed=MEMBERS,
    pmid=st.sampled_from(("", "99000001")),
    doi=st.sampled_from(("", "10.99999/fake.9")),
)
PLACE = Position(sha256="0" * 64, ordinal=1, first_line=1, last_line=1)
# One record with what any export could hold; all of it invented.
RECORDS = st.builds(
    Record,
    id=st.just(record_id(PLACE)),
    source=st.just("ris"),
    position=st.just(PLACE),
    raw=st.just(""),
    title=TEXTS,
    title_vernacular=TEXTS,
    title_translated=st.booleans(),
    authors=st.lists(st.builds(Author, printed=NAMES), max_size=2).map(tuple),
    authors_cut=st.booleans(),
    year=st.integers(1500, 2099),
    month=st.one_of(st.none(), st.integers(1, 12)),
    online_first=st.booleans(),
    journal=TEXTS,
    journal_abbreviation=TEXTS,
    issn=st.sampled_from(("", "0000-0000", "0000-000X 0000-0001")),
    volume=TEXTS,
    issue=TEXTS,
    pages=st.one_of(st.sampled_from(("", "201-206", "1-1", "e12", "201-206+212", "1-2-3", "S1")), TEXTS),
    article_number=TEXTS,
    doi=st.sampled_from(DOIS),
    pmid=st.sampled_from(("", "99000001")),
    pmcid=st.sampled_from(("", "PMC0000001")),
    wos_id=st.sampled_from(("", "WOS:000000000000001")),
    trial_ids=st.sampled_from(((), ("NCT00000000",), ("NCT00000000", "ChiCTR-ONN-00000000"))),
    accession=st.sampled_from(("", "CN-00000001", "L000000001", "12345")),
    database=st.sampled_from(("", "CNKI", "Embase", "PubMed")),
    languages=st.lists(MEMBERS, max_size=2).map(tuple),
    kinds=st.lists(st.sampled_from(("THES", "GEN", "Journal Article", "综述", "Review, Systematic")), max_size=2).map(
        tuple
    ),
    keywords=st.lists(MEMBERS, max_size=3).map(tuple),
    abstract=TEXTS,
    url=st.sampled_from(("", "https://invented.example/a_b?c=%7E&d={1}#e")),
    notices=st.lists(NOTICES, max_size=2).map(tuple),
    retracted=st.booleans(),
)


@cache
def samples() -> dict[str, bytes]:
    """One invented file of each format that the data folder holds: the longest below 20,000 bytes."""
    found: dict[str, bytes] = {}
    for path in EXPORTS:
        if path.stat().st_size < 20_000:
            data = path.read_bytes()
            done = imported(data)
            if done is not None and done.records and len(data) > len(found.get(done.source, b"")):
                found[done.source] = data
    return found


def imported(data: bytes, *, format_name: str | None = None) -> Imported | None:
    """Import bytes; None when they are refused, which is one of the two permitted ends."""
    try:
        return import_bytes(data, name="fuzzed", format_name=format_name)
    except InputError as refused:
        codes = [message.code for message in refused.messages]
    assert "import.lines-lost" not in codes
    return None
