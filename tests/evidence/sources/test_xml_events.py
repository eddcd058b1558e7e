# SPDX-License-Identifier: Apache-2.0
"""Tests of evidence.sources.xml_events: harm is refused, faults stay in their record, no text is lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.errors import InputError
from sirolens.evidence.sources.xml_events import DEEPEST, document, pieces, text_of

BOMB = """<?xml version="1.0"?>
<!DOCTYPE set [
<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
]>
<set><one>&b;</one></set>"""
OUTSIDE = '<!DOCTYPE set [\n<!ENTITY x SYSTEM "file:///etc/passwd">]><set><one>&x;</one></set>'
PARAMETER = '<!DOCTYPE set [<!ENTITY % d SYSTEM "http://127.0.0.1:9/d.dtd"> %d;]><set><one/></set>'
FRAGMENTS = ["<one>", "</one>", "<one/>", "<one a='1'>", "<two>", "</two>", "<!--", "-->", "<![CDATA[", "]]>", "<set>"]
FRAGMENTS += ["</set>", "\n", " ", "text", "&", "&amp;", "&b;", "<", ">", "西罗莫司", "<?xml version='1.0'?>", "\x00"]


@pytest.mark.parametrize(("text", "line"), [(BOMB, 3), (OUTSIDE, 2), (PARAMETER, 1)])
def test_a_definition_of_an_entity_is_refused_with_its_line(text: str, line: int) -> None:
    for reader in (lambda: list(pieces(text, ["one"], file="a.xml")), lambda: document(text, file="a.xml")):
        with pytest.raises(InputError) as caught:
            reader()
        assert caught.value.messages[0].code == "retrieval.xml-entity"
        assert str(caught.value.messages[0].place) == f"a.xml:{line}"


def test_the_word_entity_inside_a_comment_or_cdata_is_only_text() -> None:
    text = "<set><!-- <!ENTITY a 'b'> --><one><![CDATA[<!ENTITY a 'b'>]]></one></set>"
    (one,) = (piece for piece in pieces(text, ["one"]) if piece.tag)
    assert text_of(one.element) == "<!ENTITY a 'b'>"


def test_a_document_type_outside_is_not_loaded() -> None:
    # Port 9 of this machine answers nobody: a fetch would raise or hang.
    text = '<!DOCTYPE set PUBLIC "-//INVENTED//" "http://127.0.0.1:9/set.dtd">\n<set><one>in</one></set>'
    assert [text_of(piece.element) for piece in pieces(text, ["one"]) if piece.tag] == ["in"]
    assert text_of(document(text)) == "in"


def test_several_documents_in_one_text_are_read_on() -> None:
    one = "<?xml version='1.0'?>\n<!DOCTYPE set>\n<set>\n<one>1</one>\n</set>\n"
    found = [piece for piece in pieces(one + one, ["one"]) if piece.tag]
    assert [(text_of(piece.element), piece.first_line) for piece in found] == [("1", 4), ("1", 9)]


def test_a_fault_stays_in_its_record_and_names_its_line() -> None:
    text = "<set>\n<one>ok</one>\n<one>\n<i>bad</one>\n<one>ok</one>\n<one>half"
    found = [piece for piece in pieces(text, ["one"], file="a.xml") if piece.tag]
    assert [piece.fault and (piece.fault.code, str(piece.fault.place)) for piece in found] == [
        None,
        ("retrieval.xml-fault", "a.xml:4"),
        None,
        ("retrieval.xml-cut", "a.xml:6"),
    ]


def test_a_record_left_open_ends_where_the_next_begins() -> None:
    found = [piece for piece in pieces("<set><one>a<one>b</one></set>", ["one"]) if piece.tag]
    assert [piece.fault and piece.fault.code for piece in found] == ["retrieval.xml-cut", None]


def test_named_characters_are_read_and_unknown_names_stay_as_printed() -> None:
    (one,) = pieces("<one>Caf&eacute; &alpha;&#947; &invented; &lt;b&gt; <![CDATA[&eacute;]]></one>", ["one"])
    assert text_of(one.element) == "Café αγ &invented; <b> &eacute;"


def test_a_prefix_that_the_frame_declares_is_known_in_a_record() -> None:
    text = '<set xmlns:mml="m" xmlns:x="n"><one x:a="1"><t>a <mml:mi>b</mml:mi></t></one><one>c: <i>d</i></one></set>'
    assert [text_of(piece.element) for piece in pieces(text, ["one"]) if piece.tag] == ["a b", "c: d"]
    (twice,) = pieces('<one xmlns:y="y" y:a="1"><z:b/></one>', ["one"])
    assert twice.element is not None


def test_a_declared_encoding_is_of_no_account_in_decoded_text() -> None:
    assert text_of(document('<?xml version="1.0" encoding="gb18030"?><a>西罗莫司</a>')) == "西罗莫司"


def test_nesting_beyond_the_limit_is_refused_and_at_the_limit_read() -> None:
    def nested(levels: int) -> str:
        return "<one>" + "<a>" * (levels - 1) + "</a>" * (levels - 1) + "</one>"

    assert next(pieces(nested(DEEPEST), ["one"])).fault is None
    (deep,) = pieces(nested(DEEPEST + 1), ["one"])
    assert deep.fault is not None
    assert deep.fault.code == "retrieval.xml-too-deep"
    with pytest.raises(InputError, match="xml-too-deep"):
        document(nested(100_000))


def test_a_document_that_is_not_well_formed_says_where() -> None:
    with pytest.raises(InputError) as caught:
        document("<a>\n<b></a>", file="answer")
    assert str(caught.value.messages[0].place) == "answer:2"


@settings(deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40))
def test_the_pieces_are_the_whole_text_and_their_lines_are_right(parts: list[str]) -> None:
    # Oracle: the text itself.
    text = "".join(parts)
    found = list(pieces(text, ["one", "two"]))
    assert "".join("".join(piece.raw for piece in found).split()) == "".join(text.split())
    lines = text.split("\n")
    for piece in found:
        assert piece.raw in "\n".join(lines[piece.first_line - 1 : piece.last_line])
        assert (piece.tag == "") == (piece.element is None and piece.fault is None)
