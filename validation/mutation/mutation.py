# SPDX-License-Identifier: Apache-2.0
"""Changes the response rules' kernel in every small way and counts how many changes the charts notice.

Run as ``python -m validation mutation``; ``python -m validation.mutation.mutation 40`` tries 40 drawn by chance.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path

from validation.mutation.mutants import Mutant, mutants

HERE = Path(__file__).parent
RESPONSE = HERE.parent.parent / "src" / "sirolens" / "response"


def kernel_modules() -> list[str]:
    """The modules whose rules are mutated."""
    return [f"sirolens.response.{path.stem}" for path in sorted(RESPONSE.glob("kernel*.py"))]


def all_mutants() -> list[tuple[str, Mutant]]:
    """Every mutant of every kernel module."""
    return [
        (module, mutant)
        for module in kernel_modules()
        for mutant in mutants((RESPONSE / f"{module.rsplit('.', 1)[1]}.py").read_text(encoding="utf-8"))
    ]


def equivalent() -> dict[str, str]:
    """The mutants no input can tell from the kernel: key and reason."""
    with (HERE / "equivalent.toml").open("rb") as file:
        return {one["mutant"]: one["why"] for one in tomllib.load(file).get("equivalent", [])}


def sample(number: int, seed: int) -> list[tuple[str, Mutant]]:
    """Mutants drawn by chance, equivalent ones left out."""
    known = equivalent()
    return random.Random(seed).sample([one for one in all_mutants() if one[1].key not in known], number)


def _page(fates: list[tuple[Mutant, str, bool]], sizes: dict[str, int]) -> str:
    known = equivalent()
    kinds: dict[str, Counter[str]] = {}
    for mutant, fate, _ in fates:
        what = "equivalent" if mutant.key in known else "alive" if fate == "survived" else "killed"
        kinds.setdefault(mutant.operator, Counter())[what] += 1
    total = sum(kinds.values(), Counter())
    rows = [
        f"| {kind} | {counts.total()} | {counts['killed']} | {counts['equivalent']} | {counts['alive']} |"
        for kind, counts in [*sorted(kinds.items()), ("all", total)]
    ]
    alive = [mutant.key for mutant, fate, _ in fates if fate == "survived" and mutant.key not in known]
    survivors = "Nothing is left alive.\n"
    if alive:
        survivors = "Alive (function, line, change):\n\n" + "".join(f"- `{key}`\n" for key in alive)
    return (
        (HERE / "page.txt")
        .read_text(encoding="utf-8")
        .format(
            files=" and ".join(f"`src/{module.replace('.', '/')}.py`" for module in kernel_modules()),
            hand=sizes["hand"],
            drawn=f"{sizes['drawn']:,}",
            table="\n".join(rows),
            killed=total["killed"],
            countable=total["killed"] + total["alive"],
            percent=100 * total["killed"] / (total["killed"] + total["alive"]),
            equivalents=total["equivalent"],
            by_hand=sum(by_hand for mutant, _, by_hand in fates if mutant.key not in known),
            survivors=survivors,
        )
    )


def main() -> None:
    """Run all mutants in a process that does not compile, and write the page."""
    if os.environ.get("NUMBA_DISABLE_JIT") != "1":
        arguments = [sys.executable, "-m", "validation.mutation.mutation", *sys.argv[2:]]
        subprocess.run(arguments, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, check=True)
        return
    from validation.mutation import battery, runner

    wanted = [int(word) for word in sys.argv[1:] if word.isdigit()]
    todo = sample(wanted[0], seed=1) if wanted else all_mutants()
    charts = battery.Battery.drawn()
    started = time.monotonic()
    fates: list[tuple[Mutant, str, bool]] = []

    def told(outcome: runner.Outcome) -> None:
        if outcome.fate == "survived":
            print(outcome.mutant.key, "SURVIVED", flush=True)

    jobs = len(os.sched_getaffinity(0))
    hand = runner.outcomes(todo, charts.hand_agrees, jobs=jobs, forget=battery.FORGET)
    left = [one for one, outcome in zip(todo, hand, strict=True) if outcome.fate == "survived"]
    rest = iter(runner.outcomes(left, charts.drawn_agrees, jobs=jobs, forget=battery.FORGET, told=told))
    for (_, mutant), outcome in zip(todo, hand, strict=True):
        alone = outcome.fate != "survived"
        fates.append((mutant, outcome.fate if alone else next(rest).fate, alone))
    page = _page(fates, {"hand": charts.hand_charts, "drawn": charts.drawn_charts})
    if not wanted:
        (HERE / "README.md").write_text(page, encoding="utf-8")
    print(page, f"{time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
