# SPDX-License-Identifier: Apache-2.0
"""What the fit may move: centres and spreads of a few inputs of the mechanism, their prior, and the wide proposal.

Every input follows a law of two parameters (log-normal, logit-normal, beta), so that the logarithm of its density is
eta1 T1(x) + eta2 T2(x) up to what does not depend on x. One batch of patients drawn from the proposal then serves every
population: patient i weighs exp(sum of (eta - eta of the proposal) T(x_i)).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.sampling import normal_quantile, sobol
from sirolens.errors import InputError
from sirolens.mechanism.assumptions import Assumption, assumptions
from sirolens.mechanism.network import Mechanism
from sirolens.message import error

__all__ = ["Hyper", "Prior", "calibration_prior", "natural", "proposal", "statistics_of", "with_centres"]

Array = NDArray[np.float64]

WIDER = 1.5
"""By how much the proposal's variance exceeds that of the widest population of the prior's middle."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Hyper:
    """Prior of one input: normal centre, uniform spread.

    Parameters
    ----------
    symbol, kind : str
        Input, and its law in the register.
    centre, centre_sd : float
        On the law's scale (log, logit).
    spread_low, spread_high : float
        Of the sd of log or logit; of a beta, of its total a + b.
    """

    symbol: str
    kind: str
    centre: float
    centre_sd: float
    spread_low: float
    spread_high: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What may be moved, and how far.

    Parameters
    ----------
    inputs : tuple of Hyper
        K inputs.
    shifted : str
        The input whose centre differs between cohorts.
    shift_sd : float
        Standard deviation of that shift.
    structures : tuple of str
        Variants that are fitted apart.
    digest : str
        SHA-256 of the file.
    """

    inputs: tuple[Hyper, ...]
    shifted: str
    shift_sd: float
    structures: tuple[str, ...]
    digest: str

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the 2 K hyperparameters: centre and spread of each input."""
        return tuple(f"{one.symbol}_{part}" for one in self.inputs for part in ("centre", "spread"))


def _scaled(kind: str, value: float) -> float:
    return float(np.log(value)) if kind == "lognormal" else float(np.log(value / (1.0 - value)))


