# SPDX-License-Identifier: Apache-2.0
"""Empty tables for a new cohort: every table with its heading, ``study.toml`` with its keys, and a README.

What is written is read again by `sirolens.interop.cohort_csv` as soon as it is filled in; nothing has a value that
somebody might forget to change.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sirolens.errors import InputError
from sirolens.interop.chart_patient import PATIENT_FIELDS
from sirolens.interop.chart_reading import Field
from sirolens.interop.chart_sections import SECTIONS
from sirolens.interop.cohort_csv import TABLES
from sirolens.interop.cohort_tables import CONTROL_FIELDS, ENROLMENT_FIELDS, RESPONSE_FIELDS
from sirolens.interop.cohort_toml import STUDY_FILE
from sirolens.interop.cohort_words import COHORT_COLUMNS
from sirolens.message import Place, error
from sirolens.report.words import label

__all__ = ["columns", "write"]

_README = "README.md"
_PATIENT = Field(name="patient", read=lambda row, name: None, required=True)
# Key, what stands behind it, whether it is left for the study to switch on.
_KEYS = (
    ("sirolens_study", "1", False),
    ("name", '""', True),
    ("title", '""', True),
    ("zone", '"Asia/Shanghai"', True),
    ("data_cut", "2026-06-30", True),
    ("invented", "false", False),
    ("decimal_mark", '"."', False),
    ("level_clock", '"07:30"', True),
    ("ctcae_version", '"5"', True),
    ("unread", '["bed"]', True),
)
_SECTIONS = """
[ethics]
approval = ""
registration = ""
consent = ""

# [arms]
# A = "Sirolimus"

# [characteristics.prior_lines]
# kind = "number"                # number, category, yes-no
# unit = ""
# title = "Prior lines"
# title_zh = "既往治疗线数"

# [methods]
# tgf-beta = "ELISA"

# [related]
# possible = true
"""


def columns(table: str) -> tuple[Field, ...]:
    """Return the columns of a table, required ones first.

    Parameters
    ----------
    table : str
        One of `sirolens.interop.cohort_csv.TABLES`.

    Examples
    --------
    >>> [column.name for column in columns("platelet_counts")][:4]
    ['patient', 'at', 'value', 'unit']
    """
    match table:
        case "patients":
            found: Sequence[Field] = (
                _PATIENT,
                *(one for one in PATIENT_FIELDS if one.name != "id"),
                *ENROLMENT_FIELDS,
            )
        case "responses":
            found = RESPONSE_FIELDS
        case "controls":
            found = CONTROL_FIELDS
        case _:
            found = (_PATIENT, *SECTIONS[table].fields)
    needed = _needed(table, found)
    return (*needed, *(one for one in found if one not in needed))


def _needed(table: str, found: Sequence[Field]) -> list[Field]:
    """Return the columns without which a row cannot be read: a measured value needs its unit."""
    with_unit = table == "doses" or any(one.name == "value" for one in found)
    wanted = {"amount", "unit"} if with_unit else set()
    return [one for one in found if one.required or one.name in wanted]


def write(folder: str | Path, language: str = "en") -> tuple[Path, ...]:
    """Write the empty tables of a cohort.

    Parameters
    ----------
    folder : str or Path
        Where to; it is made if it is not there.
    language : {"en", "zh"}
        Of the headings, the comments and the README; both are read.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    InputError
        ``cohort.template-exists`` when one of the files is there already: nothing is overwritten.
    """
    place = Path(folder)
    texts = {
        STUDY_FILE: _study_toml(language),
        _README: _readme(language),
        **{f"{table}.csv": ",".join(_heading(one.name, language) for one in columns(table)) + "\n" for table in TABLES},
    }
    there = [place / name for name in texts if (place / name).exists()]
    if there:
        raise InputError(*(error("cohort.template-exists", place=Place(file=str(path))) for path in there))
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (place / name).write_text(text, encoding="utf-8")
    except OSError:
        raise InputError(error("cohort.template-unwritable", place=Place(file=str(place)))) from None
    return tuple(place / name for name in texts)


def _heading(name: str, language: str) -> str:
    """Return a column's heading in a language: its own name, or its first Chinese one."""
    if not language.startswith("zh"):
        return name
    return next((other for other in COHORT_COLUMNS.get(name, ()) if not other.isascii()), name)


def _study_toml(language: str) -> str:
    lines = [f"# {label('cohort.template-study', language)}"]
    for key, value, later in _KEYS:
        about = label(f"cohort.about-{key.replace('_', '-')}", language)
        entry = f"{'# ' if later else ''}{key} = {value}"
        lines.append(f"{entry:<34}# {about}")
    return "\n".join(lines) + "\n" + _SECTIONS


def _readme(language: str) -> str:
    parts = [f"# {label('cohort.template-title', language)}", label("cohort.template-how", language)]
    parts.append(f"- `{STUDY_FILE}`: {label('cohort.template-study', language)}")
    for table in TABLES:
        found = columns(table)
        needed = _needed(table, found)
        told = ", ".join(f"`{_heading(one.name, language)}`" for one in needed)
        about = label(f"cohort.table-{table.replace('_', '-')}", language)
        parts.append(f"- `{table}.csv`: {about} {label('cohort.template-required', language, names=told)}")
    parts.append(label("cohort.template-rules", language))
    return "\n\n".join(parts) + "\n"
