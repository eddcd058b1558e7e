# SPDX-License-Identifier: Apache-2.0
"""The parts of the docs that the program writes itself: run as a module to remake them."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout, suppress
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "sirolens"
REVIEW = (
    "init",
    "lock",
    "status",
    "query",
    "search",
    "import",
    "search-log",
    "dedup",
    "screen",
    "agreement",
    "stop",
    "decide",
    "unseal",
    "conflicts",
    "resolve",
    "fulltext",
    "contact",
    "undo",
    "update",
    "ongoing",
    "previous",
    "snapshot",
    "diff",
    "forms",
    "certainty",
    "robvis",
    "compare-forms",
    "settle-forms",
    "pool",
    "flow",
    "report",
    "export",
)
COMMANDS: tuple[tuple[str, ...], ...] = (
    (),
    ("advise",),
    ("models",),
    ("models", "list"),
    ("models", "show"),
    ("models", "check"),
    ("models", "export"),
    ("simulate",),
    ("estimate",),
    ("response",),
    ("criteria",),
    ("criteria", "list"),
    ("criteria", "show"),
    ("criteria", "check"),
    ("study",),
    ("study", "report"),
    ("study", "template"),
    ("study", "check"),
    ("study", "reproduce"),
    ("trial",),
    ("trial", "run"),
    ("trial", "list"),
    ("trial", "show"),
    ("trial", "check"),
    ("mechanism",),
    ("mechanism", "targets"),
    ("mechanism", "sensitivity"),
    ("mechanism", "benefit"),
    ("mechanism", "export"),
    ("review",),
    *(("review", name) for name in REVIEW),
)


def command_helps(commands: Sequence[tuple[str, ...]], language: str) -> list[str]:
    """What ``sirolens ... --help`` prints for each command, without colours, 100 columns wide; in one fresh process."""
    plain = {
        **os.environ,
        "COLUMNS": "100",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "TYPER_USE_RICH": "0",
        "SIROLENS_LANGUAGE": language,
    }
    asked = [sys.executable, "-m", "tests.generated_docs", "--helps", json.dumps(commands)]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, env=plain, cwd=ROOT)
    return ["\n".join(line.rstrip() for line in text.strip().splitlines()) for text in json.loads(done.stdout)]


def print_helps(commands: Sequence[Sequence[str]]) -> None:
    """Print the helps as JSON; what `command_helps` runs."""
    from sirolens.cli.main import main

    found = []
    for command in commands:
        out = io.StringIO()
        sys.argv = ["sirolens", *command, "--help"]
        with redirect_stdout(out), suppress(SystemExit):
            main()
        found.append(out.getvalue())
    print(json.dumps(found))


def cli_page() -> str:
    """The page on the command line."""
    parts = ["# The command line\n\nWritten by `make docs` from the program's own help.\n"]
    for command, text in zip(COMMANDS, command_helps(COMMANDS, "en"), strict=True):
        parts.append(f"## `{' '.join(('sirolens', *command))}`\n\n```text\n{text}\n```\n")
    parts.append(f"## 中文\n\n`SIROLENS_LANGUAGE=zh`:\n\n```text\n{command_helps([()], 'zh')[0]}\n```\n")
    return "\n".join(parts)


def public_names(path: Path) -> list[tuple[str, str]]:
    """Each name in a module's ``__all__`` with the first sentence of its docstring."""
    text = path.read_text(encoding="utf-8")
    if "__all__" not in text:
        return []
    tree = ast.parse(text)
    said = {
        node.name: (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return [(name, said.get(name, "")) for name in ast.literal_eval(node.value)]
    return []


def api_page() -> str:
    """The page that lists every public name."""
    parts = ["# The Python API\n\nWritten by `make docs` from the code: every public name and its first sentence.\n"]
    for path in sorted(PACKAGE.rglob("*.py")):
        names = [] if "cli" in path.relative_to(PACKAGE).parts else public_names(path)
        if names:
            module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
            rows = [f"- `{name}`: {sentence}" if sentence else f"- `{name}`" for name, sentence in names]
            parts.append(f"## `{module}`\n\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


PAGES = {"docs/cli.md": cli_page, "docs/api.md": api_page}


def mechanism_svg() -> str:
    """The diagram of the mechanism, whose arrows are read off the model's equations."""
    from sirolens.mechanism.network import load
    from sirolens.report.figures import svg
    from sirolens.study.mechanism.cell_map import mechanism_map

    words = "The mechanism model: what is given, T cells, B cells, cytokines, platelets, and what raises or lowers what"
    return svg(mechanism_map(load()), name="mechanism", language="en", alt=words)


def draw_figures() -> None:
    """The README's picture, made by the program from an example chart, and the diagram of the mechanism.

    The picture is not compared byte for byte: the last digits of a curve may differ between processors.
    """
    from sirolens.care.advice_page import level_course
    from sirolens.care.consult import consult
    from sirolens.interop.chart_json import read_chart
    from sirolens.report.figures import svg

    chart, flags = read_chart(ROOT / "examples" / "charts" / "adult_three_troughs.json")
    assert chart.last_recorded is not None
    drawing = level_course(consult(chart, at=chart.last_recorded, flags=flags))
    (ROOT / "docs" / "figures" / "levels.svg").write_text(
        svg(drawing, name="levels", language="en", zone=chart.zone), encoding="utf-8"
    )
    (ROOT / "docs" / "figures" / "mechanism.svg").write_text(mechanism_svg(), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--helps"]:
        print_helps(json.loads(sys.argv[2]))
    else:
        for name, make in PAGES.items():
            (ROOT / name).write_text(make(), encoding="utf-8")
        draw_figures()
