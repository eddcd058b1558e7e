# SPDX-License-Identifier: Apache-2.0
"""The mechanism as the disease of a trial: virtual patients of a named population, their course, the partners."""

from __future__ import annotations

__all__ = ["partner_names", "population_names"]


def population_names() -> tuple[str, ...]:
    """Return the virtual populations a recipe may name."""
    return ("default",)


def partner_names() -> tuple[str, ...]:
    """Return the partners a recipe may name."""
    return ("dexamethasone", "eltrombopag", "ivig", "prednisone", "rituximab", "romiplostim")
