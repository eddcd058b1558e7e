# SPDX-License-Identifier: Apache-2.0
"""Recomputes printed P values under the tests a paper may have used, and says which of them print what is printed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from sirolens.engine.statistics.printed import PrintedP, percent_text
from sirolens.message import Message, info
from sirolens.study.checker.counts import Counts
from sirolens.study.checker.findings import Finding, Weight, make, subject
from sirolens.study.checker.published import Comparison, PairedTest, Proportion

__all__ = ["check_p_values", "p_text", "p_values", "signed_rank_p_values"]

#: A printed P value this many units of its last digit away from a computed one is called near it.
NEAR_UNITS = 1
MEANS: Mapping[str, tuple[str, ...]] = {
    "chi-square": ("chi-square-uncorrected", "chi-square-corrected"),
}
#: Above this many pairs the exact signed-rank distribution is not built: its asymptotic form is then as good.
MOST_PAIRS = 60


def p_text(p: float, decimals: int = 3) -> str:
    """Write a P value with so many decimals, more where it is small.

    >>> p_text(0.69571), p_text(0.00012), p_text(0.0000001)
    ('0.696', '0.00012', '<0.000001')
    """
    if p < 1e-6:
        return "<0.000001"
    return f"{p:.{max(decimals, 1 - math.floor(math.log10(p)))}f}"


def p_values(table: Sequence[tuple[int, int]]) -> dict[str, float]:
    """Return the two-sided P values of a table of counts under several tests.

    Parameters
    ----------
    table : sequence of (int, int)
        With the outcome and without it, one row a group.

    Returns
    -------
    dict of str to float
        By the names of `sirolens.study.published.TESTS`; empty when nobody, or everybody, has the outcome.

    Examples
    --------
    >>> {name: round(p, 3) for name, p in p_values([(17, 8), (11, 17)]).items()}["chi-square-uncorrected"]
    0.037
    """
    from sirolens.engine.statistics.contrast import fisher, pearson

    if any(sum(row) == 0 for row in table) or any(sum(column) == 0 for column in zip(*table, strict=True)):
        return {}
    rows = [list(row) for row in table]
    found = {"chi-square-uncorrected": pearson(rows).p_value}
    if len(rows) == 2:
        exact = fisher(rows).p_value
        found["chi-square-corrected"] = pearson(rows, yates=True).p_value
        found["fisher"] = exact
        found["mid-p"] = exact - _probability(table) / 2
        found["likelihood-ratio"] = _likelihood_ratio(table)
    elif sum(map(sum, rows)) <= 200:
        found["fisher"] = fisher(rows).p_value
    return found


def _probability(table: Sequence[tuple[int, int]]) -> float:
    """Return the hypergeometric probability of a table of two rows."""
    (a, b), (c, d) = table
    return float(Fraction(math.comb(a + b, a) * math.comb(c + d, c), math.comb(a + b + c + d, a + c)))


def _likelihood_ratio(table: Sequence[tuple[int, int]]) -> float:
    """Return the P value of the likelihood-ratio test of two rows: chi-square with one degree of freedom."""
    n = sum(map(sum, table))
    columns = [sum(column) for column in zip(*table, strict=True)]
    g = sum(
        2 * cell * math.log(cell * n / (sum(row) * column))
        for row in table
        for cell, column in zip(row, columns, strict=True)
        if cell
    )
    return math.erfc(math.sqrt(max(0.0, g) / 2))


def check_p_values(counts: Counts) -> Iterator[Finding]:
    """Yield what is found of printed P values.

    Parameters
    ----------
    counts : Counts
        From `sirolens.study.checker.counts.work_out`.
    """
    for one in counts.published.comparisons:
        yield from _comparison(counts, one)
    for paired in counts.published.paired_tests:
        yield _paired(paired)


def _comparison(counts: Counts, one: Comparison) -> Iterator[Finding]:
    what = subject(one.outcome, one.time)
    shares = [_share_of(counts, group, one) for group in one.groups]
    pairs = [counts.pair(share) for share in shares]
    known = [pair for pair in pairs if pair is not None]
    if len(known) < len(pairs):
        yield make(Weight.NOTE, "checker.p-counts-unknown", what, one.place, printed=one.p.text)
        return
    values = p_values([(k, n - k) for k, n in known])
    table = tuple(f"{k}/{n}" for k, n in known)
    if not values:
        yield make(Weight.NOTE, "checker.p-undefined", what, one.place, printed=one.p.text, table=table)
        return
    yield _judged(what, one, values, table)
    wide = [_of_the_group(counts, share) for share in shares]
    if all(pair is not None for pair in wide) and wide != known:
        yield from _other_denominator(what, one, [pair for pair in wide if pair is not None])


def _share_of(counts: Counts, group: str, one: Comparison) -> Proportion | None:
    found = counts.published.find(group, one.outcome, one.time)
    if not found and not one.time:  # the time is left out where there is only one
        found = counts.published.find(group, one.outcome)
        found = found if len({share.time for share in found}) == 1 else ()
    return found[0] if found else None


def _told(values: Mapping[str, float]) -> tuple[Message, ...]:
    return tuple(info(f"checker.p-by-{name}", p=p_text(p)) for name, p in values.items())


def _named(names: Sequence[str]) -> tuple[Message, ...]:
    return tuple(info(f"checker.test-{name}") for name in names)


def _judged(what: str, one: Comparison, values: Mapping[str, float], table: tuple[str, ...]) -> Finding:
    holding = [name for name, p in values.items() if one.p.holds_for(p)]
    said = [name for name in MEANS.get(one.test, (one.test,)) if name in values]
    computed = tuple(f"{name} {p_text(p)}" for name, p in values.items())
    if said and not set(said) & set(holding):
        weight = Weight.EXPLAINED if holding else _weight_of_none(one.p, values)
        code = "checker.p-other-test" if holding else _code_of_none(weight)
    elif not holding:
        weight = _weight_of_none(one.p, values)
        code = _code_of_none(weight)
    elif one.p.relation != "=" and len(holding) < len(values):
        weight, code = Weight.NOTE, "checker.p-depends-on-test"
    else:
        weight, code = Weight.PASSED, "checker.p-reproduced"
    nearest = min(values, key=lambda name: one.p.distance(values[name]))
    return make(
        weight,
        code,
        what,
        one.place,
        printed=one.p.text,
        computed=computed,
        table=table,
        tests=_told(values),
        holding=_named(holding),
        others=_named([name for name in values if name not in holding]),
        said=_named(said),
        nearest=info(f"checker.test-{nearest}"),
        nearest_p=p_text(values[nearest]),
    )


def _weight_of_none(p: PrintedP, values: Mapping[str, float]) -> Weight:
    room = float(p.number.half_step) * (1 + 2 * NEAR_UNITS)
    near = p.relation == "=" and any(p.distance(value) <= room for value in values.values())
    return Weight.NOTE if near else Weight.INCONSISTENT


def _code_of_none(weight: Weight) -> str:
    return "checker.p-near" if weight is Weight.NOTE else "checker.p-not-reproduced"


def _of_the_group(counts: Counts, share: Proportion | None) -> tuple[int, int] | None:
    """Return the count with the whole group as denominator where the share is of an outcome only."""
    pair = counts.pair(share)
    if share is None or pair is None or not share.among:
        return pair
    of = counts.published.find(share.group, share.among, share.time) or counts.published.find(share.group, share.among)
    wide = counts.pair(of[0]) if of else None
    return pair if wide is None else (pair[0], wide[1])


def _other_denominator(what: str, one: Comparison, wide: Sequence[tuple[int, int]]) -> Iterator[Finding]:
    """The same counts of whole groups: does the printed P still hold?"""
    values = p_values([(k, n - k) for k, n in wide])
    if not values:
        return
    holding = [name for name, p in values.items() if one.p.holds_for(p)]
    yield make(
        Weight.NOTE,
        "checker.p-of-whole-groups" if holding else "checker.p-of-whole-groups-differs",
        what,
        one.place,
        printed=one.p.text,
        computed=tuple(f"{name} {p_text(p)}" for name, p in values.items()),
        table=tuple(f"{k}/{n} ({percent_text(k, n, 1)} %)" for k, n in wide),
        tests=_told(values),
    )


def signed_rank_p_values(n: int) -> dict[int, tuple[float, float | None]]:
    """Return the two-sided P values Wilcoxon's signed-rank test can give with n pairs and no ties.

    The asymptotic form is the one without continuity correction, ``z = (W - n(n+1)/4) / sqrt(n(n+1)(2n+1)/24)``.

    Parameters
    ----------
    n : int
        Pairs that differ.

    Returns
    -------
    dict of int to (float, float or None)
        Smaller rank sum W -> asymptotic P, exact P (None above `MOST_PAIRS`).

    Examples
    --------
    >>> asymptotic, exact = signed_rank_p_values(7)[0]
    >>> round(asymptotic, 4), exact
    (0.018, 0.015625)
    """
    most = n * (n + 1) // 2
    spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    ways = _rank_sum_ways(n) if n <= MOST_PAIRS else None
    found: dict[int, tuple[float, float | None]] = {}
    below = 0
    for w in range(most // 2 + 1):
        asymptotic = math.erfc((most / 2 - w) / spread / math.sqrt(2))
        exact = None
        if ways is not None:
            below += ways[w]
            exact = min(1.0, 2 * below / 2**n)
        found[w] = (asymptotic, exact)
    return found


def _rank_sum_ways(n: int) -> list[int]:
    """Count the sets of ranks 1..n by their sum."""
    ways = [1] + [0] * (n * (n + 1) // 2)
    for rank in range(1, n + 1):
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    return ways


def _paired(one: PairedTest) -> Finding:
    """A P value of a change in n patients: can the signed-rank test give it?"""
    what = subject(one.what, one.time)
    fits: list[Message] = []
    computed = []
    for n in range(one.n, max(0, one.n - 2), -1):  # a pair without a change is left out by most programs
        for w, (asymptotic, exact) in signed_rank_p_values(n).items():
            for form, p in (("asymptotic", asymptotic), ("exact", exact)):
                if p is not None and one.p.holds_for(p):
                    fits.append(info(f"checker.signed-rank-{form}", n=n, w=w, p=p_text(p, 4)))
                    computed.append(f"n={n} W={w} {form} {p_text(p, 4)}")
        if one.p.relation != "=":
            break
    if one.p.relation != "=":
        smallest = min(p for pair in signed_rank_p_values(one.n).values() for p in pair if p is not None)
        possible = bool(fits)
        return make(
            Weight.PASSED if possible else Weight.IMPOSSIBLE,
            "checker.paired-possible" if possible else "checker.paired-too-small",
            what,
            one.place,
            printed=one.p.text,
            computed=(p_text(smallest, 4),),
            n=one.n,
        )
    return make(
        Weight.PASSED if fits else Weight.NOTE,
        "checker.paired-found" if fits else "checker.paired-not-found",
        what,
        one.place,
        printed=one.p.text,
        computed=tuple(computed),
        n=one.n,
        ways=tuple(fits),
    )
