# SPDX-License-Identifier: Apache-2.0
"""Speed, as figures and ratios within one run; each module offers ``run()``, a list of `Figure`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure beside what was aimed at."""

    name: str
    value: float
    unit: str
    aim: float | None = None
