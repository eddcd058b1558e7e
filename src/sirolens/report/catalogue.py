# SPDX-License-Identifier: Apache-2.0
"""The catalogues of words: from a code and a language to the text somebody wrote for it.

One gettext domain per owner (``dosing.mo``, ``common.mo`` ...), one folder per language; the domain of a code is what
stands before its first dot, and the msgid is the whole code. The texts of the data files that sirolens ships are in
``published``: there the msgid is the English text as it stands in the file. ``python -m tests.catalogues`` compiles
them.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from types import MappingProxyType

from sirolens.errors import UnknownNameError
from sirolens.message import error

__all__ = ["LANGUAGES", "language_of", "published", "template"]

LANGUAGES = MappingProxyType({"en": "en", "zh": "zh_Hans"})
"""Language -> folder of its catalogues."""


def language_of(tag: str) -> str:
    """Bring a language tag to one of `LANGUAGES`.

    Parameters
    ----------
    tag : str
        Such as ``"en"``, ``"en-GB"``, ``"zh"``, ``"zh-Hans"`` or ``"zh_CN"``.

    Raises
    ------
    UnknownNameError
        ``report.unknown-language`` for any other language.

    Examples
    --------
    >>> language_of("zh-CN"), language_of("en_GB")
    ('zh', 'en')
    """
    language = tag.replace("_", "-").partition("-")[0].lower()
    if language not in LANGUAGES:
        raise UnknownNameError(error("report.unknown-language", name=tag, known=tuple(LANGUAGES)))
    return language


@cache
def _translations(domain: str, language: str) -> NullTranslations:
    file = files("sirolens.report") / "locale" / LANGUAGES[language] / "LC_MESSAGES" / f"{domain}.mo"
    if not file.is_file():
        return NullTranslations()
    with file.open("rb") as stream:
        return GNUTranslations(stream)


def template(code: str, language: str) -> str | None:
    """Find the text of a code, or None where nobody wrote one.

    >>> template("common.severity-warning", "en"), template("common.no-such-code", "en")
    ('Warning', None)
    """
    text = _translations(code.partition(".")[0], language).gettext(code)
    return None if text == code else text


def published(text: str, language: str) -> str:
    """Find the words for a text of a shipped data file; any other text stays as its author wrote it.

    >>> published("V/F, my own note", "zh")
    'V/F, my own note'
    """
    return _translations("published", language).gettext(text) if text else text
