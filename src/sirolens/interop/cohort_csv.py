# SPDX-License-Identifier: Apache-2.0
"""A cohort as a folder of CSV tables: ``study.toml``, ``patients.csv``, and the chart's tables with a leading patient.

Columns are those of a chart's tables (``docs/input.md``), with one more, ``patient``; ``docs/cohort.md`` documents
every one. Two tables are the cohort's own: the response the source reports, and the healthy controls.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from sirolens.errors import ChartError
from sirolens.interop.chart_reading import spelling
from sirolens.interop.chart_sections import SECTIONS, section_of
from sirolens.interop.cohort_gathering import Gathering, finish
from sirolens.interop.cohort_tables import read_controls, read_facts, read_patients, read_responses
from sirolens.interop.cohort_toml import STUDY_FILE, read_study
from sirolens.interop.cohort_words import CONTROL_NAMES, PATIENTS_NAMES, RESPONSE_NAMES
from sirolens.message import Message, Place, error, warning
from sirolens.response.cohort import Cohort

__all__ = ["TABLES", "files_by_table", "read", "read_tables"]

TABLES = ("patients", *SECTIONS, "responses", "controls")
"""Every table of a cohort, by the name of its file."""


def read(folder: str | Path) -> tuple[Cohort, tuple[Message, ...]]:
    """Read a cohort from a folder of CSV tables.

    Parameters
    ----------
    folder : str or Path
        Holds ``study.toml``, ``patients.csv`` and, as needed, ``platelet_counts.csv``, ``levels.csv`` and so on.

    Returns
    -------
    cohort : Cohort
    flags : tuple of Message
        What was read with care.

    Raises
    ------
    InputError
        With every fault found: file, line, column, value, what was expected.
    """
    place = Path(folder)
    gathering = Gathering(read_study(place), place)
    files = files_by_table(gathering)
    if "patients" not in files:
        gathering.reading.fault(error("cohort.patients-missing", place=Place(file=str(place)), expected="patients.csv"))
    read_tables(files, gathering)
    return finish(gathering)


def files_by_table(gathering: Gathering, others: frozenset[str] = frozenset()) -> Mapping[str, list[Path]]:
    """Find which file holds what; a table of an unknown name is a fault, another file is set aside with a flag.

    Parameters
    ----------
    gathering : Gathering
        Its folder is searched.
    others : frozenset of str
        Stems, lower case, of files that somebody else reads.

    Returns
    -------
    mapping
        Files by the name of the table.
    """
    reading, files = gathering.reading, dict[str, list[Path]]()
    try:
        found = sorted(path for path in gathering.folder.iterdir() if not path.name.startswith("."))
    except OSError:
        raise ChartError(error("file.unreadable", place=Place(file=str(gathering.folder)))) from None
    for path in found:
        if path.name == STUDY_FILE or path.stem.lower() in others:
            continue
        if path.suffix.lower() != ".csv":
            if not path.stem.lower().startswith("readme"):
                reading.flag(warning("chart.file-set-aside", place=Place(file=str(path))))
        elif (name := _table_of(path.stem)) is not None:
            files.setdefault(name, []).append(path)
        else:
            near = tuple(f"{one}.csv" for one in get_close_matches(spelling(path.stem), TABLES, n=2))
            reading.fault(error("chart.file-unknown", place=Place(file=str(path)), near=near, known=TABLES))
    return files


def _table_of(stem: str) -> str | None:
    plain = spelling(stem)
    for name, others in (("patients", PATIENTS_NAMES), ("responses", RESPONSE_NAMES), ("controls", CONTROL_NAMES)):
        if plain in others:
            return name
    section = section_of(stem)
    return None if section is None else section.name


def read_tables(files: Mapping[str, list[Path]], gathering: Gathering) -> None:
    """Read every table, patients first.

    Parameters
    ----------
    files : mapping
        From `files_by_table`.
    gathering : Gathering
        Where everything is noted.
    """
    for path in files.get("patients", ()):
        read_patients(path, gathering)
    for name, section in SECTIONS.items():
        for path in files.get(name, ()):
            read_facts(path, section, gathering)
    for path in files.get("responses", ()):
        read_responses(path, gathering)
    for path in files.get("controls", ()):
        read_controls(path, gathering)
