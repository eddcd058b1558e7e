# SPDX-License-Identifier: Apache-2.0
"""Importing 80,000 invented records in three formats, and the memory of the largest file that is read.

The records are as long as real ones (an abstract of some 1,500 characters). Each format also has a ratio to splitting
the same text into lines in plain Python, which tells more than seconds on a busy machine.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from benchmarks import Figure
from sirolens.evidence.importing import LIMIT_BYTES, import_bytes

RECORDS = 80_000
AIM_SECONDS = 20.0
SENTENCE = "BACKGROUND: An invented sentence about sirolimus, platelets and the patients of no hospital at all. "
CHINESE = "目的：虚构一句关于西罗莫司治疗免疫性血小板减少症的话，用于测量读取速度。"


def ris(number: int) -> str:
    authors = "".join(f"AU  - Zhang, Wei{letter}{number}\n" for letter in "abcdef")
    words = "".join(f"KW  - invented keyword {n}\n" for n in range(6))
    return (
        f"TY  - JOUR\nTI  - Invented record {number} of sirolimus in immune thrombocytopenia\n{authors}"
        f"T2  - Invented Journal of Haematology\nJ2  - Inv J Haem\nPY  - 2021\nDA  - 2021/03/15/\nVL  - 12\nIS  - 3\n"
        f"SP  - {number}\nEP  - {number + 6}\nSN  - 0000-0000\nDO  - 10.99999/fake.{number}\nM3  - Article\n{words}"
        f"AB  - {SENTENCE * 15}\nDB  - Scopus\nLA  - English\nUR  - https://invented.example/{number}\nER  - \n\n"
    )


def nbib(number: int) -> str:
    authors = "".join(
        f"FAU - Zhang, Wei{letter}{number}\nAU  - Zhang W{letter}\nAD  - Invented Hospital, Invented City, Nowhere.\n"
        for letter in "abcdef"
    )
    abstract = "\n      ".join([SENTENCE.strip()] * 15)
    terms = "".join(f"MH  - Invented Term {n}/*therapeutic use\n" for n in range(8))
    return (
        f"PMID- {10_000_000 + number}\nOWN - NLM\nSTAT- MEDLINE\nDP  - 2021 Mar 15\n"
        f"TI  - Invented record {number} of sirolimus in immune\n      thrombocytopenia.\n"
        f"PG  - {number}-{number + 6}\nLID - 10.99999/fake.{number} [doi]\nAB  - {abstract}\n{authors}"
        "LA  - eng\nPT  - Journal Article\nTA  - Inv J Haem\nJT  - Invented Journal of Haematology\nVI  - 12\n"
        f"IP  - 3\nIS  - 0000-0000 (Print)\n{terms}EDAT- 2021/03/15 06:00\nPHST- 2021/03/15 06:00 [pubmed]\n"
        f"AID - 10.99999/fake.{number} [doi]\nSO  - Inv J Haem. 2021 Mar;12(3):{number}.\n\n"
    )


def noteexpress(number: int) -> str:
    return (
        f"{{Reference Type}}: Journal Article\n{{Title}}: 西罗莫司虚构研究第{number}号\n"
        "{Author}: 张伟;王芳;李娜;赵敏;\n"
        "{Author Address}: 虚构医院血液科;虚构大学医学院;\n{Journal}: 虚构血液学杂志\n{Year}: 2023\n{Issue}: 03\n"
        f"{{Pages}}: {number}-{number + 5}\n{{Keywords}}: 西罗莫司;;免疫性血小板减少症;;血小板\n"
        f"{{Abstract}}: <正>{CHINESE * 12}\n{{ISBN/ISSN}}: 0000-0000\n{{Notes}}: 11-0000/R\n"
        f"{{URL}}: https://link.cnki.net/doi/10.99999/fake.{number}\n{{Database Provider}}: CNKI\n\n"
    )


MAKERS: dict[str, Callable[[int], str]] = {"ris": ris, "pubmed-nbib": nbib, "cnki-noteexpress": noteexpress}


def _file(name: str, first: int, count: int) -> bytes:
    return "".join(map(MAKERS[name], range(first, first + count))).encode()


def _imported(data: bytes) -> int:
    return len(import_bytes(data, name="invented").records)


def _lines(data: bytes) -> int:
    return sum(bool(line.strip()) for line in data.decode().split("\n"))


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall time and this process's processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


# VmHWM and not getrusage: the latter begins a new process with the peak of the one that started it.
PEAK = """
import sys
from pathlib import Path
from benchmarks.evidence import MAKERS
from sirolens.evidence.importing import import_bytes
def peak_kb():
    return int(next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line).split()[1])
one = MAKERS[sys.argv[1]](1).encode()
data = one * (int(sys.argv[2]) // len(one))
before = peak_kb()
done = import_bytes(data, name="large")
print(len(data), len(done.records), peak_kb() - before)
"""


def _import_figures(name: str) -> list[Figure]:
    data = _file(name, 0, RECORDS)
    halves = [_file(name, 0, RECORDS // 2), _file(name, RECORDS // 2, RECORDS // 2)]
    wall, processor = _seconds(lambda: _imported(data))
    _, lines = _seconds(lambda: _lines(data))
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_imported, [halves[0][:2000]] * 2))
        two, _ = _seconds(lambda: list(pool.map(_imported, halves)))
    what = f"{name}: 80,000 records ({len(data) / 1e6:.0f} MB)"
    return [
        Figure(name=f"{what}, one process", value=wall, unit="s", aim=AIM_SECONDS),
        Figure(name=f"{what}, one process, processor time", value=processor, unit="s"),
        Figure(name=f"{what}, two processes with half each", value=two, unit="s", aim=AIM_SECONDS),
        Figure(name=f"{name}: processor time to splitting into lines", value=processor / lines, unit="times"),
    ]


def _memory_figures(name: str, size: int) -> list[Figure]:
    told = subprocess.run(
        [sys.executable, "-c", PEAK, name, str(size)], capture_output=True, text=True, check=True
    ).stdout.split()
    held, _, peak = (float(value) for value in told)
    return [
        Figure(name=f"{name}: memory for a file of {held / 1e6:.0f} MB", value=peak * 1024 / 1e9, unit="GB"),
        Figure(name=f"{name}: memory to the size of the file", value=peak * 1024 / held, unit="times"),
    ]


def run() -> list[Figure]:
    """Some five minutes of processor time: run by hand."""
    figures = [figure for name in MAKERS for figure in _import_figures(name)]
    return figures + [figure for name in ("ris", "cnki-noteexpress") for figure in _memory_figures(name, LIMIT_BYTES)]
