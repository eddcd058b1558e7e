# SPDX-License-Identifier: Apache-2.0
"""Invented tables of two-arm studies, honestly computed and printed, and faults planted in them one at a time."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from statistics import mean, stdev
from typing import Any

from sirolens.engine.statistics.proportion import clopper_pearson, wilson
from sirolens.study.checker.p_values import p_values

ROUNDINGS = (ROUND_HALF_UP, ROUND_HALF_EVEN)
NAMED_TESTS = ("", "chi-square", "chi-square-uncorrected", "chi-square-corrected", "fisher")
ARMS = ("A", "B")


def number(exact: Decimal, decimals: int, rounding: str) -> str:
    return format(exact.quantize(Decimal(1).scaleb(-decimals), rounding=rounding), "f")


@dataclass
class Printed:
    """A table as printed; faults change it in place."""

    decimals: int
    rounding: str
    sizes: dict[str, int]
    shares: list[dict[str, Any]] = field(default_factory=list)
    comparisons: list[dict[str, Any]] = field(default_factory=list)
    means: list[dict[str, Any]] = field(default_factory=list)

    def percent(self, k: int, n: int) -> str:
        return number(Decimal(100 * k) / Decimal(n), self.decimals, self.rounding)

    def share(self, group: str, outcome: str) -> dict[str, Any]:
        return next(one for one in self.shares if (one["group"], one["outcome"]) == (group, outcome))

    def text(self) -> str:
        """Write it in the checker's format."""
        lines = ['title = "Invented"', 'source = { title = "Invented", mark = "assumed", place = "none" }']
        for name, size in self.sizes.items():
            lines += ["[[groups]]", f'name = "{name}"', f"sizes = {{ randomised = {size} }}"]
        lines += ["[[splits]]", 'whole = "all"', 'parts = ["A", "B"]', 'size = "randomised"']
        for kind, entries in (("proportions", self.shares), ("comparisons", self.comparisons), ("means", self.means)):
            for entry in entries:
                lines.append(f"[[{kind}]]")
                lines += [f"{key} = {_toml(value)}" for key, value in entry.items() if value is not None]
        return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return "[" + ", ".join(map(_toml, value)) + "]" if isinstance(value, list) else str(value)


