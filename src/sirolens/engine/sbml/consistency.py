# SPDX-License-Identifier: Apache-2.0
"""Asks libSBML whether a document obeys the rules of SBML, and whether its units clash.

Of libSBML's findings about units only those count that name two known units which differ: where a unit is not declared
it warns that it cannot tell, and that is no clash.
"""

from __future__ import annotations

from typing import Any

from sirolens.message import Message, Place, error

__all__ = ["faults"]

#: Rules of SBML about units of formulas, as numbered in its specification.
_CLASHES = range(10501, 10600)
_NO_SUCH_UNIT = 10313
_UNTOLD = ("indeterminable", "conditional statement is not dimensionless")


def faults(document: Any, *, file: str | None, check_units: bool) -> tuple[Message, ...]:
    """Check a document.

    Parameters
    ----------
    document : libsbml.SBMLDocument
        As it was read.
    file : str or None
        Name of the file, for messages.
    check_units : bool
        Whether clashing and unknown units count.

    Returns
    -------
    tuple of Message
        ``sbml.invalid``, ``sbml.unit-clash`` and ``sbml.unknown-unit``, each with its line.
    """
    import libsbml

    document.getErrorLog().clearLog()
    for category in (libsbml.LIBSBML_CAT_MODELING_PRACTICE, libsbml.LIBSBML_CAT_SBO_CONSISTENCY):
        document.setConsistencyChecks(category, False)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, check_units)
    document.checkConsistency()
    found: list[Message] = []
    for i in range(document.getNumErrors()):
        fault = document.getError(i)
        rule, place = int(fault.getErrorId()), Place(file=file, line=int(fault.getLine()) or None)
        told = str(fault.getMessage()).strip().rpartition("\n")[2].strip()
        if rule in _CLASHES:
            if check_units and not any(word in told for word in _UNTOLD):
                found.append(error("sbml.unit-clash", place=place, rule=rule, found=told))
        elif rule == _NO_SUCH_UNIT:
            if check_units:
                found.append(error("sbml.unknown-unit", place=place, rule=rule, found=told))
        elif fault.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            found.append(error("sbml.invalid", place=place, rule=rule, found=told))
    return tuple(dict.fromkeys(found))
