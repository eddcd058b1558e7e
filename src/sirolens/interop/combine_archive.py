# SPDX-License-Identifier: Apache-2.0
"""Packs a model, a simulation of it and a description into a COMBINE archive (.omex) that other programs open.

The same contents give the same bytes: entries bear no clock.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from io import BytesIO
from xml.sax.saxutils import escape, quoteattr

from sirolens.engine.sbml.document import open_document
from sirolens.errors import InputError
from sirolens.message import Message, error
from sirolens.report.words import say

__all__ = ["combine_archive"]

_FORMATS = {
    ".": "http://identifiers.org/combine.specifications/omex",
    "./manifest.xml": "http://identifiers.org/combine.specifications/omex-manifest",
    "./model.xml": "http://identifiers.org/combine.specifications/sbml.level-3.version-2",
    "./simulation.sedml": "http://identifiers.org/combine.specifications/sed-ml.level-1.version-3",
    "./metadata.rdf": "http://identifiers.org/combine.specifications/omex-metadata",
}
_MASTER = "./simulation.sedml"
_NO_CLOCK = (1980, 1, 1, 0, 0, 0)
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _manifest() -> str:
    rows = "".join(
        f'  <content location="{place}" format="{form}" master="{str(place == _MASTER).lower()}"/>\n'
        for place, form in _FORMATS.items()
    )
    space = "http://identifiers.org/combine.specifications/omex-manifest"
    return f'{_HEAD}<omexManifest xmlns="{space}">\n{rows}</omexManifest>\n'


def _variable(name: str, target: str) -> str:
    return (
        f'    <dataGenerator id="data_{name}"><listOfVariables>'
        f'<variable id="var_{name}" {target} taskReference="task"/></listOfVariables>'
        f'<math xmlns="http://www.w3.org/1998/Math/MathML"><ci>var_{name}</ci></math></dataGenerator>\n'
    )


def _simulation(days: float, points: int, outputs: Sequence[str]) -> str:
    """SED-ML: one uniform time course by CVODE, and a table of the outputs."""
    targets = {
        name: "target=" + quoteattr(f"/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='{name}']")
        for name in outputs
    }
    generators = _variable("time", 'symbol="urn:sedml:symbol:time"')
    generators += "".join(_variable(name, target) for name, target in targets.items())
    sets = "".join(
        f'      <dataSet id="set_{name}" label="{name}" dataReference="data_{name}"/>\n' for name in ("time", *outputs)
    )
    return (
        f'{_HEAD}<sedML xmlns="http://sed-ml.org/sed-ml/level1/version3"'
        ' xmlns:sbml="http://www.sbml.org/sbml/level3/version2/core" level="1" version="3">\n'
        '  <listOfSimulations><uniformTimeCourse id="course" initialTime="0" outputStartTime="0"'
        f' outputEndTime="{days!r}" numberOfPoints="{points}"><algorithm kisaoID="KISAO:0000019"/>'
        "</uniformTimeCourse></listOfSimulations>\n"
        '  <listOfModels><model id="model" language="urn:sedml:language:sbml.level-3.version-2" source="model.xml"/>'
        "</listOfModels>\n"
        '  <listOfTasks><task id="task" modelReference="model" simulationReference="course"/></listOfTasks>\n'
        f"  <listOfDataGenerators>\n{generators}  </listOfDataGenerators>\n"
        f'  <listOfOutputs><report id="report"><listOfDataSets>\n{sets}    </listOfDataSets></report></listOfOutputs>\n'
        "</sedML>\n"
    )


def _metadata(title: str, description: str) -> str:
    return (
        f'{_HEAD}<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns:dcterms="http://purl.org/dc/terms/">\n'
        '  <rdf:Description rdf:about=".">\n'
        f"    <dcterms:title>{escape(title)}</dcterms:title>\n"
        f"    <dcterms:description>{escape(description)}</dcterms:description>\n"
        "    <dcterms:license>Apache-2.0</dcterms:license>\n"
        "  </rdf:Description>\n</rdf:RDF>\n"
    )


def combine_archive(
    sbml: str, *, days: float, outputs: Sequence[str], title: str, description: Message, points: int | None = None
) -> bytes:
    """Pack a self-contained model into a COMBINE archive.

    Parameters
    ----------
    sbml : str
        The model, as `sirolens.interop.sbml.compose` writes it.
    days : float
        How long the simulation in the archive lasts.
    outputs : sequence of str
        Ids of parameters of the model that its table shows.
    title : str
        Of the archive.
    description : Message
        What it is; written in English.
    points : int, optional
        Steps of the table; by default one a day.

    Returns
    -------
    bytes
        The archive: manifest, model, simulation (SED-ML level 1 version 3) and metadata.

    Raises
    ------
    InputError
        ``sbml.archive-days``, ``sbml.archive-output``.
    ModelFileError
        When the model is not SBML.

    Examples
    --------
    >>> from sirolens.engine.sbml import antimony_to_sbml
    >>> from sirolens.message import info
    >>> data = combine_archive(
    ...     antimony_to_sbml("A = 1; A' = -A"), days=2, outputs=["A"], title="decay", description=info("sbml.no-model")
    ... )
    >>> sorted(zipfile.ZipFile(BytesIO(data)).namelist())
    ['manifest.xml', 'metadata.rdf', 'model.xml', 'simulation.sedml']
    """
    model = open_document(sbml).getModel()
    steps = round(days) if points is None else points
    faults = [error("sbml.archive-output", name=name) for name in outputs if model.getParameter(name) is None]
    if not (0.0 < days < float("inf") and steps > 0):
        faults.append(error("sbml.archive-days", days=days, points=steps))
    if faults:
        raise InputError(*faults)
    contents = {
        "manifest.xml": _manifest(),
        "model.xml": sbml,
        "simulation.sedml": _simulation(float(days), steps, outputs),
        "metadata.rdf": _metadata(title, say(description, "en")),
    }
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in contents.items():
            entry = zipfile.ZipInfo(name, date_time=_NO_CLOCK)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text.encode())
    return out.getvalue()
