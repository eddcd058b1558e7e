# SPDX-License-Identifier: Apache-2.0
"""The SBML Test Suite, read by `sirolens.engine.sbml` and solved by `sirolens.engine.network_solver`."""
