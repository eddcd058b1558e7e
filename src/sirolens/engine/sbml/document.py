# SPDX-License-Identifier: Apache-2.0
"""Opens the text of an SBML file, and refuses what is not one before libSBML sees it.

libSBML crashes the process on deeply nested XML and follows entities; the text is therefore walked once by expat, which
also gives the line of whatever is not well formed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.parsers import expat

from sirolens.errors import ModelFileError
from sirolens.message import Place, Value, error

__all__ = ["MAX_BYTES", "MAX_XML_DEPTH", "open_document", "read_text", "refusal"]

#: Largest file that is read; the largest published models of this kind have some 5 MB.
MAX_BYTES = 20_000_000
#: Deepest nesting of XML elements.
MAX_XML_DEPTH = 300

_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
# What the mathematics of a model hangs on; others (layout, render, groups) only decorate it.
_PACKAGES = frozenset({"comp", "fbc", "qual", "spatial", "multi", "arrays", "dyn", "req"})
# Packages that may be required and yet are read: what they add to formulas is known, or refused where it is used.
_READ = ("/l3v2extendedmath/", "/distrib/", "/layout/", "/render/", "/groups/")


def refusal(code: str, file: str | None, line: int | None = None, /, **values: Value) -> ModelFileError:
    """Make the error that says why a file cannot be used."""
    return ModelFileError(error(f"sbml.{code}", source=None, place=Place(file=file, line=line), **values))


def read_text(source: str | Path) -> tuple[str, str | None]:
    """Return the text of a source, and the name of its file when it is a path.

    Raises
    ------
    ModelFileError
        ``sbml.unreadable-file``, ``sbml.too-large``, ``sbml.not-utf-8``, ``sbml.empty-file``,
        ``sbml.control-character``.

    Examples
    --------
    >>> read_text("<sbml/>")
    ('<sbml/>', None)
    """
    file = None
    if isinstance(source, Path):
        file = source.name
        try:
            size = source.stat().st_size
            content = source.read_bytes() if size <= MAX_BYTES else b""
        except OSError as reason:
            raise refusal("unreadable-file", file, reason=type(reason).__name__) from None
    else:
        size = len(source)
        content = source.encode("utf-8", "surrogatepass") if size <= MAX_BYTES else b""
    if size > MAX_BYTES:
        raise refusal("too-large", file, found_bytes=size, limit_bytes=MAX_BYTES)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        raise refusal("not-utf-8", file, content.count(b"\n", 0, reason.start) + 1) from None
    if not text.strip():
        raise refusal("empty-file", file)
    if "\x00" in text:  # Antimony would take it for the end of the text
        raise refusal("control-character", file, text.count("\n", 0, text.index("\x00")) + 1)
    return text, file


def _required(attributes: Mapping[str, str]) -> Iterator[str]:
    """Yield the packages without which a document says it cannot be understood."""
    for name, value in attributes.items():
        prefix, _, attribute = name.rpartition(":")
        address = attributes.get(f"xmlns:{prefix}", "")
        if attribute == "required" and value == "true" and not any(part in address for part in _READ):
            yield prefix


def _walk(text: str, file: str | None) -> None:
    parser = expat.ParserCreate("utf-8")
    depth = 0

    def entity(*_: Any) -> None:
        raise refusal("entities", file, parser.CurrentLineNumber)

    def opened(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        if depth == 0 and name.rpartition(":")[2] != "sbml":
            raise refusal("not-sbml", file, parser.CurrentLineNumber, found=name[:60])
        for prefix in _required(attributes) if depth == 0 else ():
            raise refusal("unsupported-package", file, parser.CurrentLineNumber, package=prefix)
        depth += 1
        if depth > MAX_XML_DEPTH:
            raise refusal("too-deep", file, parser.CurrentLineNumber, limit=MAX_XML_DEPTH)

    def closed(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = entity
    parser.EntityDeclHandler = entity
    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as reason:
        raise refusal("not-well-formed", file, reason.lineno, found=expat.errors.messages[reason.code]) from None


def _packages(document: Any, file: str | None) -> None:
    found = {str(document.getPlugin(i).getPackageName()) for i in range(document.getNumPlugins())}
    refused = sorted(found & _PACKAGES)
    for i in range(document.getNumUnknownPackages()):
        prefix, uri = str(document.getUnknownPackagePrefix(i)), str(document.getUnknownPackageURI(i))
        if prefix in _PACKAGES or document.getPackageRequired(uri):
            refused.append(prefix)
    if refused:
        raise ModelFileError(
            *(
                error("sbml.unsupported-package", place=Place(file=file, line=document.getLine() or None), package=name)
                for name in refused
            )
        )


def open_document(text: str, file: str | None = None) -> Any:
    """Read SBML into libSBML's document.

    Parameters
    ----------
    text : str
        The XML.
    file : str, optional
        Name of the file, for messages.

    Returns
    -------
    libsbml.SBMLDocument
        With a model, of level 2 or 3, and none of the packages that change the mathematics.

    Raises
    ------
    ModelFileError
        ``sbml.not-xml``, ``sbml.entities``, ``sbml.not-sbml``, ``sbml.too-deep``, ``sbml.not-well-formed``,
        ``sbml.invalid``, ``sbml.unsupported-level``, ``sbml.unsupported-package``, ``sbml.no-model``.
    """
    import libsbml

    if not text.lstrip().startswith("<"):
        raise refusal("not-xml", file, 1)
    declaration = _DECLARATION.match(text)
    # One encoding is left once the text is text; line numbers stay.
    lines = "\n" * declaration[0].count("\n") if declaration else ""
    body = text[declaration.end() :] if declaration else text
    plain = f'<?xml version="1.0" encoding="UTF-8"?>{lines}{body}'
    _walk(plain, file)
    document = libsbml.readSBMLFromString(plain)
    if document.getLevel() == 1:
        raise refusal("unsupported-level", file, document.getLine() or None, level=1)
    _packages(document, file)
    faults = []
    for i in range(document.getNumErrors()):
        fault = document.getError(i)
        if fault.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            place = Place(file=file, line=int(fault.getLine()) or None)
            rule, found = int(fault.getErrorId()), str(fault.getShortMessage())
            faults.append(error("sbml.invalid", place=place, rule=rule, found=found))
    if faults:
        raise ModelFileError(*faults)
    if document.getModel() is None:
        raise refusal("no-model", file)
    return document
