# SPDX-License-Identifier: Apache-2.0
"""Writes a SAS transport file of version 5 for tests, after SAS technical note TS-140; pandas reads it back."""

from __future__ import annotations

import struct
from collections.abc import Sequence

CARD = 80
NUMERIC, CHARACTER = 1, 2
STAMP = "01JAN26:00:00:00"


def ibm(value: float) -> bytes:
    """A number as eight bytes of IBM floating point: sign, exponent of 16 with excess 64, 56 bits of fraction."""
    if value == 0:
        return bytes(8)
    sign, fraction, exponent = (0x80 if value < 0 else 0), abs(value), 64
    while fraction >= 1:
        fraction, exponent = fraction / 16, exponent + 1
    while fraction < 1 / 16:
        fraction, exponent = fraction * 16, exponent - 1
    return bytes([sign | exponent]) + int(fraction * 2**56).to_bytes(7, "big")


def _card(text: str) -> bytes:
    return text.encode("ascii").ljust(CARD)


def _padded(data: bytes) -> bytes:
    return data + b" " * (-len(data) % CARD)


def transport(names: Sequence[str], rows: Sequence[Sequence[str | float | None]], encoding: str = "utf-8") -> bytes:
    """One data set; a column whose values are all numbers or None is numeric."""
    columns = list(zip(*rows, strict=True))
    numeric = [all(isinstance(value, (int, float)) or value is None for value in column) for column in columns]
    widths = [
        8 if number else max(1, *(len(str(value or "").encode(encoding)) for value in column))
        for number, column in zip(numeric, columns, strict=True)
    ]
    zeros = "0" * 30
    head = [
        f"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!{zeros}  ",
        f"{'SAS':<8}{'SAS':<8}{'SASLIB':<8}{'9.4':<8}{'X':<8}{'':24}{STAMP}",
        STAMP,
        "HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!000000000000000001600000000140  ",
        f"HEADER RECORD*******DSCRPTR HEADER RECORD!!!!!!!{zeros}  ",
        f"{'SAS':<8}{'TABLE':<8}{'SASDATA':<8}{'9.4':<8}{'X':<8}{'':24}{STAMP}",
        f"{STAMP}{'':16}{'':40}{'':8}",
        f"HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!000000{len(names):04}00000000000000000000  ",
    ]
    described, position = b"", 0
    for number, (name, is_number, width) in enumerate(zip(names, numeric, widths, strict=True), start=1):
        kind = NUMERIC if is_number else CHARACTER
        described += struct.pack(">hhhh", kind, 0, width, number) + name.encode().ljust(8) + name.encode().ljust(40)
        described += b" " * 8 + struct.pack(">hhh", 0, 0, 0) + b"  " + b" " * 8 + struct.pack(">hh", 0, 0)
        described += struct.pack(">l", position) + bytes(52)
        position += width
    body = b""
    for row in rows:
        for value, is_number, width in zip(row, numeric, widths, strict=True):
            if is_number:
                body += b"." + bytes(7) if value is None else ibm(float(value))
            else:
                body += str(value or "").encode(encoding).ljust(width)
    observations = f"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!{zeros}  "
    return b"".join(map(_card, head)) + _padded(described) + _card(observations) + _padded(body)
