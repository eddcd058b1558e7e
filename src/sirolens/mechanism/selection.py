# SPDX-License-Identifier: Apache-2.0
"""From plausible patients to a virtual population: Allen's selection, and weights where selection is too wasteful.

Plausible patients fill what physiology allows; a cohort fills a part of it, with a shape of its own. Selection keeps a
plausible patient with a probability proportional to (density in the cohort) / (density among plausible patients), so
that the kept ones are distributed as the cohort and each counts once. Weights keep everybody and say how much each
counts; how many equal patients that is worth, the effective sample size, is always shown.

Source: Allen RJ, Rieger TR, Musante CJ. Efficient generation and selection of virtual populations in quantitative
systems pharmacology models. CPT Pharmacometrics Syst Pharmacol 2016, doi:10.1002/psp4.12063.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.sampling import effective_draws
from sirolens.errors import InputError
from sirolens.mechanism.draws import patient_uniforms
from sirolens.message import Message, error, warning

__all__ = ["Selection", "Target", "Weights", "class_weights", "mean_weights", "select"]

Array = NDArray[np.float64]

NEIGHBOURS = 5
"""Neighbours in the density estimate among plausible patients, as in Allen 2016."""
FARTHEST = 0.05
"""Largest distance between a kept and a targeted marginal distribution (Kolmogorov) that counts as a match."""
_CAPS = 60
_MOST_STEPS = 200
_RELATIVE_MISS = 1e-9


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """How a cohort is distributed: normal, in quantities or in their logarithms.

    Parameters
    ----------
    names : tuple of str
        The d quantities.
    mean : ndarray (d,)
        Mean, of the logarithm where `logarithm` says so.
    covariance : ndarray (d, d)
        On the same scale.
    logarithm : tuple of bool
        Which quantities are log-normal.

    Examples
    --------
    >>> counts = Target(names=("P",), mean=[2.6], covariance=[[0.2]], logarithm=(True,))
    >>> counts.scaled([[14.0]]).round(2)
    array([[2.64]])
    """

    names: tuple[str, ...]
    mean: Array
    covariance: Array
    logarithm: tuple[bool, ...]

    def __post_init__(self) -> None:
        d = len(self.names)
        mean, covariance = np.asarray(self.mean, float), np.asarray(self.covariance, float)
        fits = mean.shape == (d,) and covariance.shape == (d, d) and len(self.logarithm) == d and d > 0
        if not fits or not (np.allclose(covariance, covariance.T) and np.linalg.eigvalsh(covariance).min() > 0.0):
            raise InputError(error("mechanism.target-impossible", names=", ".join(self.names)))
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "covariance", covariance)

    def scaled(self, values: ArrayLike) -> Array:
        """Quantities (n, d) on the scale of the target."""
        given = np.asarray(values, dtype=np.float64)
        if given.ndim != 2 or given.shape[1] != len(self.names):
            raise InputError(error("mechanism.target-shape", found=str(given.shape), columns=len(self.names)))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.array(self.logarithm), np.log(given), given)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Selection:
    """Which plausible patients were kept.

    Parameters
    ----------
    kept : ndarray of bool (n,)
        The answer.
    probability : ndarray (n,)
        With which each was kept.
    distance : ndarray (d,)
        Kolmogorov distance between each targeted marginal and the plausible patients weighted by `probability`.
    messages : tuple of Message
        What must be said: a target that the plausible patients cannot match.
    """

    kept: NDArray[np.bool_]
    probability: Array
    distance: Array
    messages: tuple[Message, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weights:
    """How much each patient counts.

    Parameters
    ----------
    values : ndarray (n,)
        Mean 1.
    effective : float
        Effective sample size, (sum w)^2 / sum w^2.
    """

    values: Array
    effective: float


def _weights(raw: Array) -> Weights:
    values = raw * (raw.size / raw.sum())
    values.setflags(write=False)
    return Weights(values=values, effective=effective_draws(values))


def select(values: ArrayLike, target: Target, *, seed: int, index: ArrayLike, farthest: float = FARTHEST) -> Selection:
    """Keep plausible patients so that the kept ones are distributed as the target.

    ::

        P(keep x) = min(1, r(x) / c),  r = target density / density among plausible patients (5 nearest neighbours)

    c is the smallest value at which every marginal distribution is matched: the most patients are kept.

    Parameters
    ----------
    values : array_like (n, d)
        The quantities of the target for every plausible patient. A patient with a value that is no number is not kept.
    target : Target
        The cohort.
    seed : int
        Of the draws.
    index : array_like of int (n,)
        The patients' own numbers.
    farthest : float
        Largest Kolmogorov distance of a marginal that counts as matched.

    Returns
    -------
    Selection
        With a warning ``mechanism.target-unmatched`` where no c matches; the best one is then used.

    Raises
    ------
    InputError
        ``mechanism.target-shape``; ``mechanism.too-few-patients`` for fewer than 20.

    Examples
    --------
    >>> from sirolens.mechanism.draws import patient_normals
    >>> index = np.arange(4000)
    >>> wide = 2.0 * patient_normals(1, "example", index=index)[:, None]
    >>> found = select(wide, Target(names=("x",), mean=[1.0], covariance=[[0.25]], logarithm=(False,)), seed=1,
    ...                index=index)
    >>> bool(abs(wide[found.kept].mean() - 1.0) < 0.1), bool(abs(wide[found.kept].std() - 0.5) < 0.1)
    (True, True)
    """
    scaled = target.scaled(values)
    usable = np.isfinite(scaled).all(axis=1)
    if usable.sum() < 4 * NEIGHBOURS:
        raise InputError(error("mechanism.too-few-patients", patients=int(usable.sum()), least=4 * NEIGHBOURS))
    ratio = np.zeros(len(scaled))
    ratio[usable] = _density_ratio(scaled[usable], target)
    caps = np.quantile(ratio[usable], np.linspace(0.2, 1.0, _CAPS))
    caps = caps[caps > 0.0]
    distances = np.array([_distances(scaled[usable], np.minimum(1.0, ratio[usable] / c), target) for c in caps])
    worst = distances.max(axis=1)
    matched = np.flatnonzero(worst <= farthest)
    best = int(matched[0]) if matched.size else int(np.argmin(worst))
    probability = np.minimum(1.0, ratio / caps[best])
    kept = patient_uniforms(seed, "selection", index=index) < probability
    said = (
        ()
        if matched.size
        else (warning("mechanism.target-unmatched", names=", ".join(target.names), distance=float(worst[best])),)
    )
    return Selection(kept=kept, probability=probability, distance=distances[best], messages=said)


def _density_ratio(scaled: Array, target: Target) -> Array:
    """Target density over the density among plausible patients, up to a factor, on whitened axes."""
    from scipy.spatial import cKDTree

    spread = scaled.std(axis=0)
    spread = np.where(spread > 0.0, spread, 1.0)
    distance, _ = cKDTree(scaled / spread).query(scaled / spread, k=[NEIGHBOURS + 1])
    radius = np.maximum(np.asarray(distance)[:, 0], np.finfo(float).tiny)
    away = np.linalg.solve(np.linalg.cholesky(target.covariance), (scaled - target.mean).T)
    logs = -0.5 * (away * away).sum(axis=0) + scaled.shape[1] * np.log(radius)
    return np.asarray(np.exp(logs - logs.max()))


def _distances(scaled: Array, weights: Array, target: Target) -> Array:
    """Kolmogorov distance of each weighted marginal from the target's."""
    from scipy.special import ndtr

    out = np.empty(scaled.shape[1])
    for j in range(out.size):
        order = np.argsort(scaled[:, j], kind="stable")
        below = np.cumsum(weights[order])
        share = below / below[-1]
        wanted = ndtr((scaled[order, j] - target.mean[j]) / np.sqrt(target.covariance[j, j]))
        before = np.concatenate(([0.0], share[:-1]))
        out[j] = max(np.abs(share - wanted).max(), np.abs(before - wanted).max())
    return out