def honest(draw: random.Random, decimals: int) -> Printed:
    """Make a table: two arms of 12 to 60, responses in parts, adverse events, P values, intervals, a mean with SD."""
    sizes = {arm: draw.randint(12, 60) for arm in ARMS}
    printed = Printed(decimals=decimals, rounding=draw.choice(ROUNDINGS), sizes={"all": sum(sizes.values()), **sizes})
    counts: dict[str, dict[str, int]] = {}
    for arm, n in sizes.items():
        complete = draw.randint(1, n // 2)
        partial = draw.randint(1, n - complete - 1)
        total = complete + partial
        sustained, events = draw.randint(0, total), draw.randint(0, n)
        counts[arm] = {"OR": total, "CR": complete, "PR": partial, "NR": n - total, "SR": sustained, "AE": events}
        for outcome in ("OR", "CR", "PR", "NR"):
            k = counts[arm][outcome]
            entry = {"group": arm, "outcome": outcome, "count": k, "of": n, "percent": printed.percent(k, n)}
            if outcome == "OR":
                entry["sum_of"] = ["CR", "PR"]
                limits = draw.choice((clopper_pearson, wilson))(k, n)
                entry["interval"] = [
                    number(Decimal(100 * end), 1, printed.rounding) for end in (limits.low, limits.high)
                ]
            printed.shares.append(entry)
        printed.shares.append(
            {"group": arm, "outcome": "SR", "percent": printed.percent(sustained, n), "part_of": "OR"}
        )
        printed.shares.append({"group": arm, "outcome": "AE", "percent": printed.percent(events, n)})
        values = [draw.randint(0, 12) for _ in range(n)]
        printed.means.append(
            {
                "group": arm,
                "quantity": "relapses",
                "mean": number(Decimal(sum(values)) / Decimal(n), 2, printed.rounding),
                "sd": f"{stdev(values):.2f}",
                "n": n,
            }
        )
        assert mean(values) >= 0
    for outcome in ("OR", "CR"):
        values_p = p_values([(counts[arm][outcome], sizes[arm] - counts[arm][outcome]) for arm in ARMS])
        test = draw.choice(NAMED_TESTS)
        by = "chi-square-uncorrected" if test in ("", "chi-square") else test
        printed.comparisons.append(
            {
                "outcome": outcome,
                "groups": list(ARMS),
                "p": number(Decimal(values_p[by]), 3, printed.rounding),
                "test": test or None,
            }
        )
    return printed


Fault = Callable[[Printed, random.Random], bool]


def _other_digit(text: str, draw: random.Random, *, last: bool = False) -> str:
    places = [i for i, sign in enumerate(text) if sign.isdigit()]
    place = places[-1] if last else draw.choice(places)
    return text[:place] + draw.choice([d for d in "0123456789" if d != text[place]]) + text[place + 1 :]


def percent_with_count(printed: Printed, draw: random.Random) -> bool:
    """One digit of a percentage whose count is printed."""
    one = draw.choice([share for share in printed.shares if "count" in share])
    one["percent"] = _other_digit(one["percent"], draw)
    return True


def percent_alone(printed: Printed, draw: random.Random) -> bool:
    """One digit of a percentage whose count is not printed."""
    one = draw.choice([share for share in printed.shares if share["outcome"] == "AE"])
    one["percent"] = _other_digit(one["percent"], draw)
    return True


def count_by_one(printed: Printed, draw: random.Random) -> bool:
    """A count one too large."""
    one = draw.choice([share for share in printed.shares if "count" in share])
    one["count"] += 1
    return True


def denominator(printed: Printed, draw: random.Random) -> bool:
    """Percentages of one outcome computed from 1 to 4 patients fewer than printed."""
    one = draw.choice([share for share in printed.shares if "count" in share])
    fewer = one["of"] - draw.randint(1, 4)
    if one["count"] > fewer:
        return False
    honest_text, one["percent"] = one["percent"], printed.percent(one["count"], fewer)
    return bool(one["percent"] != honest_text)


def cut_off(printed: Printed, draw: random.Random) -> bool:
    """A percentage cut off instead of rounded."""
    one = draw.choice([share for share in printed.shares if "count" in share])
    cut = number(Decimal(100 * one["count"]) / Decimal(one["of"]), printed.decimals, ROUND_DOWN)
    changed = cut != one["percent"]
    one["percent"] = cut
    return changed


def of_responders(printed: Printed, draw: random.Random) -> bool:
    """Sustained responses as percentages of responders, without a word."""
    changed = False
    for arm in ARMS:
        responders = printed.share(arm, "OR")["count"]
        kept = draw.randint(responders // 2, responders)
        printed.share(arm, "SR")["percent"] = printed.percent(kept, responders)
        changed = changed or kept > 0
    return changed


def total(printed: Printed, draw: random.Random) -> bool:
    """A total one too large, with its percentage to match."""
    one = printed.share(draw.choice(ARMS), "OR")
    one["count"] += 1
    one["percent"] = printed.percent(one["count"], one["of"])
    del one["interval"]
    return True


def p_digit(printed: Printed, draw: random.Random) -> bool:
    """One digit after the point of a P value."""
    one = draw.choice(printed.comparisons)
    whole, point, rest = one["p"].partition(".")
    if whole != "0":
        return False
    one["p"] = whole + point + _other_digit(rest, draw)
    return True


def p_test(printed: Printed, draw: random.Random) -> bool:
    """A P value of the uncorrected chi-square test said to be Fisher's."""
    one = draw.choice(printed.comparisons)
    shares = [printed.share(arm, one["outcome"]) for arm in ARMS]
    values = p_values([(share["count"], share["of"] - share["count"]) for share in shares])
    one["p"], one["test"] = number(Decimal(values["chi-square-uncorrected"]), 3, printed.rounding), "fisher"
    return bool(one["p"] != number(Decimal(values["fisher"]), 3, printed.rounding))


def interval_digit(printed: Printed, draw: random.Random) -> bool:
    """One digit of an interval's end."""
    one = printed.share(draw.choice(ARMS), "OR")
    place = draw.randrange(2)
    one["interval"][place] = _other_digit(one["interval"][place], draw)
    return float(one["interval"][0]) <= float(one["interval"][1])


def mean_digit(printed: Printed, draw: random.Random) -> bool:
    """The last digit of a mean of whole numbers."""
    one = draw.choice(printed.means)
    one["mean"] = _other_digit(one["mean"], draw, last=True)
    return True


def sd_digit(printed: Printed, draw: random.Random) -> bool:
    """The last digit of a standard deviation of whole numbers."""
    one = draw.choice(printed.means)
    one["sd"] = _other_digit(one["sd"], draw, last=True)
    return True


def arm_size(printed: Printed, draw: random.Random) -> bool:
    """The size of all patients one too small."""
    printed.sizes["all"] -= 1
    return draw is not None


FAULTS: tuple[Fault, ...] = (
    percent_with_count,
    percent_alone,
    count_by_one,
    denominator,
    cut_off,
    of_responders,
    total,
    p_digit,
    p_test,
    interval_digit,
    mean_digit,
    sd_digit,
    arm_size,
)
