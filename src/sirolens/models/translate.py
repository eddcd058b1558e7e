# SPDX-License-Identifier: Apache-2.0
"""Exports a population model as a NONMEM control stream or as mrgsolve code.

The text is complete: structure, typical values, covariates, random effects, residual error, source, and the rules that
a reader of the code would otherwise not see (missing covariates, limits of use). Typical values are thetas where the
model file has thetas.
"""

from __future__ import annotations

from sirolens.models.population import PopulationModel
from sirolens.models.translate_mrgsolve import mrgsolve_text
from sirolens.models.translate_nonmem import nonmem_text

__all__ = ["to_mrgsolve", "to_nonmem"]


def to_nonmem(model: PopulationModel) -> str:
    """Write a model as a NONMEM control stream for empirical Bayes estimation.

    One- to three-compartment models with first-order absorption use the closed forms (ADVAN1 to ADVAN12); transit and
    saturable absorption and own equations use ADVAN13. Data items are those of sirolens's own tables; `RATE` is -2
    where absorption is of zero order.

    Parameters
    ----------
    model : PopulationModel
        The model.

    Returns
    -------
    str
        The control stream.

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> [line for line in to_nonmem(load("mao_2024")).splitlines() if line.startswith("$")][3:6]
    ['$SUBROUTINES ADVAN2 TRANS2', '$PK', '$ERROR']
    """
    return nonmem_text(model)


def to_mrgsolve(model: PopulationModel) -> str:
    """Write a model as mrgsolve code.

    Parameters
    ----------
    model : PopulationModel
        The model.

    Returns
    -------
    str
        The model specification.

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> "dxdt_CENTRAL = KA*DEPOT - CL/V1*CENTRAL;" in to_mrgsolve(load("cheng_2020"))
    True
    """
    return mrgsolve_text(model)
