# SPDX-License-Identifier: Apache-2.0
"""From a message to a sentence: the one place where codes and values become words, in English or Chinese.

A text in a catalogue names its values in braces: ``{level_ng_ml}`` is written with its unit by
`sirolens.report.format`. ``{levels:level|levels}`` writes the first word after exactly one and the second otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from string import Formatter

from sirolens.message import Message, Place, Severity, Value
from sirolens.report.catalogue import language_of, published, template
from sirolens.report.format import format_value
from sirolens.source import Mark, Source

__all__ = ["cite", "fill", "label", "mark_word", "place_text", "say", "say_value", "severity_word", "term", "written"]

# Values whose names end in one of these words come from the program's own vocabulary and are translated; anything
# else (a file's field, what somebody typed) is quoted as it stands.
VOCABULARY = frozenset(
    {
        "action",
        "assay",
        "cause",
        "cell",
        "cohort",
        "condition",
        "covariate",
        "day",
        "days",
        "diagnosis",
        "direction",
        "drug",
        "enzyme",
        "event",
        "food",
        "form",
        "herb",
        "kind",
        "lab",
        "mark",
        "matrix",
        "model",
        "organ",
        "phase",
        "population",
        "product",
        "quantification",
        "quantity",
        "reason",
        "role",
        "rule",
        "scope",
        "severity",
        "sex",
        "status",
        "support",
        "term",
    }
)
CITED = "cite"  # the name under which a text may say the source of its message
WRITTEN = "written"  # the name of a value that is a free text of a data file
_MARKED = re.compile(rf"({'|'.join(mark.name.replace('_', '-') for mark in Mark)}): ")


def term(text: str, language: str) -> str:
    """Translate a word of the program's own vocabulary; a word without an entry stays as it is.

    >>> term("clarithromycin", "zh"), term("lc-ms/ms", "en")
    ('克拉霉素', 'LC-MS/MS')
    """
    return template(f"terms.{text}", language) or text


def written(text: str, language: str) -> str:
    """Say a free text of a data file: ours in the reader's language, a user's own as it stands.

    A mark in capitals before it (``JUDGE: ...``) becomes the mark's word, after it.

    >>> written("JUDGE: a model of adults", "en"), written("JUDGE: a model of adults", "zh")
    ('a model of adults (judgement)', '成人模型（经验判断）')
    """
    marked = _MARKED.match(text)
    if marked is None:
        return published(text, language)
    told, rest = mark_word(Mark(marked[1].lower()), language), written(text[marked.end() :], language)
    return label("common.mark-text", language, told=told, rest=rest)


def cite(source: Source, language: str) -> str:
    """Cite a source: the title of a publication as published, what we wrote of it in the reader's language.

    >>> cite(Source(title="Sirolimus in ITP", mark=Mark.SEEN, year=2024, place="abstract", pmid="38625834"), "zh")
    'Sirolimus in ITP (2024), 摘要, PMID 38625834'
    """
    place = None if source.place is None else written(source.place, language)
    return replace(source, title=written(source.title, language), place=place).cite()


def _is_vocabulary(name: str) -> bool:
    last = name.rpartition("_")[2]
    return last in VOCABULARY or last.removesuffix("s") in VOCABULARY


def say_value(name: str, value: Value, language: str, *, zone: str | None = None) -> str:
    """Write one value: messages are said, tuples listed, words of the vocabulary translated.

    >>> say_value("doses_mg", (1.0, 0.5), "zh")
    '1 mg、0.5 mg'
    """
    if isinstance(value, Message):
        return say(value, language, zone=zone)
    if isinstance(value, tuple):
        if not value:
            return label("common.none", language)
        return label("common.list-comma", language).join(say_value(name, item, language, zone=zone) for item in value)
    if isinstance(value, str):
        if name == WRITTEN:
            return written(value, language)
        return term(value, language) if _is_vocabulary(name) else value
    return format_value(name, value, language, zone)


def fill(text: str, values: Mapping[str, Value], language: str, *, zone: str | None = None) -> str:
    """Put values into a text from a catalogue.

    Parameters
    ----------
    text : str
        The text with ``{name}`` and ``{name:one|many}``.
    values : mapping
        The values by name.
    language : {"en", "zh"}
        How they are written.
    zone : str, optional
        The clinic's time zone, for instants.

    Raises
    ------
    KeyError
        When the text names a value that is not there.

    Examples
    --------
    >>> fill("{levels} {levels:level|levels} above {high_ng_ml}", {"levels": 1, "high_ng_ml": 15.0}, "en")
    '1 level above 15 ng/mL'
    """
    parts = []
    for literal, name, choice, _ in Formatter().parse(text):
        parts.append(literal)
        if name is None:
            continue
        value = values[name]
        if choice:
            one, _, many = choice.partition("|")
            parts.append(one if value == 1 else many)
        else:
            parts.append(say_value(name, value, language, zone=zone))
    return "".join(parts)


def label(code: str, language: str, **values: Value) -> str:
    """Look up a heading, a column's name or another text that is no message.

    >>> label("common.severity-critical", "zh")
    '危急'
    """
    return _text(code, values, language_of(language), None)


def _text(code: str, values: Mapping[str, Value], language: str, zone: str | None) -> str:
    text = template(code, language)
    if text is not None:
        try:
            return fill(text, values, language, zone=zone)
        except KeyError:
            pass  # tests refuse such a text; a reader still gets every value rather than a crash
    told = "; ".join(f"{name}: {say_value(name, value, language, zone=zone)}" for name, value in values.items())
    return f"{code} ({told})" if told else code


def say(message: Message, language: str, *, zone: str | None = None) -> str:
    """Say a message in a language.

    Parameters
    ----------
    message : Message
        The code and its values.
    language : str
        ``"en"`` or ``"zh"``.
    zone : str, optional
        The clinic's time zone, an IANA name: instants are written in it; without, as they are.

    Returns
    -------
    str
        The sentence, after the place in the input where it has one; ``{cite}`` in its text is the message's own
        source. A code without words is shown with its values.

    Examples
    --------
    >>> from sirolens.message import error
    >>> fault = error("registry.unknown-name", place=Place(file="a.json", line=3), kind="models", name="x", near=(),
    ...               known=("cheng_2023",))
    >>> say(fault, "en")
    "a.json, line 3: there is no 'x' among the models. Known: cheng_2023."
    """
    language = language_of(language)
    told = {} if message.source is None else {CITED: cite(message.source, language)}
    text = _text(message.code, told | dict(message.values), language, zone)
    if message.place is None:
        return text
    where = place_text(message.place, language)
    return label("common.place-text", language, where=where, text=text) if where else text


def place_text(place: Place, language: str) -> str:
    """Write where in a file something stands.

    >>> place_text(Place(file="chart.json", line=12, field="levels[0].unit"), "zh")
    'chart.json，第 12 行，字段 levels[0].unit'
    """
    parts = []
    if place.file is not None:
        parts.append(place.file)
    if place.line is not None:
        parts.append(label("common.place-line", language, line=place.line))
    if place.field is not None:
        parts.append(label("common.place-field", language, field=place.field))
    return label("common.place-comma", language).join(parts)


def severity_word(severity: Severity, language: str) -> str:
    """Write how serious a message is.

    >>> severity_word(Severity.CRITICAL, "en")
    'Critical'
    """
    return label(f"common.severity-{severity.value}", language)


def mark_word(mark: Mark, language: str) -> str:
    """Write how surely a number is known.

    >>> mark_word(Mark.ASSUMED, "zh")
    '假设值'
    """
    return label(f"common.mark-{mark.value}", language)
