# SPDX-License-Identifier: Apache-2.0
"""Bayesian estimation of one patient's parameters from levels: the most probable etas and the whole posterior.

The door to the files behind it:

======================  ============================================================================================
`bayes_problem`         what is asked: levels, their residual, the model of one patient, omega
`bayes_likelihood`      what one level says about one prediction, censored levels included
`bayes_search`          the search for a minimum, told apart from how predictions are made
`bayes_starts`          where searches begin, and the list of modes
`bayes_linear`          compiled linear models: predictions and exact derivatives
`bayes_mode`            `mode`, `modes`: the most probable etas of one patient or many
`bayes_weights`         Pareto-smoothed importance weights
`bayes_posterior`       `posterior`: weighted draws, integrated likelihood; how a level sits among expectations
======================  ============================================================================================

Equations, measured figures and limits: docs/science/estimation.md.
"""

from __future__ import annotations

from sirolens.engine.bayes_likelihood import ABOVE, ADDITIVE, BELOW, COMBINED, LOG, MEASURED, PROPORTIONAL
from sirolens.engine.bayes_mode import Mode, Modes, Reason, mode, modes
from sirolens.engine.bayes_posterior import LevelCheck, Posterior, level_check, posterior, prior_predictive
from sirolens.engine.bayes_problem import (
    AnyProblem,
    FunctionProblem,
    Problem,
    levels,
    normalising_constant,
    random_walk,
)
from sirolens.engine.bayes_search import Levels
from sirolens.engine.bayes_weights import smooth

__all__ = [
    "ABOVE",
    "ADDITIVE",
    "BELOW",
    "COMBINED",
    "LOG",
    "MEASURED",
    "PROPORTIONAL",
    "AnyProblem",
    "FunctionProblem",
    "LevelCheck",
    "Levels",
    "Mode",
    "Modes",
    "Posterior",
    "Problem",
    "Reason",
    "level_check",
    "levels",
    "mode",
    "modes",
    "normalising_constant",
    "posterior",
    "prior_predictive",
    "random_walk",
    "smooth",
]
