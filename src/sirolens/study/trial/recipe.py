# SPDX-License-Identifier: Apache-2.0
"""The registry of trial recipes, and how a user's own recipe is loaded.

One recipe is one TOML file of ``study/data/recipes``; the format is described in ``docs/trial.md``.
"""

from __future__ import annotations

from functools import cache, partial
from importlib.resources import files
from pathlib import Path

from sirolens.errors import InputError
from sirolens.message import Message
from sirolens.registry import Registry
from sirolens.study.trial.recipe_design import Recipe
from sirolens.study.trial.recipe_file import read_recipe, read_recipe_file

__all__ = ["check", "load", "recipes", "text_of"]


def _shipped_text(name: str) -> str:
    return files("sirolens.study").joinpath("data", "recipes", f"{name}.toml").read_text(encoding="utf-8")


def _shipped(name: str) -> Recipe:
    reading = read_recipe(_shipped_text(name), f"{name}.toml")
    if reading.recipe is None:
        raise InputError(*reading.messages)
    return reading.recipe


@cache
def recipes() -> Registry[Recipe]:
    """Return the shipped recipes by name.

    Examples
    --------
    >>> "paper-a" in recipes()
    True
    """
    registry = Registry[Recipe]("recipes")
    for item in sorted(files("sirolens.study").joinpath("data", "recipes").iterdir(), key=lambda item: item.name):
        if item.name.endswith(".toml"):
            name = item.name.removesuffix(".toml")
            registry.add(name, partial(_shipped, name))
    return registry


def _is_file(name_or_path: str | Path) -> bool:
    name = str(name_or_path)
    if name in recipes():
        return False
    return isinstance(name_or_path, Path) or name.endswith(".toml") or "/" in name or "\\" in name


def load(name_or_path: str | Path) -> Recipe:
    """Load a recipe by its name or from a file.

    Parameters
    ----------
    name_or_path : str or Path
        ``"paper-a"`` or ``"my_trial.toml"``. What ends in ``.toml`` or holds a slash is a file.

    Raises
    ------
    UnknownNameError
        No such recipe.
    InputError
        The file has faults: all of them, each with file, line, key, value and what was expected.

    Examples
    --------
    >>> load("paper-a").patients
    20
    """
    if not _is_file(name_or_path):
        return recipes()[str(name_or_path)]
    reading = read_recipe_file(name_or_path)
    if reading.recipe is None:
        raise InputError(*reading.messages)
    return reading.recipe


def text_of(name_or_path: str | Path) -> str:
    """Return the text of a recipe that `load` has accepted.

    >>> text_of("paper-a").splitlines()[0]
    '# SPDX-License-Identifier: Apache-2.0'
    """
    if _is_file(name_or_path):
        return Path(name_or_path).read_text(encoding="utf-8-sig")
    return _shipped_text(str(name_or_path))


def check(path: str | Path) -> tuple[Message, ...]:
    """Check a recipe file.

    Returns
    -------
    tuple of Message
        One per fault, in the order of the file; empty: the file is good.

    Examples
    --------
    >>> [str(message) for message in check("/no/such/file.toml")]
    ['/no/such/file.toml: models.file-unreadable(expected=TOML, value=No such file or directory)']
    """
    messages = read_recipe_file(path).messages
    return tuple(sorted(messages, key=lambda message: (message.place.line or 0) if message.place else 0))
