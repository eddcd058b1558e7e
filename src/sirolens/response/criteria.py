# SPDX-License-Identifier: Apache-2.0
"""The registry of response criteria, and how a user's own set joins it."""

from __future__ import annotations

from sirolens.registry import Registry
from sirolens.response.criteria_set import Basis, CriteriaSet

__all__ = ["DEFAULT", "Basis", "CriteriaSet", "criteria_sets", "load"]

DEFAULT = "iwg-2009"


def criteria_sets() -> Registry[CriteriaSet]:
    """Return the registry of criteria sets."""
    return Registry[CriteriaSet]("criteria")


def load(name_or_path: str) -> CriteriaSet:
    """Return a criteria set by its name or its file."""
    return criteria_sets()[name_or_path]
