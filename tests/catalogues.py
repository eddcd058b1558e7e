# SPDX-License-Identifier: Apache-2.0
"""The message catalogues: what is written in them, what the code asks of them, and their compiled form.

`python -m tests.catalogues` compiles every .po whose .mo says something else.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from string import Formatter

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


def texts(path: Path) -> dict[str, str]:
    """Code -> text of one .po; a code given twice is an error."""
    codes = re.findall(r'^msgid "(.+)"$', path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise ValueError(f"{path}: given twice: {twice}")
    with path.open("rb") as stream:
        catalog = read_po(stream, abort_invalid=True)
    return {str(message.id): str(message.string) for message in catalog if message.id and message.string}


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


def _sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def uses() -> tuple[Use, ...]:
    """Every literal code handed to a message maker, to `label` or to `Message`, with the names of its values."""
    found = []
    for path, tree in _sources():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            where = f"{path.relative_to(ROOT)}:{call.lineno}"
            name = _name(call)
            first = call.args[0] if call.args else None
            if name == "Message":
                for keyword in call.keywords:
                    if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                        found.append(Use(code=str(keyword.value.value), values=None, where=where))
            elif name in MAKERS | {"label"} and isinstance(first, ast.Constant) and isinstance(first.value, str):
                if not CODE.fullmatch(first.value):
                    continue
                names = {keyword.arg for keyword in call.keywords}
                if name != "label" and "source" in names:
                    names.add("cite")  # a text may name the source of its message
                names -= {"language"} if name == "label" else {"source", "place"}
                told = None if None in names else frozenset(str(name) for name in names)
                found.append(Use(code=first.value, values=told, where=where))
    return tuple(found)


def mentioned() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """All strings in the code that look like codes, and a pattern for every f-string that builds one."""
    literals: set[str] = set()
    patterns: set[str] = set()
    for _, tree in _sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [
                    re.escape(str(part.value)) if isinstance(part, ast.Constant) else "[a-z0-9/+-]+"
                    for part in node.values
                ]
                if parts and re.match(r"[a-z][a-z0-9_]*\\?\.", parts[0]):
                    patterns.add("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                literals.add(node.value)
    return frozenset(literals), tuple(re.compile(pattern) for pattern in sorted(patterns))


def main() -> None:
    """Compile what needs it and say so."""
    written = [path for path in po_files() if compile_catalogue(path)]
    for path in written:
        print(f"compiled {path.relative_to(ROOT)}")
    print(f"{len(po_files())} catalogues, {len(written)} compiled")


if __name__ == "__main__":
    main()
