# SPDX-License-Identifier: Apache-2.0
"""Runs the semantic cases of the SBML Test Suite; writes what passed and what was refused, by tag and by reason.

``python -m validation.sbml.sbml PATH_OF_THE_SUITE [CASE ...]``; the suite (github.com/sbmlteam/sbml-test-suite) is not
part of sirolens. Every level 2 and 3 file of a case is read; a file that gives the same network as one before it is not
solved again.
"""

from __future__ import annotations

import csv
import multiprocessing
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sirolens.engine.network import Network
from sirolens.engine.sbml import read_sbml
from sirolens.errors import ModelFileError, SirolensError
from validation.sbml.case import Case, NotSolvedError, cases, disagreement, solve

__all__ = ["main"]

HERE = Path(__file__).parent
SUITE = "SBML_TEST_SUITE"
COMPILED_EACH = 100
"""Every so many cases the generated text is compiled as for users; Python runs that of the others (interpreted.py)."""

NOT_ITS_CASE = frozenset({"01399-sbml-l2v5"})
"""Files of the suite that are not the model of their case: this one lacks the mark `fast` that the others have."""


def _reasons(failure: ModelFileError) -> set[str]:
    found = set()
    for message in failure.messages:
        detail = message.values.get("package") or message.values.get("function") or message.values.get("rule")
        found.add(message.code + (f" {detail}" if detail else ""))
    return found


def _run(job: tuple[Case, bool]) -> list[tuple[str, str, str, str]]:
    """Return (case, file, verdict, detail) of every file of a case."""
    case, compiled = job
    rows: list[tuple[str, str, str, str]] = []
    solved: list[tuple[Network, str, str]] = []
    for file in (file for file in case.files if file.stem not in NOT_ITS_CASE):
        try:
            network = read_sbml(file)
        except ModelFileError as failure:
            if {message.code for message in failure.messages} <= {"sbml.unit-clash", "sbml.unknown-unit"}:
                network = read_sbml(file, check_units=False)
            else:
                rows.append((case.name, file.stem, "refused", "; ".join(sorted(_reasons(failure)))))
                continue
        plain = replace(
            network, lines={}, units={}, name="", events=tuple(replace(e, line=None) for e in network.events)
        )
        known = next((entry for entry in solved if entry[0] == plain), None)
        if known is None:
            verdict, detail = _judged(case, network, file, compiled)
            solved.append((plain, verdict, detail))
        else:
            verdict, detail = known[1], known[2]
        rows.append((case.name, file.stem, verdict, detail))
    return rows


def _judged(case: Case, network: Network, file: Path, compiled: bool) -> tuple[str, str]:
    try:
        states = solve(network, case.table[:, 0].copy(), compiled=compiled)
    except (NotSolvedError, SirolensError) as failure:
        return "not solved", str(failure)
    wrong = disagreement(case, network, file, states)
    return ("different", wrong) if wrong else ("passed", "")


def _write(suite: Sequence[Case], verdicts: dict[str, str], reasons: Counter[str]) -> None:
    by_tag: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for case in suite:
        for tag in case.tags:
            by_tag[tag][verdicts[case.name]] += 1
    with (HERE / "tags.csv").open("w", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(("tag", "cases", "passed", "refused", "not solved", "different"))
        for tag, counts in sorted(by_tag.items()):
            told = [counts[verdict] for verdict in ("passed", "refused", "not solved", "different")]
            table.writerow((tag, sum(told), *told))
    with (HERE / "refused.csv").open("w", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(("reason", "cases"))
        table.writerows(reasons.most_common())


def main(path: str | None = None, only: Sequence[str] = ()) -> None:
    """Run the suite that lies at a path, or at the one in the environment variable SBML_TEST_SUITE."""
    folder = path or os.environ.get(SUITE)
    if not folder:
        print(f"no suite: set {SUITE} to the folder of the SBML Test Suite")
        return
    suite = [case for case in cases(Path(folder)) if not only or case.name in only]
    jobs = [(case, i % COMPILED_EACH == 0) for i, case in enumerate(suite)]
    verdicts: dict[str, str] = {}
    files: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for rows in pool.imap_unordered(_run, jobs, chunksize=4):
            found = Counter(row[2] for row in rows)
            files.update(found)
            # A case passes when every file that is read agrees; it is refused when none is read.
            case = rows[0][0]
            verdicts[case] = next(v for v in ("different", "not solved", "passed", "refused") if found[v])
            if verdicts[case] == "refused":
                reasons.update({reason for row in rows[:1] for reason in row[3].split("; ")})
            for row in rows:
                if row[2] in ("different", "not solved"):
                    print(*row, sep="  ", flush=True)
    print(f"{len(suite)} cases: {dict(Counter(verdicts.values()))}; files: {dict(files)}")
    if not only:
        _write(suite, verdicts, reasons)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None, sys.argv[2:])
