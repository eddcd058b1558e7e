# SPDX-License-Identifier: Apache-2.0
"""The shape of the code holds: file sizes, headers, names, no cycles, light start."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "sirolens"
MODULES = sorted(PACKAGE.rglob("*.py"))
ALL_PYTHON = sorted(
    path for folder in ("src", "tests", "benchmarks", "validation") for path in (ROOT / folder).rglob("*.py")
)
LONGEST_FILE_LINES = 700  # DESIGN: the limit; every ugly file of the field began with an exception
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "core", "manager", "misc"}
# What starts slowly (0.2 to 1.2 s each) is imported where it is used, so that `sirolens --help` answers at once.
SLOW = {
    "altair",
    "pandas",
    "xarray",
    "scipy.stats",
    "scipy.optimize",
    "typst",
    "docx",
    "vl_convert",
    "arviz_stats",
    "statsmodels",
    "antimony",
    "libsbml",
    "SALib",
    "sklearn",
    "zarr",
}


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Module:
    """What these tests ask of a module; its tree, which is large, is not kept."""

    path: Path
    name: str
    docstring: str | None
    imported: frozenset[str]  # at import, that is by statements at the top


@cache
def _modules() -> tuple[_Module, ...]:
    """Every module of the package, read once a process."""
    found = []
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstring = ast.get_docstring(tree)
        found.append(_Module(path=path, name=_name(path), docstring=docstring, imported=frozenset(_imports(tree))))
    assert found
    return tuple(found)


def _imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in _top_level(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"relative import of {node.module}"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _top_level(tree: ast.Module) -> list[ast.stmt]:
    """Statements that run at import; what only the type checker sees does not."""
    return [
        statement
        for statement in tree.body
        if not (isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING")
    ]


def test_every_file_is_short_and_has_its_header() -> None:
    assert ALL_PYTHON
    faults = []
    for path in ALL_PYTHON:
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > LONGEST_FILE_LINES:
            faults.append(f"{path}: {len(lines)} lines")
        if lines and lines[0] != "# SPDX-License-Identifier: Apache-2.0":
            faults.append(f"{path}: {lines[0]}")
    assert not faults, "\n".join(faults)


def test_every_module_says_what_it_is_for() -> None:
    silent = [one.name for one in _modules() if not one.docstring]
    assert not silent, "a module opens with one sentence that says what it is for"


def test_no_module_is_a_grab_bag() -> None:
    assert not [one.name for one in _modules() if set(one.path.stem.split("_")) & FORBIDDEN_NAMES]


def test_slow_libraries_are_imported_where_they_are_used() -> None:
    slow = [
        f"{one.name}: {name}"
        for one in _modules()
        for name in sorted(one.imported)
        if any(name == s or name.startswith(f"{s}.") for s in SLOW)
    ]
    assert not slow


def test_modules_do_not_import_each_other_in_circles() -> None:
    names = {one.name for one in _modules()}
    graph = {one.name: one.imported & names for one in _modules()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for target in sorted(graph[name]):
                visit(target, (*trail, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_help_starts_without_numerics() -> None:
    script = (
        "import sys; sys.argv = ['sirolens', '--help']\n"
        "from sirolens.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"heavy = {{'numpy', 'numba', 'scipy', *{SLOW!r}}} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


KERNEL_ROOMS = ("engine", "engine/simd", "models", "dosing")  # their cache is keyed by the content of all their files

MADE_BY = re.compile(r"^@(?:njit|kernel)\b", re.MULTILINE)


def _decorated(path: Path) -> set[str]:
    """The kernels of a file, by their names."""
    functions = [
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)
    ]
    return {one.name for one in functions if any(MADE_BY.match("@" + ast.unparse(by)) for by in one.decorator_list)}


def _imported_names(tree: ast.Module) -> set[str]:
    """What a file can call: modules imported whole, and names imported from modules."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_outside_the_kernel_rooms_a_kernel_calls_none_of_another_file() -> None:
    """numba keys a cached kernel on the text of its own file only: a stale one of another file would go on running."""
    kernels = {_name(path): path for path in MODULES if MADE_BY.search(path.read_text(encoding="utf-8"))}
    callable_ones = {f"{name}.{one}" for name, path in kernels.items() for one in _decorated(path)} | kernels.keys()
    assert len(callable_ones) > 2 * len(kernels)
    for name, path in kernels.items():
        if name.split(".")[1] not in KERNEL_ROOMS:
            assert not _imported_names(ast.parse(path.read_text(encoding="utf-8"))) & callable_ones, name