def class_weights(classes: Sequence[str] | ArrayLike, shares: Mapping[str, float]) -> Weights:
    """Weight patients so that classes have given shares.

    Parameters
    ----------
    classes : sequence of str (n,)
        The class of each patient, such as a response.
    shares : mapping of str to float
        Wanted share of every class; they add up to 1.

    Raises
    ------
    InputError
        ``mechanism.shares-impossible``; ``mechanism.class-empty`` where a wanted class has no patient.

    Examples
    --------
    >>> weights = class_weights(["no", "no", "yes", "no"], {"yes": 0.5, "no": 0.5})
    >>> weights.values.round(3).tolist(), round(weights.effective, 2)
    ([0.667, 0.667, 2.0, 0.667], 3.0)
    """
    names = np.asarray(classes)
    wanted = dict(shares)
    known = sorted({str(name) for name in names})
    if not np.isclose(sum(wanted.values()), 1.0) or min(wanted.values(), default=-1.0) < 0.0:
        raise InputError(error("mechanism.shares-impossible", total=float(sum(wanted.values()))))
    raw = np.zeros(names.size)
    for name, share in wanted.items():
        here = names == name
        if share > 0.0 and not here.any():
            raise InputError(error("mechanism.class-empty", name=name, known=", ".join(known)))
        raw[here] = share / max(1, int(here.sum()))
    return _weights(raw)


def mean_weights(features: ArrayLike, means: ArrayLike) -> Weights:
    """Weight patients so that features have given means, as evenly as that allows (exponential tilting).

    ::

        w_i proportional to exp(l' (f_i - m)),  l solves  sum_i w_i (f_i - m) = 0

    Parameters
    ----------
    features : array_like (n, k)
        Such as response indicators or baseline values.
    means : array_like (k,)
        Wanted means.

    Raises
    ------
    InputError
        ``mechanism.means-unreachable`` where no weights give these means.

    Examples
    --------
    >>> weights = mean_weights([[0.0], [0.0], [1.0], [1.0]], [0.75])
    >>> weights.values.round(6).tolist(), round(weights.effective, 6)
    ([0.5, 0.5, 1.5, 1.5], 3.2)
    """
    given, wanted = np.asarray(features, dtype=np.float64), np.asarray(means, dtype=np.float64)
    scale = np.where(given.std(axis=0) > 0.0, given.std(axis=0), 1.0)
    centred = (given - wanted) / scale
    tilt = np.zeros(centred.shape[1])
    for _ in range(_MOST_STEPS):
        logs = centred @ tilt
        raw = np.exp(logs - logs.max())
        share = raw / raw.sum()
        miss = share @ centred
        if np.abs(miss).max() < _RELATIVE_MISS:
            return _weights(raw)
        spread = (centred * share[:, None]).T @ centred - np.outer(miss, miss)
        try:
            step = np.linalg.solve(spread + 1e-12 * np.eye(tilt.size), miss)
        except np.linalg.LinAlgError:
            break
        # A step in the log weights of more than 1 would leave the region in which Newton's quadratic holds.
        tilt -= step * min(1.0, 1.0 / max(1e-300, float(np.abs(centred @ step).max())))
    raise InputError(error("mechanism.means-unreachable", means=", ".join(f"{m:g}" for m in wanted)))
