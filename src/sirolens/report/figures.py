# SPDX-License-Identifier: Apache-2.0
"""The figures of sirolens in one place: what can be drawn, and how to get SVG or PNG of it."""

from __future__ import annotations

from sirolens.report.dose_figure import DoseBars, DoseRow
from sirolens.report.drawing import Drawing, png, svg
from sirolens.report.level_figure import Band, DoseBar, LevelCourse, LevelPoint
from sirolens.report.platelet_figure import Bleed, PlateletCourse, PlateletPoint, Rescue

__all__ = [
    "Band",
    "Bleed",
    "DoseBar",
    "DoseBars",
    "DoseRow",
    "Drawing",
    "LevelCourse",
    "LevelPoint",
    "PlateletCourse",
    "PlateletPoint",
    "Rescue",
    "png",
    "svg",
]
