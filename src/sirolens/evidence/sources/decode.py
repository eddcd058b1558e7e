# SPDX-License-Identifier: Apache-2.0
"""From the bytes of an export to its text: UTF-8, UTF-16 and GB18030 are read, everything else is named.

UTF-8 must be whole. What is not UTF-8 is taken for GB18030 only when what comes out is plausible, because bytes of Big5
or of a Western alphabet often decode as GB18030 too, into other characters. Nothing is replaced in silence: what cannot
be decoded is refused with its line, and every change of the text (an encoding guessed, a carriage return or a NUL
inside a field) is told.

Charts have stricter rules (`sirolens.interop.encoding`), and the two are apart on purpose. A database exports what it
exports: UTF-16, a Western alphabet, a file cut inside a character, traditional characters; a reviewer sees every title
that was read, so such files are read and told. Of a chart nothing may be guessed, because a wrong word changes a dose;
but its words are known beforehand (columns, drugs, units), which tell encodings apart better than any share of
characters. The two agree on one measure, the share of common characters and its limit, found there.
"""

from __future__ import annotations

import re
from hashlib import sha256
from itertools import islice

from sirolens.errors import InputError
from sirolens.evidence.sources.text import SourceText
from sirolens.message import Message, Place, error, info, warning

__all__ = ["decode"]

_SPREADSHEET = (b"\xd0\xcf\x11\xe0", b"\x09\x08\x10\x00\x00\x06\x05\x00")
_ARCHIVES = ((b"PK\x03\x04", "ZIP"), (b"\x1f\x8b", "GZIP"), (b"Rar!", "RAR"), (b"7z\xbc\xaf\x27\x1c", "7-Zip"))
_PICTURES = ((b"\x89PNG", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"GIF8", "GIF"), (b"SQLite format 3", "SQLite"))
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),  # before UTF-16, whose mark it begins with
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_HEAD = 4_000  # bytes looked at for UTF-16 without a mark
_SAMPLE = 20_000  # characters judged: enough to tell, quick on a large file
# Plain English text in UTF-16 has a zero in nearly every second byte; mixed with Chinese still in a third of them.
_ZEROS_OF_UTF16 = 0.3
_NUL_SHARE_OF_BINARY = 0.01  # a text with more NULs than this is no text
# Share of characters in the frequent rows of the national standard. Measured for charts (interop/encoding.py): Chinese
# texts of the program have at least this share, Big5 samples read as GB18030 stay at or below 0.75.
_ENOUGH_COMMON = 0.8
_COMMON_ROWS = {"gb18030": ("gb2312", 0xB0, 0xD7), "big5": ("big5", 0xA4, 0xC6)}
_PUNCTUATION_ROWS = (0xA1, 0xA2, 0xA3)
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_PASTED = re.compile(r"(?<=[^\n])\ufeff(?=\{Reference Type\}|%0 |RT |DataType|SrcDatabase|FN |PMID-|TY  ?-|@|<\?xml)")
_WEB_PAGE = re.compile(
    r"(?:\s*+<!--(?:(?!-->).)*+-->)*+\s*+<(!doctype\s+html|html[\s>]|head[\s>]|body[\s>]|table[\s>])", re.I | re.S
)


def decode(data: bytes, *, name: str) -> tuple[SourceText, tuple[Message, ...]]:
    r"""Turn the bytes of an export into text.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        Of the file, for messages.

    Returns
    -------
    file : SourceText
        Without a byte-order mark (files pasted together have one before each part), lines ended by ``\n`` only.
    flags : tuple of Message
        What was done to the text and should be checked: ``import.read-as-gb18030``, ``import.read-as-windows-1252``,
        ``import.cut-character``, ``import.returns-inside``, ``import.nul-inside``.

    Raises
    ------
    InputError
        ``import.empty-file``, ``import.spreadsheet``, ``import.archive``, ``import.pdf``, ``import.web-page``,
        ``import.not-text``, ``import.damaged-text``, ``import.other-encoding``, ``import.unclear-encoding``.

    Examples
    --------
    >>> file, flags = decode("\ufeffTY  - JOUR\r\nTI  - 虚构\r\nER  - \r\n".encode("utf-16"), name="a.ris")
    >>> file.text, file.encoding, flags
    ('TY  - JOUR\nTI  - 虚构\nER  - \n', 'utf-16-le', ())
    >>> decode("题名".encode("gb18030"), name="b.txt")[1][0].code
    'import.read-as-gb18030'
    """
    _refuse_what_is_no_text(data, name)
    mark, encoding = next(((mark, encoding) for mark, encoding in _MARKS if data.startswith(mark)), (b"", ""))
    if encoding == "utf-32":
        raise InputError(error("import.other-encoding", place=Place(file=name), likely="UTF-32"))
    encoding = encoding or _unmarked_utf16(data)
    body = data[len(mark) :] if mark else data
    flags: list[Message] = []
    if encoding in ("utf-16-le", "utf-16-be"):
        text = _utf16(body, encoding, name, flags)
    else:
        text, encoding = _eight_bit(body, name, flags, declared=encoding)
    text = _one_kind_of_line_end(text, name, flags)
    text = _without_nul(_without_marks(text), name, flags)
    if not text.strip():
        raise InputError(error("import.empty-file", place=Place(file=name)))
    if _WEB_PAGE.match(text[:_HEAD]):
        raise InputError(error("import.web-page", place=Place(file=name)))
    return SourceText(name=name, text=text, encoding=encoding, sha256=sha256(data).hexdigest()), tuple(flags)


