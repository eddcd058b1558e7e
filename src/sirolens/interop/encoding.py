# SPDX-License-Identifier: Apache-2.0
"""From the bytes of a file to its text: UTF-8, or GB18030 where the text it gives is plausible; all else is named.

Big5 bytes can decode as GB18030 without an error and give other characters. So an encoding is believed only for what
comes out: words that such a file is known to hold, and characters in common use.

Exports of literature databases have rules of their own (`sirolens.evidence.sources.decode`), on purpose: they come in
UTF-16 and Western alphabets too, hold no words known beforehand, and are read and told where a chart is refused, since
a wrong letter in a title is seen by a reader and a wrong word in a chart may change a dose.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sirolens.errors import InputError
from sirolens.message import Message, Place, error, info

__all__ = ["decode"]

_SIGNATURES = (
    (b"PK\x03\x04", "ZIP / Excel (.xlsx)"),
    (b"\xd0\xcf\x11\xe0", "Excel (.xls)"),
    (b"%PDF", "PDF"),
    (b"\x1f\x8b", "GZIP"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
)
_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_RIVALS = ("big5", "shift_jis", "euc_jp", "euc_kr")
_NAMES = {"big5": "Big5", "shift_jis": "Shift-JIS", "euc_jp": "EUC-JP", "euc_kr": "EUC-KR"}
# First bytes of the frequently used characters in the two national standards.
_COMMON = {"gb18030": ("gb2312", 0xB0, 0xD7), "big5": ("big5", 0xA4, 0xC6)}
_SAMPLE = 20_000  # characters judged: enough to tell, quick on a large file
# Measured on the program's own Chinese sentences: 96 % to 100 % of texts have this share of common characters and a
# larger one than the same bytes read as Big5; twenty Big5 samples read as GB18030 stayed at or below 0.75.
_ENOUGH_COMMON = 0.8


class _Judged(NamedTuple):
    known_words: int
    common_share: float


def decode(data: bytes, *, file: str, known: Collection[str] = ()) -> tuple[str, tuple[Message, ...]]:
    """Turn the bytes of a file into text.

    Parameters
    ----------
    data : bytes
        The whole file.
    file : str
        Its name, for the faults.
    known : collection of str
        Words such a file may hold: names of columns, drugs, units. Those that are not ASCII tell encodings apart.

    Returns
    -------
    text : str
        Without a byte order mark.
    flags : tuple of Message
        ``file.read-as-gb18030`` where it was.

    Raises
    ------
    InputError
        ``file.empty``, ``file.not-text``, ``file.encoding``, ``file.encoding-unclear`` or ``file.cut-off``.

    Examples
    --------
    >>> text, flags = decode("单位,ng/mL".encode("gb18030"), file="a.csv", known=["单位"])
    >>> text, flags[0].code
    ('单位,ng/mL', 'file.read-as-gb18030')
    """
    place = Place(file=file)
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            raise InputError(error("file.not-text", place=place, kind=kind))
    for mark, name in _MARKS:
        if data.startswith(mark):
            raise InputError(error("file.encoding", place=place, likely=name))
    body = data.removeprefix(b"\xef\xbb\xbf")
    if not body.strip(b" \t\r\n\x00"):
        raise InputError(error("file.empty", place=place))
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = body.count(b"\n", 0, fault.start) + 1
        if fault.reason == "unexpected end of data":
            raise InputError(error("file.cut-off", place=Place(file=file, line=line))) from None
        return _plausible(body, line, file, known)
    if "\x00" in text:
        raise InputError(error("file.encoding", place=place, likely="UTF-16"))
    if not text.strip():
        raise InputError(error("file.empty", place=place))
    return text, ()


def _plausible(body: bytes, line: int, file: str, known: Collection[str]) -> tuple[str, tuple[Message, ...]]:
    """Read bytes that are not UTF-8 as GB18030 when what comes out is plausible; else name what they look like."""
    place = Place(file=file, line=line)
    if b"\x00" in body:
        raise InputError(error("file.encoding", place=Place(file=file), likely="UTF-16"))
    words = [word for word in known if not word.isascii()]
    text = _decoded(body, "gb18030")
    judged = _judge(text, "gb18030", words) if text is not None else _Judged(0, 0.0)
    rivals = {name: _judge(other, name, words) for name in _RIVALS if (other := _decoded(body, name)) is not None}
    most = max((rival.known_words for rival in rivals.values()), default=0)
    by_words = judged.known_words > most
    by_signs = judged.known_words == most == 0 and _reads_well(text or "", judged, rivals.get("big5"))
    if text is not None and (by_words or by_signs):
        return text, (info("file.read-as-gb18030", place=Place(file=file)),)
    likely = _likeliest(body, rivals)
    if likely is None:
        raise InputError(error("file.encoding-unclear", place=place))
    raise InputError(error("file.encoding", place=place, likely=likely))


def _decoded(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError:
        return None


def _judge(text: str, encoding: str, words: list[str]) -> _Judged:
    signs = [sign for sign in text[:_SAMPLE] if sign > "\x7f"]
    codec, low, high = _COMMON.get(encoding, ("", 0, 0))
    common = sum(low <= _first_byte(sign, codec) <= high for sign in signs) if codec else 0
    return _Judged(sum(word in text for word in words), common / len(signs) if signs else 0.0)


def _first_byte(sign: str, codec: str) -> int:
    """Return the first byte of a character; punctuation of the standard counts as common, what is not in it never."""
    try:
        coded = sign.encode(codec)
    except UnicodeEncodeError:
        return 0
    return _COMMON["gb18030" if codec == "gb2312" else codec][1] if coded[0] in (0xA1, 0xA2, 0xA3) else coded[0]


def _reads_well(text: str, judged: _Judged, big5: _Judged | None) -> bool:
    """Whether characters alone speak for GB18030: common ones, more so than as Big5, and none of private use."""
    private = any("\ue000" <= sign <= "\uf8ff" for sign in text[:_SAMPLE])
    better = big5 is None or judged.common_share > big5.common_share
    return better and not private and judged.common_share >= _ENOUGH_COMMON


def _likeliest(body: bytes, rivals: dict[str, _Judged]) -> str | None:
    """Name the encoding of bytes that are neither UTF-8 nor plausible GB18030."""
    high = sum(byte > 0x7F for byte in body[:_SAMPLE])
    alone = sum(
        body[i] > 0x7F and body[i - 1 : i] < b"\x80" and body[i + 1 : i + 2] < b"\x80"
        for i in range(1, min(len(body), _SAMPLE))
    )
    if high and alone == high:  # single letters between plain ones: a Western alphabet
        return "Windows-1252"
    named = {name: rival for name, rival in rivals.items() if rival.known_words}
    if named:
        return _NAMES[max(named, key=lambda name: named[name].known_words)]
    text = _decoded(body, "shift_jis") or ""
    if sum("\u3041" <= sign <= "\u30ff" for sign in text) > 0.3 * max(1, sum(sign > "\x7f" for sign in text)):
        return _NAMES["shift_jis"]
    if "big5" in rivals and rivals["big5"].common_share >= _ENOUGH_COMMON:
        return _NAMES["big5"]
    return None
