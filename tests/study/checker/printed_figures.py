# SPDX-License-Identifier: Apache-2.0
"""Short ways for tests to write a paper's figures down and to check them."""

from __future__ import annotations

import tomllib
from pathlib import Path

from sirolens.study.checker.check import Checked, check
from sirolens.study.checker.findings import Finding, Weight
from sirolens.study.checker.published import Published
from sirolens.study.checker.published_file import read_published

ROOT = Path(__file__).parent.parent.parent.parent
EXAMPLES = sorted((ROOT / "examples" / "studies").glob("*.toml"))
HEAD = 'title = "Invented"\nsource = { title = "Invented for a test", mark = "assumed", place = "none" }\n'
BAD = (Weight.IMPOSSIBLE, Weight.INCONSISTENT)


def published(body: str, *, size: int = 20) -> Published:
    """Read figures of one group of `size` enrolled patients, and whatever else the text holds."""
    text = HEAD + f'[[groups]]\nname = "all"\nsizes = {{ enrolled = {size} }}\n' + body
    reading = read_published(text, "test.toml")
    assert reading.published is not None, [str(message) for message in reading.messages]
    return reading.published


def share(outcome: str = "response", **values: object) -> str:
    """Write one share of the group `all`, or of the one given."""
    return entry("proportions", **{"group": "all", "outcome": outcome, **values})


def entry(kind: str, **values: object) -> str:
    """Write one entry of the file."""
    lines = [f"[[{kind}]]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    text = "\n".join(lines) + "\n"
    tomllib.loads(text)
    return text


def _toml(value: object) -> str:
    if isinstance(value, str):
        return '"' + value + '"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value)


def checked(body: str, *, size: int = 20) -> Checked:
    """Check figures written by `share` and `entry`."""
    return check(published(body, size=size))


def only(body: str, *, size: int = 20) -> Finding:
    """Check figures that give one finding."""
    findings = checked(body, size=size).findings
    assert len(findings) == 1, [finding.code for finding in findings]
    return findings[0]


def example(name: str) -> Checked:
    """Check an example file."""
    path = next(path for path in EXAMPLES if path.stem == name)
    reading = read_published(path.read_text(encoding="utf-8"), path.name)
    assert reading.published is not None
    return check(reading.published)


def found(result: Checked, code: str, subject: str = "") -> Finding:
    """Return the one finding of a code, about a figure."""
    findings = [
        one for one in result.findings if one.code == f"checker.{code}" and (not subject or one.subject == subject)
    ]
    assert len(findings) == 1, [(one.code, one.subject) for one in result.findings]
    return findings[0]
