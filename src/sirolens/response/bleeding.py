# SPDX-License-Identifier: Apache-2.0
"""Bleeding scales: what a grade may be on each, where that was seen, and bleeding of a cohort counted scale by scale.

A grade means something only on its scale; grades of two scales are never compared. No scale is a default. Bleeding
that nobody asked about is a count of its own, never "none".
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from importlib.resources import files
from types import MappingProxyType
from typing import Any, final

from sirolens.chart import Bleeding, BleedingAsked, Chart
from sirolens.message import Message, error, info, warning
from sirolens.registry import Registry
from sirolens.source import Mark, Source

__all__ = ["BleedingTable", "Scale", "Smog", "bleeding_table", "check", "meaning", "scale_named", "scales", "smog"]

_SMOG = re.compile(r"S([0-5])M([0-5])O([0-5])")
VERIFIED = frozenset({Mark.SEEN, Mark.DERIVED, Mark.MEASURED, Mark.SEEN_SECOND_HAND})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A bleeding scale.

    Parameters
    ----------
    name, title : str
        As it is called.
    grades : tuple of int
        What a grade may be, 0 first: no bleeding.
    domains : tuple of str
        Where bleeding is graded separately; empty for a scale of one grade.
    names : tuple of str
        Other spellings, lower case.
    note : str
        What was not seen of it.
    source : Source
        Where it was seen, and how surely.
    """

    name: str
    title: str
    grades: tuple[int, ...]
    domains: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    note: str = ""
    source: Source

    @property
    def verified(self) -> bool:
        """Whether its grades were seen in a source, at least at second hand."""
        return self.source.mark in VERIFIED


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Smog:
    """The three grades of the ITP bleeding assessment tool.

    Examples
    --------
    >>> smog("S2M1O0").worst
    2
    """

    skin: int
    mucosae: int
    organs: int

    @property
    def worst(self) -> int:
        """The highest of the three."""
        return max(self.skin, self.mucosae, self.organs)


def scales() -> Registry[Scale]:
    """Return every scale by name.

    >>> list(scales())
    ['buchanan-adix', 'china-2016', 'itp-bat', 'who']
    """
    return _SCALES


def _read() -> Mapping[str, Scale]:
    text = files("sirolens.response").joinpath("data", "bleeding.toml").read_text(encoding="utf-8")
    made = {}
    for entry in tomllib.loads(text)["scale"]:
        origin: dict[str, Any] = dict(entry.pop("source"))
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()
        }
        made[entry["name"]] = Scale(**plain, source=Source(mark=Mark(origin.pop("mark")), **origin))
    return MappingProxyType(made)


_BY_NAME = _read()
_SCALES: Registry[Scale] = Registry("bleeding-scales")
for _name in _BY_NAME:
    _SCALES.add(_name, partial(_BY_NAME.__getitem__, _name))


def scale_named(text: str) -> Scale | None:
    """Return the scale that is written under any of its names; None where it is not known.

    >>> scale_named("SMOG").name, scale_named("my own")
    ('itp-bat', None)
    """
    plain = " ".join(text.lower().split())
    return next((scale for scale in map(_SCALES.__getitem__, _SCALES) if plain in (scale.name, *scale.names)), None)


def smog(text: str) -> Smog:
    """Read the three grades of the ITP bleeding assessment tool, such as ``"S2M1O0"``.

    Raises
    ------
    ValueError
        When it is not written so, or a grade is above 5.

    Examples
    --------
    >>> smog("S2 M1 O0")
    Smog(skin=2, mucosae=1, organs=0)
    """
    match = _SMOG.fullmatch("".join(text.upper().split()))
    if match is None:
        raise ValueError(f"not a SMOG grade: {text!r}; expected S0M0O0 to S5M5O5")
    skin, mucosae, organs = map(int, match.groups())
    return Smog(skin=skin, mucosae=mucosae, organs=organs)