def _refuse_what_is_no_text(data: bytes, name: str) -> None:
    place = Place(file=name)
    if not data[:_HEAD].strip(b" \t\r\n\x00") and not data.strip(b" \t\r\n\x00"):
        raise InputError(error("import.empty-file", place=place))
    if data.startswith(_SPREADSHEET):
        raise InputError(error("import.spreadsheet", place=place, found="Excel (.xls)"))
    if data.startswith(b"PK\x03\x04") and b"xl/" in data:
        raise InputError(error("import.spreadsheet", place=place, found="Excel (.xlsx)"))
    for signature, found in _ARCHIVES:
        if data.startswith(signature):
            raise InputError(error("import.archive", place=place, found=found))
    if data.lstrip()[:4] == b"%PDF" if data[:1].isspace() else data.startswith(b"%PDF"):
        raise InputError(error("import.pdf", place=place))
    for signature, found in _PICTURES:
        if data.startswith(signature):
            raise InputError(error("import.not-text", place=place, found=found))


def _unmarked_utf16(data: bytes) -> str:
    """Tell UTF-16 without a mark by the zeros that its ASCII characters (line ends, digits, tags) carry."""
    head = data[:_HEAD]
    half = max(1, len(head) // 2)
    even, odd = head[0::2].count(0) / half, head[1::2].count(0) / half
    if odd >= _ZEROS_OF_UTF16 and even < odd / 4:
        return "utf-16-le"
    if even >= _ZEROS_OF_UTF16 and odd < even / 4:
        return "utf-16-be"
    return ""


def _utf16(body: bytes, encoding: str, name: str, flags: list[Message]) -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as fault:
        before = body[: fault.start].decode(encoding)
        line = before.count("\n") + 1
        if fault.end < len(body) - 1:
            raise InputError(
                error("import.damaged-text", place=Place(file=name, line=line), byte=fault.start, encoding="UTF-16")
            ) from None
        flags.append(warning("import.cut-character", place=Place(file=name, line=line)))
        return before


def _eight_bit(body: bytes, name: str, flags: list[Message], *, declared: str) -> tuple[str, str]:
    try:
        if declared == "gb18030":
            return body.decode("gb18030"), "gb18030"
        return body.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as fault:
        line = body.count(b"\n", 0, fault.start) + 1
        if declared == "gb18030":
            raise InputError(
                error("import.damaged-text", place=Place(file=name, line=line), byte=fault.start, encoding="GB18030")
            ) from None
        if fault.reason == "unexpected end of data" and (declared or fault.start == 0 or _is_mostly_utf8(body)):
            flags.append(warning("import.cut-character", place=Place(file=name, line=line)))
            return body[: fault.start].decode("utf-8"), "utf-8"
        if declared or _is_mostly_utf8(body):
            raise InputError(
                error("import.damaged-text", place=Place(file=name, line=line), byte=fault.start, encoding="UTF-8")
            ) from None
        return _not_utf8(body, line, name, flags)


def _is_mostly_utf8(body: bytes) -> bool:
    """Whether bytes that are not UTF-8 throughout are UTF-8 with damage: most of what is not ASCII decodes."""
    faults = body.decode("utf-8", errors="replace").count("\ufffd")
    rest = body.decode("utf-8", errors="ignore")
    whole = sum(sign > "\x7f" for sign in rest[: 50 * _SAMPLE])
    return whole > 4 * faults


def _not_utf8(body: bytes, line: int, name: str, flags: list[Message]) -> tuple[str, str]:
    place = Place(file=name)
    if _is_western(body):
        text = _decoded(body, "cp1252")
        if text is not None:
            flags.append(warning("import.read-as-windows-1252", place=Place(file=name, line=line)))
            return text, "windows-1252"
    text, cut = _decoded(body, "gb18030"), False
    if text is None and (shorter := _decoded(body[:-1], "gb18030") or _decoded(body[:-3], "gb18030")) is not None:
        text, cut = shorter, True
    rival = _decoded(body, "big5")
    if text is not None and _is_plausible(text, rival):
        flags.append(info("import.read-as-gb18030", place=place))
        if cut:
            flags.append(warning("import.cut-character", place=Place(file=name, line=text.count("\n") + 1)))
        return text, "gb18030"
    if rival is not None and _common_share(rival, "big5") >= _ENOUGH_COMMON:
        raise InputError(error("import.other-encoding", place=place, likely="Big5"))
    if _is_japanese(_decoded(body, "shift_jis")):
        raise InputError(error("import.other-encoding", place=place, likely="Shift-JIS"))
    raise InputError(error("import.unclear-encoding", place=Place(file=name, line=line)))


def _decoded(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_western(body: bytes) -> bool:
    """Whether every byte beyond ASCII stands alone between plain ones, as accented letters do."""
    high = re.findall(rb"[\x80-\xff]+", body[: 50 * _SAMPLE])
    return sum(len(run) == 1 for run in high) > 0.9 * len(high) if high else False


def _is_plausible(text: str, big5: str | None) -> bool:
    """Whether characters speak for GB18030: none of private use, and common ones, or at least more so than as Big5.

    Exports in traditional characters hold few of the frequent rows of GB 2312, but their bytes are no valid Big5.
    """
    if re.search(r"[\ue000-\uf8ff]", text[:_SAMPLE]):
        return False
    share = _common_share(text, "gb18030")
    if big5 is not None:
        return share >= _ENOUGH_COMMON and share > _common_share(big5, "big5")
    return share >= _ENOUGH_COMMON / 4


def _common_share(text: str, encoding: str) -> float:
    codec, low, high = _COMMON_ROWS[encoding]
    rows = [_first_byte(found[0], codec) for found in islice(_BEYOND_ASCII.finditer(text), _SAMPLE)]
    return sum(low <= row <= high or row in _PUNCTUATION_ROWS for row in rows) / len(rows) if rows else 0.0


def _first_byte(sign: str, codec: str) -> int:
    try:
        return sign.encode(codec)[0]
    except UnicodeEncodeError:
        return 0


def _is_japanese(text: str | None) -> bool:
    signs = _BEYOND_ASCII.findall((text or "")[:_SAMPLE])
    return bool(signs) and sum("\u3041" <= sign <= "\u30ff" for sign in signs) > 0.3 * len(signs)


def _one_kind_of_line_end(text: str, name: str, flags: list[Message]) -> str:
    r"""End lines by ``\n``; a carriage return inside a line (seen in Chinese exports) becomes a space and is told."""
    if "\r" not in text:
        return text
    text = re.sub(r"(?<!\r)\r++\n", "\n", text)
    if "\r" not in text:
        return text
    if "\n" not in text:
        return text.replace("\r", "\n")
    line = text.count("\n", 0, text.index("\r")) + 1
    flags.append(info("import.returns-inside", place=Place(file=name, line=line), times=text.count("\r")))
    return text.replace("\r", " ")


def _without_marks(text: str) -> str:
    """Take byte-order marks off the ends of lines; one between the last line of a file and the next ends a line."""
    if "\ufeff" not in text:
        return text
    return _PASTED.sub("\n", text).replace("\n\ufeff", "\n").replace("\ufeff\n", "\n").removeprefix("\ufeff")


def _without_nul(text: str, name: str, flags: list[Message]) -> str:
    times = text.count("\x00")
    if not times:
        return text
    if times > _NUL_SHARE_OF_BINARY * len(text):
        raise InputError(error("import.not-text", place=Place(file=name), found="?"))
    line = text.count("\n", 0, text.index("\x00")) + 1
    flags.append(warning("import.nul-inside", place=Place(file=name, line=line), times=times))
    return text.replace("\x00", " ")
