# SPDX-License-Identifier: Apache-2.0
"""The published models that may be used, one TOML file each, and those that are known but cannot be.

`load` takes a name of the catalogue or the path of a user's own file; a variant is asked for as ``name:variant``.
Models of other packages join through the entry-point group ``sirolens.models``.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import final

from sirolens.errors import ModelFileError, UnknownNameError
from sirolens.message import error
from sirolens.models.check import read_file
from sirolens.models.model_file import read_model
from sirolens.models.population import PopulationModel
from sirolens.models.vocabulary import missing_word, written
from sirolens.registry import Registry
from sirolens.source import Mark, Source

__all__ = ["UnusableModel", "catalog", "load", "unusable"]

_LIST_OF_UNUSABLE = "known_but_unusable.toml"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class UnusableModel:
    """A published model that is known but not offered.

    Parameters
    ----------
    name, label, population : str
        What it is and whom it was made from.
    source : Source
        Where it was published.
    known : tuple of (str, str)
        What was read, as printed.
    missing : tuple of str
        What would have to be known to use it; said by `sirolens.models.vocabulary.missing_word`.
    reason : str
        Why it must not be used even though its values are known; ``""`` where values are missing.
    """

    name: str
    label: str
    population: str
    source: Source
    known: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    reason: str


def _shipped(file_name: str, variant: str | None) -> PopulationModel:
    text = (files(__name__) / file_name).read_text(encoding="utf-8")
    reading = read_model(text, file_name, variant)
    if reading.model is None:
        raise ModelFileError(*reading.messages)
    return reading.model


@cache
def catalog() -> Registry[PopulationModel]:
    """Return the models by name, each in its default reading.

    Examples
    --------
    >>> "cheng_2020" in catalog()
    True
    """
    registry = Registry[PopulationModel]("models")
    for item in sorted(files(__name__).iterdir(), key=lambda item: item.name):
        if item.name.endswith(".toml") and item.name != _LIST_OF_UNUSABLE:
            registry.add(item.name.removesuffix(".toml"), partial(_shipped, item.name, None))
    return registry


@cache
def _variant(name: str, variant: str) -> PopulationModel:
    base = catalog()[name]
    if variant not in {one.name for one in base.variants}:
        known = tuple(one.name for one in base.variants)
        raise UnknownNameError(error("models.variant-unknown", model=name, name=variant, known=known))
    return _shipped(base.file, variant)


def load(name_or_path: str | Path) -> PopulationModel:
    """Load a model by its name in the catalogue or from a file.

    Parameters
    ----------
    name_or_path : str or Path
        ``"jiao_2009"``, ``"jiao_2009:dose-covariate"``, ``"my_model.toml"`` or ``"my_model.toml:variant"``. What ends
        in ``.toml`` or holds a slash is a file.

    Raises
    ------
    UnknownNameError
        No such model or variant; or one that is known but cannot be used, with what is missing.
    ModelFileError
        The file has faults: all of them, each with file, line, field, value and what was expected.

    Examples
    --------
    >>> load("jiao_2009").residual.log_sd, load("jiao_2009:dose-covariate").variant
    (0.299, 'dose-covariate')
    """
    text = str(name_or_path)
    name, colon, variant = text.rpartition(":")
    if not colon or not (name in catalog() or name.endswith(".toml")):
        name, variant = text, ""
    if name in catalog():
        return _variant(name, variant) if variant else catalog()[name]
    if isinstance(name_or_path, Path) or name.endswith(".toml") or "/" in name or "\\" in name:
        reading = read_file(name, variant or None)
        if reading.model is None:
            raise ModelFileError(*reading.messages)
        return reading.model
    for known in unusable():
        if known.name == name:
            missing = tuple(missing_word(slug) for slug in known.missing)
            code = "models.withheld" if known.reason else "models.known-but-unusable"
            raise UnknownNameError(
                error(
                    code,
                    source=known.source,
                    model=written(known.label),
                    missing=missing,
                    reason=written(known.reason),
                )
            )
    return catalog()[name]


@cache
def unusable() -> tuple[UnusableModel, ...]:
    """Return the models that are known but cannot be used, with what is missing.

    Examples
    --------
    >>> next(model for model in unusable() if model.name == "djebli_2006").missing[0]
    'q'
    """
    data = tomllib.loads((files(__name__) / _LIST_OF_UNUSABLE).read_text(encoding="utf-8"))
    return tuple(
        UnusableModel(
            name=name,
            label=entry["label"],
            population=entry["population"],
            source=Source(
                title=entry["title"],
                mark=Mark(entry["mark"]),
                year=entry.get("year"),
                doi=entry.get("doi"),
                pmid=entry.get("pmid"),
                place=entry.get("place"),
            ),
            known=tuple(entry.get("known", {}).items()),
            missing=tuple(entry["missing"]),
            reason=entry.get("reason", ""),
        )
        for name, entry in data.items()
    )
