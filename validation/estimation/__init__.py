# SPDX-License-Identifier: Apache-2.0
"""Bayesian estimation against independent optimisers, simulation and long Markov chains."""
