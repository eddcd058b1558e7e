# SPDX-License-Identifier: Apache-2.0
"""Reads a paper's printed figures from a TOML text, noting every fault with its line.

The format is described in ``docs/check.md``; the files of ``examples/studies`` are its examples. Figures whose
decimals matter (percentages, P values, means) are texts: ``percent = "60.0"``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar, final

from sirolens.engine.statistics.printed import Printed, PrintedP, printed, printed_p
from sirolens.message import Message, Place, Severity, error
from sirolens.models.locate import key_lines
from sirolens.models.toml_table import Faults, Table
from sirolens.source import Mark, Source
from sirolens.study.checker.published import (
    INTERVAL_METHODS,
    TESTS,
    Comparison,
    Group,
    Mean,
    PairedTest,
    Partition,
    Proportion,
    Published,
    Split,
)

__all__ = ["LARGEST_GROUP", "PublishedReading", "read_published"]

#: No study of sirolimus is this large; a typing error is.
LARGEST_GROUP = 10_000_000
_MARKS = tuple(mark.value for mark in Mark)
_NO_PLACE = Place()
_ZERO = Printed(text="0", scaled=0, decimals=0)
_NO_P = PrintedP(text="1", relation="=", number=Printed(text="1", scaled=1, decimals=0))

Made = TypeVar("Made")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedReading:
    """What came out of a file: the figures, unless there were errors, and every message."""

    published: Published | None
    messages: tuple[Message, ...]


def read_published(text: str, file: str) -> PublishedReading:
    """Read a paper's figures.

    Parameters
    ----------
    text : str
        TOML.
    file : str
        Name for messages.

    Returns
    -------
    PublishedReading
        The figures, or None when any message is an error.

    Examples
    --------
    >>> [str(message) for message in read_published("title = 3", "a.toml").messages][0]
    'a.toml:1:title: models.wrong-type(expected=models.value-text(), value=3)'
    """
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        line = re.search(r"line (\d+)", str(fault))
        place = Place(file=file, line=int(line[1]) if line else text.count("\n") + 1)
        wrong = error("checker.not-toml", place=place, value=str(fault))
        return PublishedReading(published=None, messages=(wrong,))
    except RecursionError:
        wrong = error("checker.not-toml", place=Place(file=file), value="[[[[...")
        return PublishedReading(published=None, messages=(wrong,))
    faults = Faults(file, key_lines(text))
    root = Table(data, (), faults)
    published = _published(root, file)
    root.close()
    _check_names(published, faults)
    failed = any(message.severity is Severity.ERROR for message in faults.messages)
    return PublishedReading(published=None if failed else published, messages=tuple(faults.messages))


def _published(root: Table, file: str) -> Published:
    return Published(
        title=root.text("title", required=True),
        source=_source(root),
        note=root.text("note"),
        groups=_each(root, "groups", _group, required=True),
        proportions=_each(root, "proportions", _proportion),
        comparisons=_each(root, "comparisons", _comparison),
        paired_tests=_each(root, "paired_tests", _paired_test),
        means=_each(root, "means", _mean),
        splits=_each(root, "splits", _split),
        partitions=_each(root, "partitions", _partition),
        file=file,
    )


def _source(root: Table) -> Source:
    table = root.table("source", required=True)
    if table is None:
        return Source(title="", mark=Mark.ASSUMED)
    title = table.text("title", required=True)
    mark = Mark(table.text("mark", required=True, default=Mark.ASSUMED, choices=_MARKS))
    year = table.whole("year", least=1900)
    doi, pmid, url, place = (table.text(key) or None for key in ("doi", "pmid", "url", "place"))
    if not (doi or pmid or url or place):
        table.faults.wrong("checker.source-untraceable", table.path, title, expected="doi, pmid, url, place")
    table.close()
    return Source(title=title, mark=mark, year=year, doi=doi, pmid=pmid, url=url, place=place)


def _each(root: Table, key: str, make: Callable[[Table], Made], *, required: bool = False) -> tuple[Made, ...]:
    made = []
    for table in root.tables(key, required=required):
        made.append(make(table))
        table.close()
    return tuple(made)


def _place(table: Table) -> Place:
    return table.faults.place(table.path)


def _marked(table: Table) -> dict[str, Any]:
    mark = Mark(table.text("mark", default=Mark.SEEN, choices=_MARKS))
    return {"mark": mark, "quote": table.text("quote"), "place": _place(table)}


def _figure(table: Table, key: str, *, required: bool = False) -> Printed | None:
    """Take a number as printed: a text, so that its decimals stay."""
    if key not in table and not required:
        return None
    text = table.text(key, required=required)
    figure = printed(text) if text else None
    if figure is None and text:
        table.faults.wrong("checker.not-a-figure", (*table.path, key), text, expected='"60", "70.5"')
    return figure


def _p_value(table: Table) -> PrintedP:
    text = table.text("p", required=True)
    p = printed_p(text) if text else None
    if p is None and text:
        table.faults.wrong("checker.not-a-p-value", (*table.path, "p"), text, expected='"0.70", "<0.05"')
    return p or _NO_P


def _whole(table: Table, key: str, *, required: bool = False, least: int = 0) -> int | None:
    value = table.whole(key, required=required, least=least)
    if value is not None and value > LARGEST_GROUP:
        table.faults.wrong("checker.too-many", (*table.path, key), value, expected=LARGEST_GROUP)
        return None
    return value


def _group(table: Table) -> Group:
    name = table.text("name", required=True)
    inner = table.table("sizes")
    sizes = {}
    for key in inner.key_names() if inner is not None else ():
        size = _whole(inner, key, least=1) if inner is not None else None
        if size is not None:
            sizes[key] = size
    return Group(name=name, sizes=sizes, place=_place(table))


def _proportion(table: Table) -> Proportion:
    low_high = table.texts("interval")
    interval = tuple(one for one in map(printed, low_high) if one is not None)
    if low_high and (len(low_high) != 2 or len(interval) != 2 or interval[0].value > interval[1].value):
        table.faults.wrong("checker.not-an-interval", (*table.path, "interval"), low_high, expected='["36.1", "80.9"]')
    level = table.number("level_percent", above=50.0)
    if level is not None and level >= 100:
        table.faults.wrong("checker.level-too-high", (*table.path, "level_percent"), level, expected="< 100")
    count, of, percent = _whole(table, "count"), _whole(table, "of", least=1), _figure(table, "percent")
    if "count" not in table and "percent" not in table:
        table.faults.wrong("checker.nothing-printed", table.path, table.text("outcome"), expected="count, percent")
    return Proportion(
        group=table.text("group", required=True),
        outcome=table.text("outcome", required=True),
        time=table.text("time"),
        count=count,
        of=of,
        percent=percent,
        among=table.text("among"),
        sum_of=table.texts("sum_of"),
        part_of=table.text("part_of"),
        interval=(interval[0], interval[1]) if len(interval) == 2 else None,
        level_percent=level or 95.0,
        method=table.text("method", choices=("", *INTERVAL_METHODS)),
        **_marked(table),
    )


def _comparison(table: Table) -> Comparison:
    groups = table.texts("groups", required=True)
    if len(groups) < 2 or len(set(groups)) < len(groups):
        table.faults.wrong("checker.two-groups", (*table.path, "groups"), groups, expected='["A", "B"]')
    return Comparison(
        outcome=table.text("outcome", required=True),
        groups=groups,
        p=_p_value(table),
        time=table.text("time"),
        test=table.text("test", choices=("", *TESTS)),
        **_marked(table),
    )


def _paired_test(table: Table) -> PairedTest:
    n = table.whole("n", required=True, least=1)
    return PairedTest(
        what=table.text("what", required=True),
        n=n or 1,
        p=_p_value(table),
        time=table.text("time"),
        **_marked(table),
    )


def _mean(table: Table) -> Mean:
    n = _whole(table, "n", least=1)
    first, last = _whole(table, "n_from", least=1), _whole(table, "n_to", least=1)
    if (n is None) == (first is None or last is None):
        table.faults.wrong("checker.how-many", table.path, table.text("quantity"), expected="n; n_from, n_to")
    elif first is not None and last is not None and first > last:
        table.faults.wrong("checker.range-reversed", (*table.path, "n_to"), last, expected=first)
    step = _figure(table, "step")
    if step is not None and step.value <= 0:
        table.faults.wrong("checker.not-a-figure", (*table.path, "step"), step.text, expected="> 0")
        step = None
    return Mean(
        group=table.text("group", required=True),
        quantity=table.text("quantity", required=True),
        time=table.text("time"),
        mean=_figure(table, "mean", required=True) or _ZERO,
        sd=_figure(table, "sd"),
        sizes=range(n, n + 1) if n is not None else range(first or 1, (last or 1) + 1),
        step=Fraction(1) if step is None else step.value,
        **_marked(table),
    )


def _split(table: Table) -> Split:
    parts = table.texts("parts", required=True)
    if len(parts) < 2 or len(set(parts)) < len(parts):
        table.faults.wrong("checker.two-groups", (*table.path, "parts"), parts, expected='["A", "B"]')
    return Split(
        whole=table.text("whole", required=True),
        parts=parts,
        size=table.text("size", required=True),
        place=_place(table),
    )


def _partition(table: Table) -> Partition:
    return Partition(
        group=table.text("group", required=True),
        time=table.text("time"),
        outcomes=table.texts("outcomes", required=True),
        place=_place(table),
    )


def _check_names(published: Published, faults: Faults) -> None:
    """Note every name that nothing in the file stands for."""
    names = [group.name for group in published.groups]
    for index, name in enumerate(names):
        if name in names[:index]:
            faults.wrong("checker.group-twice", ("groups", index, "name"), name, expected=", ".join(names))
    for index, one in enumerate(published.proportions):
        path = ("proportions", index)
        known = [other.outcome for other in published.proportions if other.group == one.group]
        sizes = group.sizes if (group := published.group(one.group)) is not None else {}
        _known(faults, (*path, "group"), [one.group], names)
        if one.sum_of and not set(one.sum_of) & set(known):  # one of them may be named and not printed
            _known(faults, (*path, "sum_of"), one.sum_of, known)
        _known(faults, (*path, "part_of"), [one.part_of] if one.part_of else [], known)
        _known(faults, (*path, "among"), [one.among] if one.among else [], [*sizes, *known])
    for index, two in enumerate(published.comparisons):
        _known(faults, ("comparisons", index, "groups"), two.groups, names)
        for group_name in set(two.groups) & set(names):
            known = [other.outcome for other in published.proportions if other.group == group_name]
            _known(faults, ("comparisons", index, "outcome"), [two.outcome], known)
    for index, mean in enumerate(published.means):
        _known(faults, ("means", index, "group"), [mean.group], names)
    for index, split in enumerate(published.splits):
        _known(faults, ("splits", index, "whole"), [split.whole], names)
        _known(faults, ("splits", index, "parts"), split.parts, names)
    for index, partition in enumerate(published.partitions):
        known = [other.outcome for other in published.proportions if other.group == partition.group]
        _known(faults, ("partitions", index, "group"), [partition.group], names)
        _known(faults, ("partitions", index, "outcomes"), partition.outcomes, known)


def _known(faults: Faults, path: tuple[str | int, ...], asked: Iterable[str], known: Iterable[str]) -> None:
    listed = tuple(dict.fromkeys(known))
    for name in asked:
        if name not in listed:
            faults.wrong("checker.unknown-name", path, name, expected=", ".join(listed))
