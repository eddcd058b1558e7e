# SPDX-License-Identifier: Apache-2.0
"""A cohort as CDISC-style domains: DM, EX, PC, LB, AE and, where present, VS, CM and PR, as CSV or XPT.

Each record becomes a row of the chart's own tables, so that numbers, units, times and doubts are treated the same;
faults name the variable. What the domains do not hold (bleeding, cells) may stand beside them as tables of a cohort.
The variables are those of the SDTM model; ``docs/cohort.md`` lists what is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from sirolens.errors import ChartError
from sirolens.interop.cdisc_patients import DM_READ, read_dm
from sirolens.interop.cdisc_records import DOMAINS, read_domain
from sirolens.interop.cohort_csv import files_by_table, read_tables
from sirolens.interop.cohort_gathering import Gathering, finish
from sirolens.interop.cohort_toml import read_study
from sirolens.message import Message, Place, error, info
from sirolens.response.cohort import Cohort

__all__ = ["READ", "is_cdisc", "read"]

READ: Mapping[str, Sequence[str]] = MappingProxyType(
    {"DM": DM_READ, **{name: domain.read for name, domain in DOMAINS.items()}}
)
"""The variables that are read, by domain."""
_DOMAIN_LIKE = re.compile(r"[a-z]{2}|supp[a-z]{2}|relrec")
_SUFFIXES = (".csv", ".xpt")


def is_cdisc(folder: str | Path) -> bool:
    """Whether a folder holds a DM domain, and so is to be read by `read`."""
    try:
        return any(p.stem.lower() == "dm" and p.suffix.lower() in _SUFFIXES for p in Path(folder).iterdir())
    except OSError:
        return False


def read(folder: str | Path) -> tuple[Cohort, tuple[Message, ...]]:
    """Read a cohort from a folder of CDISC-style domains.

    Parameters
    ----------
    folder : str or Path
        Holds ``study.toml``, ``dm.csv`` or ``dm.xpt``, and other domains.

    Returns
    -------
    cohort : Cohort
    flags : tuple of Message
        What was read with care, and what was set aside.

    Raises
    ------
    InputError
        With every fault found: file, line, variable, value, what was expected.
    """
    place = Path(folder)
    gathering = Gathering(read_study(place), place)
    domains = _domains(place, gathering)
    if "DM" in domains:
        read_dm(domains["DM"], gathering)
    else:
        gathering.reading.fault(error("cdisc.dm-missing", place=Place(file=str(place))))
    for name, domain in DOMAINS.items():
        if name in domains:
            read_domain(domains[name], domain, gathering)
    files = files_by_table(gathering, frozenset(path.stem.lower() for path in _domain_like(place)))
    if "patients" in files:
        gathering.reading.fault(error("cdisc.patients-beside-dm", place=Place(file=str(files["patients"][0]))))
    read_tables({name: paths for name, paths in files.items() if name != "patients"}, gathering)
    return finish(gathering)


def _domain_like(folder: Path) -> list[Path]:
    """Return the files that are named like a domain."""
    try:
        found = sorted(folder.iterdir())
    except OSError:
        raise ChartError(error("file.unreadable", place=Place(file=str(folder)))) from None
    return [path for path in found if path.suffix.lower() in _SUFFIXES and _DOMAIN_LIKE.fullmatch(path.stem.lower())]


def _domains(folder: Path, gathering: Gathering) -> dict[str, Path]:
    """Find the file of each domain; one given twice is a fault, one that is not read is set aside with a flag."""
    domains: dict[str, Path] = {}
    for path in _domain_like(folder):
        name = path.stem.upper()
        place = Place(file=str(path))
        if name not in READ:
            gathering.reading.flag(info("cdisc.domain-set-aside", place=place, known=tuple(READ)))
        elif name in domains:
            gathering.reading.fault(error("cdisc.domain-twice", place=place, first_file=domains[name].name))
        else:
            domains[name] = path
    return domains
