# SPDX-License-Identifier: Apache-2.0
"""The message catalogues: what is written in them, what the code asks of them, and their compiled form.

`python -m tests.catalogues` compiles every .po whose .mo says something else.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from string import Formatter
from types import MappingProxyType

from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "sirolens"
LOCALE = SOURCE / "report" / "locale"
FOLDERS = ("en", "zh_Hans")
MAKERS = frozenset({"info", "warning", "critical", "error", "checked"})
PUBLISHED = "published"  # the domain whose msgids are texts of data files, not codes
OPEN_VOCABULARY = frozenset({"terms"})  # words looked up by value: no code names them
COMPILED_AT = datetime(2026, 1, 1, tzinfo=UTC)  # a compiled catalogue does not carry the clock
CODE = re.compile(r"[a-z][a-z0-9_]*\.[a-z0-9][a-z0-9/+-]*")


def po_files() -> tuple[Path, ...]:
    return tuple(sorted(LOCALE.glob("*/LC_MESSAGES/*.po")))


def code_files() -> tuple[Path, ...]:
    return tuple(path for path in po_files() if path.stem != PUBLISHED)


def domains() -> tuple[str, ...]:
    return tuple(sorted({path.stem for path in po_files()}))


@cache
def texts(path: Path) -> Mapping[str, str]:
    """Code -> text of one .po; a code given twice is an error."""
    codes = Counter(re.findall(r'^msgid "(.+)"$', path.read_text(encoding="utf-8"), flags=re.MULTILINE))
    twice = sorted(code for code, count in codes.items() if count > 1)
    if twice:
        raise ValueError(f"{path}: given twice: {twice}")
    with path.open("rb") as stream:
        catalog = read_po(stream, abort_invalid=True)
    found = {str(message.id): str(message.string) for message in catalog if message.id and message.string}
    return MappingProxyType(found)


def compiled(path: Path) -> dict[str, str]:
    """Code -> text of the .mo beside a .po; empty when there is none."""
    mo = path.with_suffix(".mo")
    if not mo.exists():
        return {}
    with mo.open("rb") as stream:
        return {str(message.id): str(message.string) for message in read_mo(stream) if message.id}


def compile_catalogue(path: Path) -> bool:
    """Write the .mo of a .po unless it says the same already; True when it was written."""
    wanted = texts(path)
    if path.with_suffix(".mo").exists() and compiled(path) == wanted:
        return False
    catalog = Catalog(
        locale=path.parent.parent.name,
        project="sirolens",
        creation_date=COMPILED_AT,
        revision_date=COMPILED_AT,
        charset="utf-8",
        fuzzy=False,
    )
    for code, text in sorted(wanted.items()):
        catalog.add(code, text)
    out = BytesIO()
    write_mo(out, catalog)
    path.with_suffix(".mo").write_bytes(out.getvalue())
    return True


def placeholders(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One place in the code that asks for words."""

    code: str
    values: frozenset[str] | None  # None: not told at the call (``**values``, `Message(code=...)`)
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the code asks for, from one reading of all of it."""

    uses: tuple[Use, ...]  # every literal code handed to a message maker, to `label` or to `Message`
    literals: frozenset[str]  # all strings that look like codes
    patterns: tuple[re.Pattern[str], ...]  # one for every f-string that builds a code
    sources: frozenset[str]  # the titles and places of the sources that stand in the code


@cache
def asked() -> Asked:
    """Read the code once a process: it is half a million nodes."""
    uses: list[Use] = []
    literals: set[str] = set()
    patterns: set[str] = set()
    sources: set[str] = set()
    for path in sorted(SOURCE.rglob("*.py")):
        for node in _nodes(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                uses += _uses(node, f"{path.relative_to(ROOT)}:{node.lineno}")
                sources |= _told_of_a_source(node)
            elif isinstance(node, ast.JoinedStr):
                patterns |= _pattern(node)
            elif isinstance(node.value, str) and CODE.fullmatch(node.value):
                literals.add(node.value)
    return Asked(
        uses=tuple(uses),
        literals=frozenset(literals),
        patterns=tuple(re.compile(pattern) for pattern in sorted(patterns)),
        sources=frozenset(sources),
    )


def _nodes(tree: ast.Module) -> Iterator[ast.Call | ast.JoinedStr | ast.Constant]:
    """The calls, f-strings and constants of a file, in no order."""
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        if isinstance(node, ast.Call | ast.JoinedStr | ast.Constant):
            yield node
        for part in vars(node).values():
            if isinstance(part, ast.AST):
                left.append(part)
            elif isinstance(part, list):
                left += [one for one in part if isinstance(one, ast.AST)]


def _uses(call: ast.Call, where: str) -> Iterator[Use]:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    first = call.args[0] if call.args else None
    if name == "Message":
        for keyword in call.keywords:
            if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                yield Use(code=str(keyword.value.value), values=None, where=where)
    elif name in MAKERS | {"label"} and isinstance(first, ast.Constant) and isinstance(first.value, str):
        if not CODE.fullmatch(first.value):
            return
        names = {keyword.arg for keyword in call.keywords}
        if name != "label" and "source" in names:
            names.add("cite")  # a text may name the source of its message
        names -= {"language"} if name == "label" else {"source", "place"}
        told = None if None in names else frozenset(str(name) for name in names)
        yield Use(code=first.value, values=told, where=where)


def _told_of_a_source(call: ast.Call) -> set[str]:
    if not (isinstance(call.func, ast.Name) and call.func.id == "Source"):
        return set()
    return {
        str(keyword.value.value)
        for keyword in call.keywords
        if keyword.arg in ("title", "place") and isinstance(keyword.value, ast.Constant)
    }


def _pattern(node: ast.JoinedStr) -> set[str]:
    """What an f-string may build, when it begins as a code does; otherwise nothing."""
    parts = [re.escape(str(part.value)) if isinstance(part, ast.Constant) else "[a-z0-9/+-]+" for part in node.values]
    return {"".join(parts)} if parts and re.match(r"[a-z][a-z0-9_]*\\?\.", parts[0]) else set()


def main() -> None:
    """Compile what needs it and say so."""
    written = [path for path in po_files() if compile_catalogue(path)]
    for path in written:
        print(f"compiled {path.relative_to(ROOT)}")
    print(f"{len(po_files())} catalogues, {len(written)} compiled")


if __name__ == "__main__":
    main()
