# SPDX-License-Identifier: Apache-2.0
"""A cohort from a folder, whichever of the two kinds of tables it holds."""

from __future__ import annotations

from pathlib import Path

from sirolens.interop import cdisc, cohort_csv
from sirolens.message import Message
from sirolens.response.cohort import Cohort

__all__ = ["read_cohort"]


def read_cohort(folder: str | Path) -> tuple[Cohort, tuple[Message, ...]]:
    """Read a cohort: CDISC-style domains where there is a DM domain, else the tables of a cohort.

    Parameters
    ----------
    folder : str or Path
        Holds ``study.toml`` and the tables.

    Returns
    -------
    cohort : Cohort
    flags : tuple of Message

    Raises
    ------
    InputError
        With every fault found.
    """
    return cdisc.read(folder) if cdisc.is_cdisc(folder) else cohort_csv.read(folder)
