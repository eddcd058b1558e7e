# SPDX-License-Identifier: Apache-2.0
r"""How often a stop rule on a random sample errs, exactly, and the boundaries that keep that within bounds.

Be u the unscreened records when a sample is opened, r the relevant records found before, m the unknown number of
relevant ones among the u, X_n those among the first n of the random order, :math:`n_1 < ... < n_L` the looks,
:math:`\tau` the target recall. Screening stops at the first look with :math:`X_{n_j} \le c_j`; the recall reached is
:math:`(r + X_{n_j})/(r + m)`.

**The law.** The order was fixed by a hash of seed and record id before anybody read anything, and the ranking does
not use it. Given all that happened before the opening (ranking, decisions, the choice of the moment), u, r and m are
fixed numbers and the order is uniformly random. Hence, whatever the ranking was, X follows the hypergeometric law

.. math:: X_{n_{j+1}} - X_{n_j} \mid X_{n_j} \sim \mathrm{Hypergeometric}(u - n_j,\; m - X_{n_j},\; n_{j+1} - n_j).

Stopping with x found is an error when :math:`r + x < \tau (r + m)`, that is when m is at least

.. math:: K(x) = \lfloor (r + x)/\tau - r \rfloor + 1,

and for given m the errors are the stops with :math:`x \le e(m) = \max\{x : K(x) \le m\}`. X only grows from look to
look, so a path that lies at or under :math:`\min(c_j, e(m))` at some look has made its first stop with no more than
that, an error too; therefore

.. math:: \Pr_m(\text{error}) = \Pr_m\bigl(\exists j: X_{n_j} \le \min(c_j, e(m))\bigr).

For a fixed e this probability falls with m: one more relevant record can only raise every X_n (same order, one record
turned relevant). So among all m with e(m) = x the worst is m = K(x), and past :math:`x = \max_j c_j` nothing gets
worse. The boundaries are chosen look by look, each :math:`c_j` the largest whole number for which

.. math:: \max_{x \ge 0}\; \Pr_{K(x)}\bigl(\exists i \le j: X_{n_i} \le \min(c_i, x)\bigr) \le \alpha\, j / L ,

computed exactly by stepping the law of X from look to look and taking out the paths that have stopped. What one look
does not spend is there for the next. The error is then at most alpha for every m, every ranking and every moment of
opening.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import final

import numpy as np
from numpy.typing import NDArray

__all__ = ["boundaries", "crossing", "fewest_missed"]

ROUNDING = 1e-9  # more than the rounding of these sums; never spent


def fewest_missed(found_before: int, found: int, target: Fraction) -> int:
    """Return K(x): the smallest number of relevant records in the pool that makes stopping with x found an error.

    >>> [fewest_missed(r, 0, Fraction("0.95")) for r in (0, 18, 19, 37, 38, 100)]
    [1, 1, 2, 2, 3, 6]
    """
    return math.floor((found_before + found) / target - found_before) + 1


def boundaries(
    unscreened: int, found_before: int, looks: tuple[int, ...], target: Fraction, allowed: float
) -> tuple[int, ...]:
    """Return the largest boundary of every look that keeps the worst case within the error spent so far.

    Parameters
    ----------
    unscreened, found_before : int
        u and r.
    looks : tuple of int
        Rising, below u.
    target : Fraction
        The target recall.
    allowed : float
        Alpha.

    Returns
    -------
    tuple of int
        One for each look; -1 where it cannot stop.

    Examples
    --------
    >>> boundaries(1000, 100, (500, 800), Fraction("0.95"), 0.05)
    (0, 8)
    """
    table = _log_factorials(unscreened)
    paths: list[_Path] = []  # one for every x for which an error is possible
    chosen: list[int] = []
    for number, look in enumerate(looks, 1):
        spendable = allowed * number / len(looks) - ROUNDING
        for path in paths:
            path.move(look)
        bound = -1
        while bound < look:
            missed = fewest_missed(found_before, bound + 1, target)
            if len(paths) == bound + 1 and missed <= unscreened:
                paths.append(_Path(unscreened, missed, bound + 1, table))
                paths[-1].replay(looks[: number - 1], chosen)
                paths[-1].move(look)
            if any(path.spent(bound + 1) > spendable for path in paths):
                break
            bound += 1
        for path in paths:
            path.settle(bound)
        chosen.append(bound)
    return tuple(chosen)


def crossing(
    unscreened: int,
    found_before: int,
    looks: tuple[int, ...],
    most_found: tuple[int, ...],
    missed: int,
    target: Fraction,
) -> float:
    """Return the probability of stopping below the target recall when so many relevant records are in the pool.

    Parameters
    ----------
    unscreened, found_before : int
        u and r.
    looks, most_found : tuple of int
        The looks and their boundaries.
    missed : int
        m.
    target : Fraction

    Examples
    --------
    One look at half of 1,000 records, stop when nothing is found: (500/1000)(499/999)...(495/995) for six of them.

    >>> round(crossing(1000, 100, (500,), (0,), 6, Fraction("0.95")), 6)
    0.015391
    """
    errors = [x for x in range(missed + 1) if fewest_missed(found_before, x, target) <= missed]
    if not errors:
        return 0.0
    path = _Path(unscreened, missed, errors[-1], _log_factorials(unscreened))
    path.replay(looks, list(most_found))
    return path.stopped


@final
class _Path:
    """The law of X from look to look for one m, as far as it lies at or under e(m), without what has stopped."""

    def __init__(self, unscreened: int, missed: int, most: int, table: NDArray[np.float64]) -> None:
        self.unscreened, self.missed, self.most, self.table = unscreened, missed, most, table
        self.alive = np.zeros(most + 1)
        self.alive[0] = 1.0
        self.drawn, self.stopped = 0, 0.0

    def move(self, look: int) -> None:
        """Draw on up to a look."""
        found = np.arange(self.most + 1)
        more = found[None, :] - found[:, None]
        records, relevant, drawn = self.unscreened - self.drawn, self.missed - found[:, None], look - self.drawn
        fits = (more >= 0) & (more <= drawn) & (relevant - more <= records - drawn) & (relevant - more >= 0)
        row, column = np.nonzero(fits)
        left, x = self.missed - row, column - row
        log = self._choose(left, x) + self._choose(records - left, drawn - x)
        step = np.zeros(fits.shape)
        step[row, column] = np.exp(log - self._choose(np.array([records]), np.array([drawn])))
        self.alive = (self.alive[:, None] * step).sum(axis=0)
        self.drawn = look

    def spent(self, bound: int) -> float:
        """Return the probability of an error up to here with this boundary at the present look."""
        return self.stopped + float(self.alive[: min(bound, self.most) + 1].sum())

    def settle(self, bound: int) -> None:
        """Take out what stops at the present look."""
        self.stopped = self.spent(bound)
        self.alive[: min(bound, self.most) + 1] = 0.0

    def replay(self, looks: tuple[int, ...], bounds: list[int]) -> None:
        """Go through looks whose boundaries are known."""
        for look, bound in zip(looks, bounds, strict=True):
            self.move(look)
            self.settle(bound)

    def _choose(self, n: NDArray[np.int64], k: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return ln C(n, k)."""
        return np.asarray(self.table[n] - self.table[k] - self.table[n - k])


def _log_factorials(largest: int) -> NDArray[np.float64]:
    """Return ln 0!, ln 1!, ... with the rounding error carried along (Kahan), so that it does not grow."""
    total, carried, sums = 0.0, 0.0, [0.0]
    for n in range(1, largest + 1):
        corrected = math.log(n) - carried
        raised = total + corrected
        carried = (raised - total) - corrected
        total = raised
        sums.append(total)
    return np.array(sums)
