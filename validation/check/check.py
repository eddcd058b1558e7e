# SPDX-License-Identifier: Apache-2.0
"""Plants faults in honest tables and counts what the checker of printed figures finds; writes README.md.

Run as ``python -m validation check``.
"""

from __future__ import annotations

import random
from pathlib import Path

from sirolens.study.checker.check import Checked, check
from sirolens.study.checker.findings import Weight
from sirolens.study.checker.published_file import read_published
from validation.check.tables import FAULTS, Fault, Printed, honest

TABLES = 100
SEED = 20260801
DECIMALS = (0, 1)
ALARMS = (Weight.IMPOSSIBLE, Weight.INCONSISTENT)
HERE = Path(__file__).parent
PAGE = """# Faults planted in printed tables

{tables} invented two-arm studies a row and number of decimals (arms of 12 to 60 patients; counts, percentages, sums,
P values, intervals, a mean with SD of whole numbers), printed honestly, with one fault planted
(`python -m validation check`, seed {seed}). A fault counts as found when the table then has a finding that is
impossible, inconsistent or explained and that the honest table had not; "alarm" counts the first two alone. Faults
that change nothing that is printed are drawn again.

| planted | found, whole percents | of it alarm | found, one decimal | of it alarm |
|---|---|---|---|---|
{rows}

Honest tables with any alarm: {false_0} of {tables} with whole percents, {false_1} of {tables} with one decimal; with an
"explained": {soft_0} and {soft_1}.

## What it does not find, and why

- A percentage without its count: with whole percents and 50 patients or more nearly every number from 0 to 100 is some
  patient's share; only small groups and decimals give the search its power.
- A mean or SD of whole numbers: with n patients the digits are a test only while 1/n is larger than the last digit;
  above 100 patients two decimals say nothing, and the checker says so.
- Responders as denominators: found where a share is larger than the whole it is part of, or fits no integer of the
  arm; with whole percents a small share of responders looks like any share of the arm.
- A P value: a changed digit can be what another test prints, and where no test is named the checker must accept that.
  A value one unit of the last digit away is a note, not a finding counted here.
- Shares cut off instead of rounded are found wherever that changes a digit, but for exact halves, which may honestly be
  rounded down; they are "explained", not an alarm.
"""


def _checked(printed: Printed) -> Checked | None:
    reading = read_published(printed.text(), "invented.toml")
    return None if reading.published is None else check(reading.published)


def _planted(fault: Fault, draw: random.Random, decimals: int) -> tuple[bool, bool]:
    """Plant one fault; return whether it was found, and whether by an alarm."""
    while True:
        printed = honest(draw, decimals)
        before = _checked(printed)
        assert before is not None
        known = {(finding.code, finding.subject) for finding in before.of(*ALARMS, Weight.EXPLAINED)}
        if not fault(printed, draw):
            continue
        after = _checked(printed)
        if after is None:
            raise SystemExit(f"{fault.__name__} makes a file that cannot be read")
        new = [f for f in after.of(*ALARMS, Weight.EXPLAINED) if (f.code, f.subject) not in known]
        return bool(new), any(finding.weight in ALARMS for finding in new)


def main() -> None:
    """Plant every fault, count, and write the page."""
    values: dict[str, object] = {"tables": TABLES, "seed": SEED}
    for decimals in DECIMALS:
        draw = random.Random(f"{SEED} honest {decimals}")
        results = [_checked(honest(draw, decimals)) for _ in range(TABLES)]
        values[f"false_{decimals}"] = sum(bool(one.of(*ALARMS)) for one in results if one is not None)
        values[f"soft_{decimals}"] = sum(bool(one.of(Weight.EXPLAINED)) for one in results if one is not None)
    rows = []
    for fault in FAULTS:
        cells = []
        for decimals in DECIMALS:
            draw = random.Random(f"{SEED} {fault.__name__} {decimals}")
            found = [_planted(fault, draw, decimals) for _ in range(TABLES)]
            for share in (sum(one for one, _ in found), sum(alarm for _, alarm in found)):
                cells.append(f"{100 * share / TABLES:.0f} %")
        what = (fault.__doc__ or "").strip().rstrip(".")
        rows.append(f"| {what} | {' | '.join(cells)} |")
        print(rows[-1], flush=True)
    page = PAGE.format(rows="\n".join(rows), **values)
    (HERE / "README.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
