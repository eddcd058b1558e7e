# SPDX-License-Identifier: Apache-2.0
"""Files made to be slow cost time in proportion to their length. Oracle: the same file four times as long.

Each of them once took time with the square of its length, or worse.
"""

from __future__ import annotations

import time

import pytest
from tests.evidence.export_files import imported

SHORT = 6_000
TIMES_AS_LONG = 4
# Proportional time gives 4, the square 16; what lies between is the noise of a busy machine.
MOST_TIMES_AS_SLOW = 10
FLOOR_SECONDS = 0.02  # below it the clock and the fixed costs decide
RIS = b"TY  - JOUR\nTI  - a\nER  - \n"
BIBTEX = b"@article{a, title={b}}\n"
HOSTILE = {
    "a word without an end": (BIBTEX + b"@article{a, ", b"x", b"}"),
    "blanks between names": (BIBTEX + b"@article{a, author={x", b" ", b"y}}"),
    "open entries": (BIBTEX, b"@article{a,\n", b""),
    "blanks after the end of a record": (RIS + b"TY  - JOUR\nER", b" ", b"x"),
    "carriage returns": (RIS, b"\r", b"a\n"),
    "comments before a web page": (b"", b"<!-- -->", b"x"),
    "comments in the frame": (b"<xml><records><record><titles/></record>", b"<!-- -->", b"x"),
    "open quotes": (b"Title,Year\n", b'"a\n', b""),
    "brackets after a DOI": (RIS + b"TY  - JOUR\nDO  - 10.99999/", b")", b"\nER  - \n"),
    "blanks after a Chinese name": ("%0 Journal Article\n%T 虚构\n%A 张伟".encode(), b". ", b"x\n"),
    "blanks before a line break": ("%0 Journal Article\n%T 虚构\n%X 目的(".encode(), b"\t ", b"x\n"),
    "numbers behind a Chinese name": ("%0 Journal Article\n%T 虚构\n%A 张伟".encode(), b"1,", b"x\n"),
    "digits behind a Chinese name": ("%0 Journal Article\n%T 虚构\n%A 张伟".encode(), b"1", b"x\n"),
    "marks": (RIS, b"\xef\xbb\xbf", b"a"),
}


def processor_seconds(data: bytes) -> float:
    def once() -> float:
        start = time.process_time()
        imported(data)
        return time.process_time() - start

    return min(once(), once())


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_four_times_as_long_takes_about_four_times_as_long(name: str) -> None:
    before, piece, after = HOSTILE[name]
    short = processor_seconds(before + piece * SHORT + after)
    long = processor_seconds(before + piece * SHORT * TIMES_AS_LONG + after)
    assert long < MOST_TIMES_AS_SLOW * max(short, FLOOR_SECONDS)