def check(bleeding: Bleeding) -> tuple[Message, ...]:
    """Say what is doubtful in one graded bleeding: a scale that is not known or not verified, a grade it has not.

    Parameters
    ----------
    bleeding : Bleeding
        As recorded.

    Returns
    -------
    tuple of Message
        Empty where nothing is.
    """
    if bleeding.asked is not BleedingAsked.GRADED or bleeding.scale is None:
        return ()
    scale = scale_named(bleeding.scale)
    if scale is None:
        return (warning("safety.scale-unknown", value=bleeding.scale, known=tuple(_SCALES)),)
    said = []
    if bleeding.grade is not None and bleeding.grade not in scale.grades:
        expected = ", ".join(map(str, scale.grades))
        said.append(error("safety.grade-not-on-scale", grade=bleeding.grade, value=scale.name, expected=expected))
    if not scale.verified:
        said.append(warning("safety.scale-unverified", source=scale.source, value=scale.name))
    return tuple(said)


def meaning(scale: Scale, grade: int) -> Message:
    """Return what a grade of a scale means, to be said in either language.

    Raises
    ------
    ValueError
        When the scale has no such grade.

    Examples
    --------
    >>> meaning(scales()["who"], 1).code
    'safety.who-1'
    """
    if grade not in scale.grades:
        raise ValueError(f"{scale.name} has no grade {grade}")
    return info(f"safety.{scale.name}-{grade}", source=scale.source)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BleedingTable:
    """Bleeding of a cohort over some time.

    Parameters
    ----------
    patients : int
        All of them.
    visits, none, graded, not_asked : int
        Visits with a record of bleeding, and what it says; `graded` counts bleeding.
    bled : int
        Patients with any bleeding.
    never_asked : int
        Patients of whom no visit says whether they bled.
    worst : mapping
        By scale, patients by their worst grade on it; a scale that is not known goes by what was written.
    messages : tuple of Message
        Doubts, each once.
    """

    patients: int
    visits: int
    none: int
    graded: int
    not_asked: int
    bled: int
    never_asked: int
    worst: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    messages: tuple[Message, ...] = ()


def bleeding_table(
    charts: Sequence[Chart], at: datetime, *, since: Mapping[str, datetime] | None = None
) -> BleedingTable:
    """Count the bleeding of a cohort, scale by scale.

    Parameters
    ----------
    charts : sequence of Chart
        The cohort.
    at : datetime
        The data cut.
    since : mapping, optional
        By pseudonym, from when on visits count, such as the first dose; a patient who is not in it does not count.

    Returns
    -------
    BleedingTable

    Examples
    --------
    >>> from datetime import UTC
    >>> bleeding_table([], datetime(2026, 1, 1, tzinfo=UTC)).visits
    0
    """
    said: dict[Message, None] = {}
    worst: defaultdict[str, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    asked = dict.fromkeys(BleedingAsked, 0)
    bled = never = patients = 0
    for chart in charts:
        start = None if since is None else since.get(chart.patient.id)
        if since is not None and start is None:
            continue
        patients += 1
        found = [one for one in chart.known(at).bleedings if start is None or one.at >= start]
        for one in found:
            asked[one.asked] += 1
            said.update(dict.fromkeys(check(one)))
        never += all(one.asked is BleedingAsked.NOT_ASKED for one in found)
        bled += any(_bleeds(one) for one in found)
        for name, grade in _worst(found).items():
            worst[name][grade] += 1
    return BleedingTable(
        patients=patients,
        visits=sum(asked.values()),
        none=asked[BleedingAsked.NONE],
        graded=asked[BleedingAsked.GRADED],
        not_asked=asked[BleedingAsked.NOT_ASKED],
        bled=bled,
        never_asked=never,
        worst={name: dict(sorted(grades.items())) for name, grades in worst.items()},
        messages=tuple(said),
    )


def _bleeds(one: Bleeding) -> bool:
    return one.asked is BleedingAsked.GRADED and one.grade != 0


def _worst(found: Sequence[Bleeding]) -> Mapping[str, int]:
    """Return one patient's worst grade on each scale."""
    worst: dict[str, int] = {}
    for one in found:
        if one.asked is BleedingAsked.GRADED and one.scale is not None and one.grade is not None:
            scale = scale_named(one.scale)
            name = one.scale if scale is None else scale.name
            worst[name] = max(worst.get(name, 0), one.grade)
    return worst
