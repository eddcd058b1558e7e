# SPDX-License-Identifier: Apache-2.0
"""Damaged files of PubMed, Web of Science and registers: a told refusal, or an import that loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.errors import InputError
from sirolens.evidence.importing import first_fault, import_bytes
from sirolens.evidence.sources.registry import format_named
from sirolens.evidence.sources.text import SourceText

FOLDER = Path(__file__).parents[1] / "data" / "retrieval"
FILES = {
    "pubmed.nbib": "pubmed-nbib",
    "pubmed.xml": "pubmed-xml",
    "wos_tagged.txt": "wos-tagged",
    "wos_tab.txt": "wos-tab",
    "ictrp.xml": "register-xml",
    "clinicaltrials.csv": "register-csv",
    "clinicaltrials.json": "clinicaltrials-json",
}


@st.composite
def damage(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """Cut something out, put something in, or cut off the end; a few times."""
    steps = draw(
        st.lists(st.tuples(st.floats(0, 1), st.integers(0, 300), st.binary(max_size=8)), min_size=1, max_size=3)
    )

    def damaged(data: bytes) -> bytes:
        for where, length, new in steps:
            start = int(where * len(data))
            data = data[:start] + new + data[start + length :]
        return data

    return damaged


@pytest.mark.parametrize(("file", "name"), FILES.items())
def test_a_damaged_file_is_read_whole_or_refused_by_name(file: str, name: str) -> None:
    data = (FOLDER / file).read_bytes()

    @settings(deadline=None, max_examples=30)
    @given(damage())
    def check(damaged: Callable[[bytes], bytes]) -> None:
        # `import_bytes` itself refuses a file of which a line would be lost: that refusal must never be met.
        whole = damaged(data)
        text = whole.decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
        codes = set()
        try:
            import_bytes(whole, name=file)
        except InputError as fault:
            codes = {one.code for one in fault.messages}
        assert "import.lines-lost" not in codes
        lost, codes = None, set()
        try:
            source = SourceText(name=file, text=text, encoding="utf-8", sha256="0" * 64)
            lost = first_fault(text, list(format_named(name).read(source)))
        except InputError as fault:
            codes = {one.code for one in fault.messages}
        assert lost is None
        assert codes <= {"retrieval.xml-entity"}

    check()


@pytest.mark.parametrize(("file", "name"), FILES.items())
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_each_file_is_recognised_by_its_content_in_every_encoding(file: str, name: str, encoding: str) -> None:
    text = (FOLDER / file).read_text(encoding="utf-8")
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError:
        pytest.fail("the fixture has characters outside GB18030")
    plain = import_bytes(text.encode(), name="a.dat")
    found = import_bytes(data, name="misnamed.pdf")
    assert (found.source, len(found.records)) == (name, len(plain.records))
    assert [one.title for one in found.records] == [one.title for one in plain.records]


HARD = {
    "pubmed-xml": "<?a?><!-- b -->" * 2000 + "x",
    "register-xml": "<?a?><!-- b -->" * 2000 + "x",
    "clinicaltrials-json": '{"studies": [' + "1" * 20_000 + "x",
    "wos-starter": '{"hits": [' + "1" * 20_000 + "x",
    "pubmed-nbib": "PMID- 1\nTI  - a\n" + "      \n" * 5000 + "x",
    "wos-tagged": "PT J\nTI a\n" + "   \n" * 5000 + "x",
    "register-csv": "NCT Number,Study Title,Phases\n" + '"' * 9_999,
    "wos-tab": "PT\tAU\tTI\tSO\tPY\tUT\n" + "\t" * 20_000 + "x",
}


@pytest.mark.parametrize(("name", "text"), HARD.items(), ids=HARD.keys())
def test_texts_made_to_be_matched_in_many_ways_are_read_at_once(name: str, text: str) -> None:
    # A pattern that tries every way would not come back from these in a lifetime.
    one = format_named(name)
    one.detect(text[:8000])
    assert first_fault(text, list(one.read(SourceText(name="a", text=text, encoding="utf-8", sha256="0" * 64)))) is None
