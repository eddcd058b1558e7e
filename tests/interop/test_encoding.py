# SPDX-License-Identifier: Apache-2.0
"""Encodings are believed for what comes out: GB18030 read where plausible, Big5 and others named."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.errors import InputError
from sirolens.interop.chart_words import words_of_a_chart
from sirolens.interop.encoding import decode
from tests.interop.charts import said_in_both

KNOWN = tuple(words_of_a_chart())
SIMPLIFIED = ("采样时间,血药浓度,单位\n", "患者口腔溃疡，给予对症处理后好转，未停药。", "给药方案：西罗莫司每日2毫克")
TRADITIONAL = (
    "採樣時間,血藥濃度,單位\n",
    "他克莫司 每日 2 毫克",
    "病人於門診追蹤三個月，血小板上升",
    "檢驗項目 體重 身高",
)


@pytest.mark.parametrize("text", SIMPLIFIED)
def test_gb18030_is_read_with_a_flag(text: str) -> None:
    found, flags = decode(text.encode("gb18030"), file="a.csv", known=KNOWN)
    assert found == text
    assert [flag.code for flag in flags] == ["file.read-as-gb18030"]
    said_in_both(flags[0])


@pytest.mark.parametrize("text", TRADITIONAL)
def test_big5_is_named_although_its_bytes_may_decode_as_gb18030(text: str) -> None:
    with pytest.raises(InputError) as refused:
        decode(text.encode("big5"), file="a.csv", known=KNOWN)
    (message,) = refused.value.messages
    assert message.code in ("file.encoding", "file.encoding-unclear")
    assert message.values.get("likely", "Big5") == "Big5"
    said_in_both(message)


def test_some_big5_bytes_do_decode_as_gb18030() -> None:
    """Why plausibility is asked at all."""
    assert any(_decodes(text.encode("big5")) for text in TRADITIONAL)


def _decodes(data: bytes) -> bool:
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "encoding", "likely"),
    [
        ("unit,µg/L\n", "latin-1", "Windows-1252"),
        ("Müller,Köln", "cp1252", "Windows-1252"),
        ("単位,シロリムス,ひらがな", "shift_jis", "Shift-JIS"),
        ("unit", "utf-16", "UTF-16"),
        ("unit", "utf-16-le", "UTF-16"),
        ("unit", "utf-32", "UTF-32"),
    ],
)
def test_other_encodings_are_named(text: str, encoding: str, likely: str) -> None:
    with pytest.raises(InputError) as refused:
        decode(text.encode(encoding), file="a.csv", known=KNOWN)
    assert refused.value.messages[0].values["likely"] == likely


def test_a_byte_order_mark_is_taken_off() -> None:
    assert decode("单位".encode("utf-8-sig"), file="a.csv") == ("单位", ())


def test_the_line_of_the_first_strange_byte_is_told() -> None:
    with pytest.raises(InputError) as refused:
        decode(b"a\nb\n\xff\xfe\xfd", file="a.csv")
    place = refused.value.messages[0].place
    assert place is not None
    assert place.line == 3


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_give_text_or_an_input_error(data: bytes) -> None:
    try:
        text, _ = decode(data, file="a", known=KNOWN)
    except InputError:
        return
    assert text.strip()


@settings(deadline=None, max_examples=100)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_utf8_is_always_read_as_utf8(text: str) -> None:
    assert decode(("x" + text).encode(), file="a", known=KNOWN) == ("x" + text, ())
