# SPDX-License-Identifier: Apache-2.0
"""A healthy control's measurement of a cell or a cytokine, against which patients are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

__all__ = ["ControlSample"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ControlSample:
    """One measurement of one healthy control.

    Parameters
    ----------
    id : str
        A pseudonym; several measurements of one person carry the same.
    cell : str
        The subset or cytokine, such as ``"treg"`` or ``"il-6"``.
    value : float
        The number, in `unit`.
    unit : str
        ``"%"``, ``"10^6/L"`` or ``"pg/mL"``.
    gate : str
        The phenotype and its parent, or the method; values of different gates are never compared.

    Examples
    --------
    >>> ControlSample(id="C-1", cell="treg", value=5.4, unit="%", gate="CD25+CD127low of CD4+").value
    5.4
    """

    id: str
    cell: str
    value: float
    unit: str
    gate: str