def calibration_prior() -> Prior:
    """Read the shipped prior.

    Examples
    --------
    >>> prior = calibration_prior()
    >>> [one.symbol for one in prior.inputs], prior.shifted, len(prior.structures)
    (['dep', 'pot', 'kap', 'h0', 'fL'], 'dep', 5)
    """
    text = files("sirolens.study").joinpath("data", "calibration_prior.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)
    inputs = []
    for symbol, one in told["input"].items():
        law = assumptions().parameters[symbol].distribution
        assert law is not None
        inputs.append(
            Hyper(
                symbol=symbol,
                kind=law.kind,
                centre=_scaled(law.kind, one["centre"]["value"]),
                centre_sd=one["centre"]["sd"],
                spread_low=one["spread"]["low"],
                spread_high=one["spread"]["high"],
            )
        )
    return Prior(
        inputs=tuple(inputs),
        shifted=told["cohort_effect"]["input"],
        shift_sd=told["cohort_effect"]["sd"],
        structures=tuple(told["structure"]["variants"]),
        digest=sha256(text.encode()).hexdigest(),
    )


def drawn(prior: Prior, count: int, cohorts: int, seed: int) -> tuple[Array, Array]:
    """Draw hyperparameters and cohort shifts from the prior, evenly (scrambled Sobol points).

    Parameters
    ----------
    prior : Prior
        K inputs.
    count : int
        S, a power of two spreads best.
    cohorts : int
        C.
    seed : int
        Of the scrambling.

    Returns
    -------
    ndarray (S, K, 2)
        Centre and spread of each input.
    ndarray (S, C)
        Shift of each cohort.

    Examples
    --------
    >>> theta, shifts = drawn(calibration_prior(), 64, 3, seed=1)
    >>> theta.shape, shifts.shape, bool((theta[:, 0, 1] >= 0.8).all())
    ((64, 5, 2), (64, 3), True)
    """
    inputs = len(prior.inputs)
    points = sobol(count, 2 * inputs + cohorts, seed, "calibration", "prior")
    theta = np.empty((count, inputs, 2))
    for k, one in enumerate(prior.inputs):
        theta[:, k, 0] = one.centre + one.centre_sd * normal_quantile(points[:, 2 * k])
        theta[:, k, 1] = one.spread_low + (one.spread_high - one.spread_low) * points[:, 2 * k + 1]
    return theta, prior.shift_sd * normal_quantile(points[:, 2 * inputs :])


def natural(prior: Prior, theta: ArrayLike, shift: ArrayLike = 0.0) -> Array:
    """Turn centres and spreads into the natural parameters eta of the laws.

    ::

        normal on a scale t:  eta = (c / s^2, -1 / (2 s^2)),  T = (t, t^2)
        beta with mean m and total n:  eta = (m n - 1, (1 - m) n - 1),  T = (log x, log(1 - x))

    Densities are per t, or per x of a beta; the difference cancels between a population and the proposal.

    Parameters
    ----------
    prior : Prior
        Names the laws.
    theta : array_like (S, K, 2)
        Centres and spreads.
    shift : array_like (S,) or ()
        Added to the centre of the shifted input.

    Returns
    -------
    ndarray (S, 2 K)
    """
    given = np.asarray(theta, dtype=np.float64)
    eta = np.empty((given.shape[0], 2 * len(prior.inputs)))
    for k, one in enumerate(prior.inputs):
        centre = given[:, k, 0] + (np.asarray(shift) if one.symbol == prior.shifted else 0.0)
        spread = given[:, k, 1]
        if one.kind == "beta":
            mean = 1.0 / (1.0 + np.exp(-centre))
            eta[:, 2 * k], eta[:, 2 * k + 1] = mean * spread - 1.0, (1.0 - mean) * spread - 1.0
        else:
            eta[:, 2 * k], eta[:, 2 * k + 1] = centre / spread**2, -0.5 / spread**2
    return eta


def statistics_of(prior: Prior, parameters: Mapping[str, ArrayLike]) -> Array:
    """Return the sufficient statistics T of patients, (2 K, N).

    Parameters
    ----------
    prior : Prior
        Names the inputs.
    parameters : mapping of str to array_like (N,)
        Their values.
    """
    rows = []
    for one in prior.inputs:
        x = np.asarray(parameters[one.symbol], dtype=np.float64)
        if one.kind == "beta":
            rows += [np.log(x), np.log1p(-x)]
        else:
            t = np.log(x) if one.kind == "lognormal" else np.log(x / (1.0 - x))
            rows += [t, t * t]
    return np.array(rows)


def proposal(prior: Prior) -> Array:
    """Return centres and spreads of the population that is simulated: wider than all that are compared, (K, 2).

    A beta of the smallest total of the prior; else the variance of the centre, of a large spread and, where cohorts
    are shifted, of the shift, added up.
    """
    out = np.empty((len(prior.inputs), 2))
    for k, one in enumerate(prior.inputs):
        out[k, 0] = one.centre
        if one.kind == "beta":
            out[k, 1] = one.spread_low
            continue
        middle = 0.5 * (one.spread_low + one.spread_high)
        shift = prior.shift_sd if one.symbol == prior.shifted else 0.0
        out[k, 1] = np.sqrt(WIDER * middle**2 + one.centre_sd**2 + shift**2)
    return out


def with_centres(
    mechanism: Mechanism, prior: Prior, theta: ArrayLike, *, shift: float = 0.0, keep: Sequence[str] = ()
) -> Mechanism:
    """Return the mechanism whose inputs have other centres and spreads; equations and all other numbers stay.

    Parameters
    ----------
    mechanism : Mechanism
        Of any variant.
    prior : Prior
        Names the inputs.
    theta : array_like (K, 2)
        Centres and spreads.
    shift : float
        Of the shifted input.
    keep : sequence of str
        Inputs that a variant has set and that stay as they are.

    Examples
    --------
    >>> from sirolens.mechanism.network import load
    >>> wide = with_centres(load(), calibration_prior(), proposal(calibration_prior()))
    >>> round(wide.assumptions["dep"].value, 6), wide.assumptions["dep"].distribution.sd > 2.4
    (0.3, True)
    """
    given = np.asarray(theta, dtype=np.float64)
    if given.shape != (len(prior.inputs), 2):
        raise InputError(error("calibration.hyperparameters-shape", found=str(given.shape), inputs=len(prior.inputs)))
    moved: dict[str, Assumption] = dict(mechanism.assumptions)
    for k, one in enumerate(prior.inputs):
        if one.symbol in keep:
            continue
        old = moved[one.symbol]
        assert old.distribution is not None
        centre = float(given[k, 0]) + (shift if one.symbol == prior.shifted else 0.0)
        value = float(np.exp(centre)) if one.kind == "lognormal" else float(1.0 / (1.0 + np.exp(-centre)))
        spread = float(given[k, 1])
        law = replace(old.distribution, total=spread) if one.kind == "beta" else replace(old.distribution, sd=spread)
        moved[one.symbol] = replace(old, value=value, distribution=law)
    return replace(mechanism, assumptions=MappingProxyType(moved))
