# SPDX-License-Identifier: Apache-2.0
"""Estimators against brute force over random sets, and the intervals' coverage where the default was chosen by it."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import chi2

from sirolens.engine.pooling.between import between, restricted_log_likelihood
from sirolens.engine.pooling.binomial_likelihood import binomial_constant
from sirolens.engine.pooling.binomial_normal import BinomialNormal, binomial_normal
from sirolens.engine.pooling.half_normal import binomial_half_normal
from sirolens.engine.pooling.random_effects import Effects, random_effects
from sirolens.engine.pooling.single_arm import back, freeman_tukey_size, scaled
from sirolens.engine.sampling import normal, stream, uniform
from sirolens.engine.statistics.interval import Interval

SEED = 20261122
Z = np.linspace(-9, 9, 4001)[:, None]
BELL = np.exp(-(Z**2) / 2) / np.exp(-(Z**2) / 2).sum()
SETTINGS = ((3, 0.7, 0.5), (6, 0.7, 0.5), (8, 0.05, 0.5), (8, 0.05, 0.0))
REPEATS = 150


def variances(sets: int = 100) -> tuple[float, float]:
    """Return how far REML and ML lie below the best of a fine grid, and how far PM misses its equation."""
    below, missed = 0.0, 0.0
    for i in range(sets):
        k = 2 + int(uniform(stream(SEED, "k", str(i)), (1,))[0] * 19)
        v = 0.02 + uniform(stream(SEED, "v", str(i)), (k,)) ** 3 * 2
        y = normal(stream(SEED, "y", str(i)), (k,)) * np.sqrt(v + 0.3)
        ones = np.ones((k, 1))
        grid = np.concatenate([[0.0], np.geomspace(1e-6, 50, 500)])
        for method in ("REML", "ML"):
            heights = [restricted_log_likelihood(y, v, ones, t, restricted=method == "REML") for t in grid]
            tau2 = between(y, v, method=method).tau2
            here = restricted_log_likelihood(y, v, ones, tau2, restricted=method == "REML")
            below = max(below, max(heights) - here)
        tau2 = between(y, v, method="PM").tau2
        w = 1 / (v + tau2)
        q = float(w @ (y - w @ y / w.sum()) ** 2)
        missed = max(missed, abs(q - (k - 1)) if tau2 > 0 else max(0.0, q - (k - 1)))
    return below, missed


def _plain(k: np.ndarray, n: np.ndarray, mu: float, tau: float) -> float:
    theta = mu + tau * Z
    return float(np.log((BELL * np.exp(k * theta - n * np.logaddexp(0, theta))).sum(axis=0)).sum())


def _set(name: str, k: int, share: float, tau: float) -> tuple[np.ndarray, np.ndarray]:
    n = np.floor(8 + 52 * uniform(stream(SEED, name, "n"), (k,)))
    p = expit(logit(share) + tau * normal(stream(SEED, name, "theta"), (k,)))
    draws = uniform(stream(SEED, name, "x"), (k, 60))
    events = np.array([(draws[i, : int(n[i])] < p[i]).sum() for i in range(k)], dtype=np.float64)
    return events, n


def exact(sets: int = 24) -> tuple[float, float, float]:
    """Return how far a simplex climbs above the fit, how far the limits' level is off, and how often tau was 0."""
    above, off, flat = -np.inf, 0.0, 0
    drop = float(chi2.ppf(0.95, 1)) / 2
    for i in range(sets):
        k, n = _set(f"exact-{i}", 2 + i % 9, (0.1, 0.5, 0.8)[i % 3], (0.2, 0.8)[i % 2])
        found = binomial_normal(k, n)
        if found.reason is not None:
            continue
        flat += found.tau == 0
        best = found.log_likelihood - binomial_constant(k, n)
        for start in (0.1, 0.7, 2.0):
            climbed = minimize(
                lambda at, k=k, n=n: -_plain(k, n, at[0], abs(at[1])),
                [found.mu + 0.1, start],
                method="Nelder-Mead",
                options={"xatol": 1e-8, "fatol": 1e-12, "maxiter": 2000},
            )
            above = max(above, -climbed.fun - best)
        for limit in (found.interval.low, found.interval.high):
            if not 0 < limit < 1:
                continue
            mu = float(logit(limit))
            level = max(
                -minimize(lambda t, k=k, n=n, mu=mu: -_plain(k, n, mu, abs(t[0])), [start], method="Nelder-Mead").fun
                for start in (0.01, 0.5, 1.5, 4.0)
            )
            off = max(off, abs(level - (best - drop)))
    return above, off, flat / sets


def _on_scale(scale: str, k: np.ndarray, n: np.ndarray, width: str) -> tuple[float, Interval]:
    sizes = scaled(k, n, scale)
    fit: Effects = random_effects(sizes.y, sizes.v, width=width)
    size = freeman_tukey_size(n)
    low, high = back([fit.interval.low, fit.interval.high], scale, n=size)
    share = float(back([fit.estimate], scale, n=size)[0])
    return share, Interval(low=float(low), high=float(high))


def coverage() -> None:
    """Print lines of a table: how often 95 % intervals hold the typical share, the estimates' mean, the width."""
    for k, share, tau in SETTINGS:
        held: dict[str, list[bool]] = {}
        means: dict[str, list[float]] = {}
        widths: dict[str, list[float]] = {}
        for i in range(REPEATS):
            x, n = _set(f"cover-{k}-{share}-{tau}-{i}", k, share, tau)
            fit: BinomialNormal = binomial_normal(x, n, spread=False)
            found = {
                "binomial-normal, profile": (fit.share, fit.interval),
                "logit, Knapp-Hartung": _on_scale("logit", x, n, "knapp-hartung"),
                "logit, with floor": _on_scale("logit", x, n, "knapp-hartung-floor"),
                "logit, Wald": _on_scale("logit", x, n, "wald"),
                "Freeman-Tukey, Knapp-Hartung": _on_scale("freeman-tukey", x, n, "knapp-hartung"),
            }
            if i % 3 == 0 and k < 8:
                believed = binomial_half_normal(x, n, 1.0)
                found["half-normal 1 (every third)"] = (believed.median, believed.interval)
            for name, (estimate, interval) in found.items():
                held.setdefault(name, []).append(bool(interval.low <= share <= interval.high))
                means.setdefault(name, []).append(estimate)
                widths.setdefault(name, []).append(interval.high - interval.low)
        for name in held:
            told = (np.nanmean(held[name]), np.nanmean(means[name]), np.nanmedian(widths[name]))
            print(f"| {k} | {share} | {tau} | {name} | {told[0]:.3f} | {told[1]:.3f} | {told[2]:.2f} |", flush=True)


def main() -> None:
    """Print every figure of the README."""
    print(
        "variances: likelihood below a grid's best {:.1e}, PM off its equation {:.1e}".format(*variances()), flush=True
    )
    print(
        "binomial-normal: simplex above the fit {:.1e}, level of limits off {:.1e}, tau = 0 in {:.2f}".format(*exact())
    )
    coverage()


if __name__ == "__main__":
    main()
