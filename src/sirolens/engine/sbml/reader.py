# SPDX-License-Identifier: Apache-2.0
"""Reads SBML and Antimony into networks, or says with lines why a file cannot be one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

from sirolens.engine.expression import MAX_LENGTH
from sirolens.engine.network import Network
from sirolens.engine.sbml.antimony_text import TextLines, silent_faults, statements, text_lines
from sirolens.engine.sbml.assembly import assemble
from sirolens.engine.sbml.baseline import divisions_by_zero
from sirolens.engine.sbml.consistency import faults
from sirolens.engine.sbml.document import MAX_XML_DEPTH, open_document, read_text, refusal
from sirolens.errors import ModelFileError
from sirolens.message import Message, Place

__all__ = ["antimony_to_sbml", "read_antimony", "read_sbml"]

_DEFAULT_COMPARTMENT = "default_compartment"
_OWNER = re.compile(r'\b(?:variable|symbol|id)="([A-Za-z0-9_]+)"')
_ERROR_LINE = re.compile(r"line (\d+):\s*(.*)", re.DOTALL)
# Antimony keeps one state for the whole process.
_ANTIMONY = Lock()


def read_sbml(source: str | Path, inputs: Sequence[str] = (), *, check_units: bool = True) -> Network:
    """Read a model in SBML, level 2 or 3 core.

    Parameters
    ----------
    source : str or Path
        The XML itself, or the path of a file.
    inputs : sequence of str
        Ids of constants of the model that are given from outside as functions of time instead.
    check_units : bool
        Whether a formula whose declared units clash is refused.

    Returns
    -------
    Network

    Raises
    ------
    ModelFileError
        With every fault found: its code says what is unsupported, missing, undefined or contradictory, its place where.

    Examples
    --------
    >>> network = read_sbml('''<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">
    ...   <model id="decay">
    ...     <listOfParameters>
    ...       <parameter id="A" value="8" constant="false"/><parameter id="k" value="0.5" constant="true"/>
    ...     </listOfParameters>
    ...     <listOfRules><rateRule variable="A"><math xmlns="http://www.w3.org/1998/Math/MathML">
    ...       <apply><times/><cn>-1</cn><ci>k</ci><ci>A</ci></apply>
    ...     </math></rateRule></listOfRules>
    ...   </model>
    ... </sbml>''')
    >>> network.states, network.parameters, network.rates["A"].printed
    (('A',), ('k',), '-1 * k * A')
    """
    text, file = read_text(source)
    return _network(text, file, inputs, (), check_units)


def _network(text: str, file: str | None, inputs: Sequence[str], units: Sequence[str], check_units: bool) -> Network:
    document = open_document(text, file)
    # What sirolens does not support is named before libSBML's opinion on the rest.
    network = assemble(document.getModel(), inputs=inputs, file=file, units=units)
    found = faults(document, file=file, check_units=check_units) or divisions_by_zero(network, file=file)
    if found:
        raise ModelFileError(*found)
    return network


def _check_bounds(text: str, file: str | None) -> None:
    """Refuse what would keep Antimony busy for minutes or exhaust its memory."""
    depth = 0
    for statement in statements(text):
        if len(statement.text) > MAX_LENGTH:
            raise refusal("statement-too-long", file, statement.line, limit=MAX_LENGTH)
        for character in statement.text:
            depth += (character == "(") - (character == ")")
            if depth > MAX_XML_DEPTH:
                raise refusal("too-deep", file, statement.line, limit=MAX_XML_DEPTH)


def antimony_to_sbml(text: str, *, model: str | None = None, file: str | None = None) -> str:
    """Translate Antimony into SBML level 3 version 2.

    Parameters
    ----------
    text : str
        The Antimony text.
    model : str, optional
        Which of its models; by default the main one, or the last.
    file : str, optional
        Name of the file, for messages.

    Raises
    ------
    ModelFileError
        ``sbml.import``, ``sbml.assigned-twice``, ``sbml.too-deep``, ``sbml.statement-too-long``, ``sbml.antimony``
        (what Antimony itself says), ``sbml.unknown-model``.

    Examples
    --------
    >>> "rateRule" in antimony_to_sbml("A = 8; A' = -A")
    True
    """
    import antimony

    _check_bounds(text, file)
    silent = tuple(silent_faults(text, file))
    if silent:
        raise ModelFileError(*silent)
    with _ANTIMONY:
        antimony.clearPreviousLoads()
        code, told = antimony.loadAntimonyString(text), str(antimony.getLastError() or "")
        names = [] if code < 0 else [str(name) for name in antimony.getModuleNames()]
        sbml = "" if code < 0 else str(antimony.getSBMLString(model or antimony.getMainModuleName()))
        antimony.clearPreviousLoads()
    if code < 0:
        at = _ERROR_LINE.search(told)
        raise refusal("antimony", file, int(at[1]) if at else None, found=(at[2] if at else told).strip())
    if model is not None and model not in names:
        raise refusal("unknown-model", file, name=model, known=", ".join(names))
    return sbml


def read_antimony(
    source: str | Path, inputs: Sequence[str] = (), model: str | None = None, *, check_units: bool = True
) -> Network:
    """Read a model in Antimony.

    Parameters
    ----------
    source : str or Path
        The text itself, or the path of a file.
    inputs : sequence of str
        Names of constants of the model that are given from outside as functions of time instead.
    model : str, optional
        Which of the models in the text; by default the main one, or the last.
    check_units : bool
        Whether a formula whose declared units clash is refused.

    Returns
    -------
    Network
        Its `lines` are those of the Antimony text.

    Raises
    ------
    ModelFileError
        As `read_sbml` and `antimony_to_sbml`, with lines of the Antimony text.

    Examples
    --------
    >>> network = read_antimony("R: A -> B; k*A; A = 8; B = 0; k = 0.5")
    >>> network.states, network.definitions["R"].printed, network.rates["A"].printed
    (('A', 'B'), 'k * A', '-R')
    >>> read_antimony("A = 8; A' = -k*A")
    Traceback (most recent call last):
    ...
    sirolens.errors.ModelFileError: 1: sbml.missing-value(name=k)
    """
    text, file = read_text(source)
    sbml = antimony_to_sbml(text, model=model, file=file)
    lines = text_lines(text)
    units = () if _DEFAULT_COMPARTMENT in lines.mentions else (_DEFAULT_COMPARTMENT,)
    try:
        network = _network(sbml, file, inputs, units, check_units)
    except ModelFileError as failure:
        moved = (_moved(message, sbml.split("\n"), lines, file) for message in failure.messages)
        raise ModelFileError(*moved) from None
    found = {name: lines.of(network.label(name).rpartition(".")[2]) for name in network.lines}
    events = tuple(replace(event, line=lines.of(event.name)) for event in network.events)
    return replace(network, lines={name: line for name, line in found.items() if line is not None}, events=events)


def _moved(message: Message, sbml: Sequence[str], lines: TextLines, file: str | None) -> Message:
    """Put the line of the Antimony text in the place of the line of the SBML made from it."""
    name = str(message.values.get("where", message.values.get("name", "")))
    at = message.place.line if message.place is not None else None
    is_initial = at is not None and f'symbol="{name}"' in sbml[at - 1]
    line = lines.values.get(name) if is_initial else lines.of(name)
    if line is None and at is not None:
        owners = (owner[1] for row in reversed(sbml[:at]) for owner in [_OWNER.search(row)] if owner)
        line = lines.of(next(owners, ""))
    return replace(message, place=Place(file=file, line=line))
