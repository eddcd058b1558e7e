# SPDX-License-Identifier: Apache-2.0
"""Advise for 23,000 invented charts, hold every piece of advice to the laws, and write README.md.

`look` is what is done with one chart; `tests/care/test_simulated_charts.py` does the same with a few. Run as
``python -m validation advice``.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from sirolens.care.advice_json import to_json
from sirolens.care.consult import consult
from sirolens.dosing.recommend import Advice
from validation.advice.charts import simulated
from validation.advice.laws import advise, broken_laws, changed_by_the_future, continuous_dose_faults

__all__ = ["Tally", "look", "main", "tally"]

HERE = Path(__file__).parent
CHARTS = 23_000
DRAWS = 256  # per model: the laws hold for any number of draws, and few make time for many charts
WHOLE_EVERY = 100  # charts that go through the whole consultation, figures' data and JSON included
FUTURE_EVERY = 50  # charts that are advised again with another future
TARGET_EVERY = 5  # charts whose best continuous dose is asked for many targets
CHUNK = 100
WORKERS = 2
SHOWN = 40  # faults written out
FALL = 1e-6  # relative; below it a best dose has not fallen


@dataclass(slots=True)
class Tally:
    """What came out of some charts."""

    charts: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    largest: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take in another tally."""
        self.charts += other.charts
        self.seconds += other.seconds
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.counts += other.counts
        self.faults += other.faults
        for name, value in other.largest.items():
            self.largest[name] = max(value, self.largest.get(name, 0.0))


def look(number: int, *, whole: bool, future: bool, targets: bool = True, draws: int = DRAWS) -> Tally:
    """Advise for one chart and check the laws.

    Parameters
    ----------
    number : int
        Of the chart.
    whole : bool
        Go through the whole consultation too.
    future : bool
        Advise again with another future.
    targets : bool
        Ask for the best continuous dose under many targets.
    draws : int
        Per model.
    """
    found = Tally(charts=1)
    chart, at = simulated(number)
    began = time.process_time()
    try:
        advice, averaged, posterior = advise(chart, at, draws=draws)
        found.seconds = found.slowest_s = time.process_time() - began
        faults = broken_laws(advice)
        _count(found.counts, advice)
        if averaged is not None:
            found.counts["levels read by a model"] += int(any(member.estimate.used for member in averaged.members))
            found.counts["a model did not converge"] += int(not averaged.converged)
        if targets and posterior is not None and posterior.troughs is not None:
            more, measured = continuous_dose_faults(posterior.troughs)
            faults += more
            found.counts["target moved"] += 1
            found.largest = measured
            for name, value in measured.items():
                found.counts[name] += int(value > FALL)
        if future:
            faults += changed_by_the_future(chart, at, advice, draws=draws)
            found.counts["another future"] += 1
        if whole:
            consultation = consult(chart, at=at)
            faults += broken_laws(consultation.advice)
            to_json(consultation, "en")
            found.counts["whole consultation"] += 1
    except Exception as fault:  # whatever it is, it must be known, and the next chart must be looked at
        faults = [f"{type(fault).__name__}: {fault}"]
    found.faults = [f"chart {number}: {one}" for one in faults]
    return found


def _count(counts: Counter[str], advice: Advice) -> None:
    counts[f"outcome {advice.outcome}"] += 1
    counts[f"group {advice.who.group}"] += 1
    counts[f"severity {advice.messages[0].severity.name.lower()}" if advice.messages else "severity none"] += 1
    counts["options offered"] += len(advice.options)
    counts["options refused"] += len(advice.refused)
    counts["proportional rule given"] += int(advice.rule.daily_mg is not None)
    counts["loading dose given"] += int(advice.loading.dose_mg is not None)
    counts["next sample"] += 1


def tally(numbers: Iterable[int]) -> Tally:
    """Look at several charts."""
    total = Tally()
    for number in numbers:
        total.add(
            look(
                number,
                whole=number % WHOLE_EVERY == 0,
                future=number % FUTURE_EVERY == 0,
                targets=number % TARGET_EVERY == 0,
            )
        )
    return total


def page(total: Tally, wall_s: float) -> str:
    """Write the page with the numbers."""
    counts = total.counts

    def table(prefix: str) -> str:
        rows = [(name.removeprefix(prefix), n) for name, n in sorted(counts.items()) if name.startswith(prefix)]
        return "\n".join(f"| {name} | {n} | {100 * n / total.charts:.1f} % |" for name, n in rows)

    moved = counts["target moved"]
    fell = "\n".join(
        f"| {name.removeprefix('fell ')} | {counts[name]} | {100 * counts[name] / moved:.2f} % | "
        f"{100 * total.largest[name]:.0f} % |"
        for name in sorted(total.largest)
        if name.startswith("fell")
    )
    return (
        (HERE / "page.txt")
        .read_text(encoding="utf-8")
        .format(
            charts=total.charts,
            n_faults=len(total.faults),
            broken="\n".join(f"- {one}" for one in total.faults[:SHOWN]) or "No fault was found.",
            whole=counts["whole consultation"],
            offered=counts["options offered"],
            refused=counts["options refused"],
            future=counts["another future"],
            moved=moved,
            outcomes=table("outcome "),
            groups=table("group "),
            severities=table("severity "),
            read=counts["levels read by a model"],
            silent=counts["a model did not converge"],
            rule=counts["proportional rule given"],
            loading=counts["loading dose given"],
            not_scaled=100 * total.largest.get("not-scaled", 0.0),
            fell=fell,
            each_ms=total.seconds / total.charts * 1000,
            slowest_s=total.slowest_s,
            draws=DRAWS,
            wall_min=wall_s / 60,
            workers=WORKERS,
        )
    )


def main() -> None:
    """Look at every chart and write README.md."""
    os.nice(10)
    began = time.monotonic()
    total = Tally()
    chunks = [range(first, min(first + CHUNK, CHARTS)) for first in range(0, CHARTS, CHUNK)]
    with ProcessPoolExecutor(WORKERS) as pool:
        for found in pool.map(tally, chunks):
            total.add(found)
            if total.charts % (10 * CHUNK) == 0:
                print(f"{total.charts} charts, {len(total.faults)} faults", flush=True)
    (HERE / "README.md").write_text(page(total, time.monotonic() - began), encoding="utf-8")
    print(f"{total.charts} charts, {len(total.faults)} faults: validation/advice/README.md")


if __name__ == "__main__":
    main()
