# SPDX-License-Identifier: Apache-2.0
"""Reads a chart whose table of doses has a million rows, sound and faulty; writes what it took to README.md.

Run as ``python -m validation input``.
"""

from __future__ import annotations

import platform
import resource
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sirolens.errors import ChartError
from sirolens.interop.chart_csv import from_csv

ROWS = 1_000_000
HERE = Path(__file__).parent
PAGE = """# A million rows

A chart with {rows:,} recorded doses as a folder of CSV files, read by `sirolens.interop.chart_csv.from_csv`
(`python -m validation input`; {machine}, CPython {python}).

| table | outcome | CPU time | per row | memory |
|---|---|---|---|---|
| every row sound | {facts:,} doses, no flag | {sound_s:.0f} s | {sound_us:.0f} us | {sound_mb:.0f} MB |
| no row with a unit | {told} faults told, all counted | {faulty_s:.0f} s | {faulty_us:.0f} us | {faulty_mb:.0f} MB |

The text is held whole, rows are read one after the other, and only the facts stay: {bytes_per_row:.0f} bytes a row.
What limits it is Python's own cost per row (times with zones, exact numbers, one fact with its checks), not the size of
the file.
"""


def _write(folder: Path, unit: str) -> None:
    (folder / "patient.csv").write_text("id,zone\nINVENTED,UTC\n", encoding="utf-8")
    start = datetime(1960, 1, 1, tzinfo=UTC)
    with (folder / "doses.csv").open("w", encoding="utf-8") as file:
        file.write("at,amount,unit\n")
        file.writelines(f"{(start + timedelta(minutes=30 * row)).isoformat()},2,{unit}\n" for row in range(ROWS))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Read both tables and write the page."""
    values: dict[str, object] = {"rows": ROWS, "machine": platform.machine(), "python": platform.python_version()}
    with TemporaryDirectory() as there:
        folder = Path(there)
        _write(folder, "")
        begin = time.process_time()
        try:
            from_csv(folder)
        except ChartError as refused:
            values["told"] = len(refused.messages) - 1
        taken = time.process_time() - begin
        values |= {"faulty_s": taken, "faulty_us": taken / ROWS * 1e6, "faulty_mb": _peak_mb()}
        _write(folder, "mg")
        begin = time.process_time()
        chart, flags = from_csv(folder)
        taken = time.process_time() - begin
        values |= {"sound_s": taken, "sound_us": taken / ROWS * 1e6, "sound_mb": _peak_mb(), "facts": len(chart.doses)}
        values |= {"bytes_per_row": (_peak_mb() - 50) * 1024 * 1024 / ROWS}
        if len(chart.doses) != ROWS or flags:
            raise SystemExit(f"read {len(chart.doses)} of {ROWS} rows, flags {[flag.code for flag in flags]}")
    page = PAGE.format(**values)
    (HERE / "README.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
