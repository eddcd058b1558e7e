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
from hashlib import blake2b
from pathlib import Path

from validation.mutation.mutants import Mutant, mutants
from validation.mutation.runner import Outcome

BY_HAND, FEW_SEEDS = 150, 60
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
    """Mutants drawn by chance, equivalent ones left out; by their own text, so that an edit elsewhere keeps them."""
    known = equivalent()

    def lot(one: tuple[str, Mutant]) -> bytes:
        return blake2b(one[1].key.encode(), salt=seed.to_bytes(8)).digest()

    return sorted((one for one in all_mutants() if one[1].key not in known), key=lot)[:number]


def _page(found: list[Outcome], sizes: dict[str, int]) -> str:
    known = equivalent()
    kinds: dict[str, Counter[str]] = {}
    for outcome in found:
        alive = "equivalent" if outcome.mutant.key in known else "alive"
        kinds.setdefault(outcome.mutant.operator, Counter())[alive if outcome.fate == "survived" else "killed"] += 1
    total = sum(kinds.values(), Counter())
    rows = [
        f"| {kind} | {counts.total()} | {counts['killed']} | {counts['equivalent']} | {counts['alive']} |"
        for kind, counts in [*sorted(kinds.items()), ("all", total)]
    ]
    alive = [one.mutant.key for one in found if one.fate == "survived" and one.mutant.key not in known]
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
            few=sizes["few"],
            by_hand=sizes["alone"],
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
    charts = battery.Battery.made(seeds=FEW_SEEDS) if wanted else battery.Battery.made()
    started = time.monotonic()
    known, jobs = equivalent(), len(os.sched_getaffinity(0))

    def told(outcome: runner.Outcome) -> None:
        if outcome.fate == "survived" and outcome.mutant.key not in known:
            print(f"alive: {outcome.mutant.line} {outcome.mutant.key}", flush=True)

    if not runner.unchanged_survives(charts.agrees, forget=battery.FORGET):
        raise SystemExit("the charts do not agree with the kernel as it is")
    found = runner.outcomes(todo, charts.agrees, jobs=jobs, forget=battery.FORGET, told=told)
    # Which of them the charts by hand kill alone is for the page only, not for a test of a few.
    alone_too = [] if wanted else [one for one in todo if one[1].key not in known]
    few = random.Random(2).sample(alone_too, min(BY_HAND, len(alone_too)))
    alone = runner.outcomes(few, charts.hand_agrees, jobs=jobs, forget=battery.FORGET)
    sizes = {"hand": len(charts.by_hand), "drawn": charts.drawn_charts, "few": len(few)}
    sizes["alone"] = sum(outcome.fate != "survived" for outcome in alone)
    page = _page(found, sizes)
    if not wanted:
        (HERE / "README.md").write_text(page, encoding="utf-8")
    print(page, f"{time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
