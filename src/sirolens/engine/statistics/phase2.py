# SPDX-License-Identifier: Apache-2.0
"""Small single-arm trials: Simon's two stages, what may be said after them, sample size and futility.

Notation as usual: stop after `n1` patients with `r1` responses or fewer; with `n` patients in all, the drug is not
worth pursuing with `r` responses or fewer. Oracles: published designs, enumeration of every course of a trial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from sirolens.engine.statistics.interval import Array, Interval, Undefined, checked_level

__all__ = [
    "PredictiveProbability",
    "SingleStage",
    "TwoStageDesign",
    "TwoStagePair",
    "TwoStageResult",
    "after_two_stages",
    "design_properties",
    "predictive_probability",
    "sample_size_precision",
    "sample_size_single_stage",
    "simon_two_stage",
]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TwoStageDesign:
    """A design of two stages with its properties.

    Parameters
    ----------
    r1, n1, r, n : int
        Stop after n1 patients with r1 responses or fewer; no effect with r or fewer of n.
    p0, p1 : float
        The rate not worth pursuing, and the rate hoped for.
    alpha, power : float
        Probability to declare an effect at p0, and at p1.
    expected_n, stop_probability : float
        At p0: patients expected, and probability to stop after the first stage.
    """

    r1: int
    n1: int
    r: int
    n: int
    p0: float
    p1: float
    alpha: float
    power: float
    expected_n: float
    stop_probability: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TwoStagePair:
    """Simon's two choices among all designs that keep both error rates.

    Parameters
    ----------
    optimal : TwoStageDesign or None
        Fewest patients expected at p0.
    minimax : TwoStageDesign or None
        Fewest patients at most; among those, fewest expected.
    largest_n : int
        The largest n searched.
    reason : Undefined, optional
        No design of that size keeps both error rates.
    """

    optimal: TwoStageDesign | None
    minimax: TwoStageDesign | None
    largest_n: int
    reason: Undefined | None = None


def _checked_rates(p0: float, p1: float) -> None:
    if not 0 < p0 < p1 < 1:
        raise ValueError(f"rates rise from above 0 to below 1, not from {p0} to {p1}")


def _checked_errors(alpha: float, beta: float) -> None:
    if not (0 < alpha < 1 and 0 < beta < 1):
        raise ValueError(f"error rates are between 0 and 1, not {alpha} and {beta}")


def _pmf(n: int, p: float) -> Array:
    from scipy.stats import binom

    return np.asarray(binom.pmf(np.arange(n + 1), n, p), dtype=np.float64)


def _rejecting(r1: int, n1: int, r: int, n: int, p: float) -> float:
    """Return the probability to pass the first stage and to end above r."""
    first, second = _pmf(n1, p), _pmf(n - n1, p)
    tail = np.concatenate([second[::-1].cumsum()[::-1], [0.0]])  # P(X2 >= k)
    passing = np.arange(r1 + 1, n1 + 1)
    needed = np.clip(r + 1 - passing, 0, n - n1 + 1)
    return float(first[passing] @ tail[needed])


def design_properties(r1: int, n1: int, r: int, n: int, p0: float, p1: float) -> TwoStageDesign:
    r"""Return the error rates and the expected size of a given design.

    :math:`P(\text{effect} \mid p) = \sum_{x>r_1} b(x; n_1, p)\, P(X_2 > r - x)`,
    :math:`EN = n_1 + P(X_1 > r_1)(n - n_1)`.

    Parameters
    ----------
    r1, n1, r, n : int
        The design.
    p0, p1 : float
        The rates.

    Examples
    --------
    >>> design = design_properties(5, 15, 18, 46, 0.3, 0.5)
    >>> print(f"{design.alpha:.3f} {design.power:.3f} {design.expected_n:.2f}")
    0.050 0.803 23.63
    """
    _checked_rates(p0, p1)
    if not (0 <= r1 < n1 < n and r1 <= r < n):
        raise ValueError(f"{r1}/{n1} and {r}/{n} is no design of two stages")
    stop = float(_pmf(n1, p0)[: r1 + 1].sum())
    return TwoStageDesign(
        r1=r1,
        n1=n1,
        r=r,
        n=n,
        p0=p0,
        p1=p1,
        alpha=_rejecting(r1, n1, r, n, p0),
        power=_rejecting(r1, n1, r, n, p1),
        expected_n=n1 + (1 - stop) * (n - n1),
        stop_probability=stop,
    )


def simon_two_stage(
    p0: float, p1: float, alpha: float = 0.05, beta: float = 0.20, *, largest_n: int | None = None
) -> TwoStagePair:
    """Search all designs of two stages for Simon's optimal and minimax one.

    Parameters
    ----------
    p0, p1 : float
        The rate not worth pursuing, and the rate hoped for.
    alpha, beta : float
        Largest probability of a wrong yes at p0, and of a wrong no at p1.
    largest_n : int, optional
        Search to this many patients; by default one and a half times those of a single stage, plus ten.

    References
    ----------
    Simon R. Control Clin Trials 1989;10:1-10.

    Examples
    --------
    >>> found = simon_two_stage(0.05, 0.25)
    >>> design = found.optimal
    >>> (design.r1, design.n1, design.r, design.n), round(design.expected_n, 2)
    ((0, 9, 2, 17), 11.96)
    """
    _checked_rates(p0, p1)
    _checked_errors(alpha, beta)
    if largest_n is None:
        largest_n = sample_size_single_stage(p0, p1, alpha, beta).n * 3 // 2 + 10
    pmf0 = [_pmf(n, p0) for n in range(largest_n + 1)]
    pmf1 = [_pmf(n, p1) for n in range(largest_n + 1)]
    best: tuple[float, int, int, int, int] | None = None  # expected n, n, n1, r1, r
    smallest: tuple[int, float, int, int, int] | None = None  # n, expected n, n1, r1, r
    for n in range(2, largest_n + 1):
        for n1 in range(1, n):
            if best is not None and n1 >= best[0] and smallest is not None and n > smallest[0]:
                break  # at least n1 patients are expected: neither choice can gain
            for expected, r1, r in _designs(pmf0, pmf1, n1, n - n1, alpha, beta):
                if best is None or (expected, n) < best[:2]:
                    best = (expected, n, n1, r1, r)
                if smallest is None or (n, expected) < smallest[:2]:
                    smallest = (n, expected, n1, r1, r)
    if best is None or smallest is None:
        return TwoStagePair(optimal=None, minimax=None, largest_n=largest_n, reason=Undefined.NOT_REACHED)
    _, n, n1, r1, r = best
    optimal = design_properties(r1, n1, r, n, p0, p1)
    n, _, n1, r1, r = smallest
    return TwoStagePair(optimal=optimal, minimax=design_properties(r1, n1, r, n, p0, p1), largest_n=largest_n)


def _designs(
    pmf0: list[Array], pmf1: list[Array], n1: int, n2: int, alpha: float, beta: float
) -> list[tuple[float, int, int]]:
    """Return, for each r1 that allows one, the expected n and the r with most power that keeps alpha."""
    effect0, effect1 = _effects(pmf0[n1], pmf0[n2]), _effects(pmf1[n1], pmf1[n2])
    # effect[r1, r] falls with r: the first r that keeps alpha has most power.
    keeps = effect0 <= alpha
    first = np.argmax(keeps, axis=1)
    rows = np.arange(n1)
    good = keeps.any(axis=1) & (effect1[rows, first] >= 1 - beta)
    passing = 1 - pmf0[n1].cumsum()
    return [(n1 + float(passing[r1]) * n2, int(r1), int(first[r1])) for r1 in rows[good]]


def _effects(first: Array, second: Array) -> Array:
    """Return the probability of an effect for every r1 < n1 (rows) and r < n (columns)."""
    n1, n2 = first.size - 1, second.size - 1
    tail = np.concatenate([second[::-1].cumsum()[::-1], [0.0]])
    needed = np.clip(np.arange(n1 + n2)[None, :] + 1 - np.arange(n1 + 1)[:, None], 0, n2 + 1)
    joint = first[:, None] * tail[needed]
    above: Array = joint[::-1].cumsum(axis=0)[::-1][1:]  # passing needs more than r1
    return above


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TwoStageResult:
    """What may be said of the rate after a trial of two stages.

    Parameters
    ----------
    stage : int
        Where it ended.
    responses, n : int
        Of all patients.
    naive : float
        Responses over patients: too low on average, since trials that start badly stop.
    unbiased : float
        The uniformly minimum-variance unbiased estimate.
    p_value : float
        One-sided, that the rate is p0, in the order of that estimate.
    interval : Interval
        Of the rate, in the same order; its coverage is never below the level.
    effect : bool
        Whether the design's rule declares an effect.
    """

    stage: int
    responses: int
    n: int
    naive: float
    unbiased: float
    p_value: float
    interval: Interval
    effect: bool


def after_two_stages(
    design: TwoStageDesign, responses_first: int, responses_second: int | None = None, level: float = 0.95
) -> TwoStageResult:
    r"""Return the unbiased estimate, P value and interval after a trial of two stages.

    Stopped at the first stage the estimate is :math:`s/n_1`; otherwise, with s responses in all,

    .. math:: \hat p = \frac{\sum_x \binom{n_1-1}{x-1}\binom{n_2}{s-x}}{\sum_x \binom{n_1}{x}\binom{n_2}{s-x}},
        \qquad x > r_1.

    Outcomes are ordered by it: every end at the second stage ranks above every stop at the first. The P value adds the
    outcomes at least as high at p0; the limits are the rates at which those at least as high, and as low, have
    probability :math:`(1-L)/2`.

    Parameters
    ----------
    design : TwoStageDesign
        As carried out.
    responses_first : int
        In the first n1 patients.
    responses_second : int, optional
        In the n - n1 patients after them; None when the trial stopped.
    level : float
        Level of confidence.

    Raises
    ------
    ValueError
        Responses that the design does not allow, such as a second stage after a first that should have stopped it.

    References
    ----------
    Jung SH, Kim KM. Stat Med 2004;23:881-896; Jung SH, Owzar K, George SL, Lee T. J Biopharm Stat 2006;16:765-775.

    Examples
    --------
    >>> design = design_properties(5, 15, 18, 46, 0.3, 0.5)
    >>> found = after_two_stages(design, 8, 13)
    >>> print(f"{found.naive:.3f} {found.unbiased:.3f} {found.effect}")
    0.457 0.494 True
    """
    level = checked_level(level)
    n1, n2 = design.n1, design.n - design.n1
    if not 0 <= responses_first <= n1 or (responses_second is not None and not 0 <= responses_second <= n2):
        raise ValueError("more responses than patients, or fewer than none")
    if (responses_first > design.r1) != (responses_second is not None):
        raise ValueError(
            f"with {responses_first} of {n1} the design {'goes on' if responses_second is None else 'stops'}"
        )
    stage = 1 if responses_second is None else 2
    s = responses_first + (responses_second or 0)
    n = n1 if stage == 1 else design.n
    return TwoStageResult(
        stage=stage,
        responses=s,
        n=n,
        naive=s / n,
        unbiased=_unbiased(design, stage, s),
        p_value=_at_least(design, stage, s, design.p0),
        interval=_stagewise_interval(design, stage, s, level),
        effect=stage == 2 and s > design.r,
    )


def _unbiased(design: TwoStageDesign, stage: int, s: int) -> float:
    from math import comb

    if stage == 1:
        return s / design.n1
    n1, n2 = design.n1, design.n - design.n1
    ways = range(max(design.r1 + 1, s - n2), min(n1, s) + 1)
    # whole numbers until the last division: no rounding
    return sum(comb(n1 - 1, x - 1) * comb(n2, s - x) for x in ways if x) / sum(
        comb(n1, x) * comb(n2, s - x) for x in ways
    )


def _at_least(design: TwoStageDesign, stage: int, s: int, p: float) -> float:
    """Return the probability of an outcome ranked at least as high."""
    if stage == 2:
        return _rejecting(design.r1, design.n1, s - 1, design.n, p)
    return float(_pmf(design.n1, p)[s:].sum())


def _at_most(design: TwoStageDesign, stage: int, s: int, p: float) -> float:
    """Return the probability of an outcome ranked at most as high."""
    above = design.n1 + 1 if stage == 1 and s == design.n1 else s + 1
    if stage == 2:
        return 1 - _rejecting(design.r1, design.n1, s, design.n, p)
    return 1 - float(_pmf(design.n1, p)[above:].sum())


def _stagewise_interval(design: TwoStageDesign, stage: int, s: int, level: float) -> Interval:
    from scipy.optimize import brentq

    tail = (1 - level) / 2
    low, high = 0.0, 1.0
    if _at_least(design, stage, s, 1e-12) < tail:
        low = float(brentq(lambda p: _at_least(design, stage, s, p) - tail, 1e-12, 1 - 1e-12, xtol=1e-12))
    if _at_most(design, stage, s, 1 - 1e-12) < tail:
        high = float(brentq(lambda p: _at_most(design, stage, s, p) - tail, 1e-12, 1 - 1e-12, xtol=1e-12))
    return Interval(low=low, high=high, level=level, method="stagewise-exact")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SingleStage:
    """A design of one stage.

    Parameters
    ----------
    n, r : int
        Patients; an effect is declared with more than r responses.
    alpha, power : float
        As attained.
    """

    n: int
    r: int
    alpha: float
    power: float


def sample_size_single_stage(p0: float, p1: float, alpha: float = 0.05, beta: float = 0.20) -> SingleStage:
    """Return the fewest patients with which the exact one-sided binomial test keeps both error rates.

    Power rises with the number of patients in a saw-tooth: a few more patients may have less.

    Parameters
    ----------
    p0, p1 : float
        The rate not worth pursuing, and the rate hoped for.
    alpha, beta : float
        Largest probability of a wrong yes at p0, and of a wrong no at p1.

    References
    ----------
    A'Hern RP. Stat Med 2001;20:859-866.

    Examples
    --------
    >>> found = sample_size_single_stage(0.3, 0.5)
    >>> found.n, found.r
    (39, 16)
    """
    from scipy.stats import binom

    _checked_rates(p0, p1)
    _checked_errors(alpha, beta)
    n = 1
    while True:
        r = int(binom.ppf(1 - alpha, n, p0))
        while r > 0 and binom.sf(r - 1, n, p0) <= alpha:
            r -= 1
        attained, power = float(binom.sf(r, n, p0)), float(binom.sf(r, n, p1))
        if attained <= alpha and power >= 1 - beta:
            return SingleStage(n=n, r=r, alpha=attained, power=power)
        n += 1


def sample_size_precision(rate: float, half_width: float, level: float = 0.95) -> int:
    """Return the fewest patients whose exact interval is no wider than twice the half width at the rate expected.

    The interval is Clopper and Pearson's of the number of responses nearest the rate expected; more patients up to
    twice that many must do as well.

    Parameters
    ----------
    rate : float
        Expected.
    half_width : float
        Such as 0.1 for plus or minus ten points.
    level : float
        Level of confidence.

    Examples
    --------
    >>> sample_size_precision(0.6, 0.1)
    100
    """
    from scipy.stats import beta

    level = checked_level(level)
    if not (0 <= rate <= 1 and 0 < half_width < 0.5):
        raise ValueError(f"no sample size for a rate of {rate} and a half width of {half_width}")
    tail = (1 - level) / 2

    def narrow(n: np.ndarray) -> np.ndarray:
        k = np.rint(n * rate)
        low = np.where(k > 0, beta.ppf(tail, np.maximum(k, 1), n - k + 1), 0.0)
        high = np.where(k < n, beta.ppf(1 - tail, k + 1, np.maximum(n - k, 1)), 1.0)
        return np.asarray(high - low <= 2 * half_width)

    largest = 16
    while True:
        found = narrow(np.arange(1, 2 * largest + 1))
        wide = np.flatnonzero(~found)
        first = int(wide[-1]) + 2 if wide.size else 1
        if first <= largest:
            return first
        largest *= 2


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PredictiveProbability:
    """What a running trial will probably say.

    Parameters
    ----------
    success : float
        Probability, given the data so far, that the trial ends with more than r responses.
    needed : int
        Responses still needed among the patients to come; 0 or less when it has succeeded already.
    remaining : int
        Patients to come.
    """

    success: float
    needed: int
    remaining: int


def predictive_probability(
    responses: int, n: int, final_n: int, r: int, prior_a: float = 0.5, prior_b: float = 0.5
) -> PredictiveProbability:
    r"""Return the probability that a running single-arm trial ends with more than r responses.

    Responses to come are beta-binomial with the posterior
    :math:`\mathrm{Beta}(a+k,\, b+n-k)`; futility is declared where this is small, such as below 5 %.

    Parameters
    ----------
    responses, n : int
        So far.
    final_n, r : int
        Patients at the end; more than r responses are a success.
    prior_a, prior_b : float
        Of the rate, positive.

    References
    ----------
    Lee JJ, Liu DD. Clin Trials 2008;5:93-106.

    Examples
    --------
    >>> print(f"{predictive_probability(3, 15, 46, 18).success:.3f}")
    0.024
    """
    from scipy.stats import betabinom

    if not (0 <= responses <= n <= final_n and 0 <= r < final_n and prior_a > 0 and prior_b > 0):
        raise ValueError("responses, patients, patients at the end and the prior do not fit together")
    needed, remaining = r + 1 - responses, final_n - n
    if needed <= 0:
        success = 1.0
    elif needed > remaining:
        success = 0.0
    else:
        later = np.arange(needed, remaining + 1)
        success = float(betabinom.pmf(later, remaining, prior_a + responses, prior_b + n - responses).sum())
    return PredictiveProbability(success=min(1.0, success), needed=needed, remaining=remaining)
