# SPDX-License-Identifier: Apache-2.0
"""Altair's schema of Vega-Lite as a checker of figures: compiled once a process, every row of a figure is checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema_rs

FIGURE = "#/definitions/TopLevelVConcatSpec"  # what `altair.VConcatChart` is validated against


def check(described: Mapping[str, Any]) -> None:
    """Refuse, with a `jsonschema_rs.ValidationError`, a figure that is no valid Vega-Lite."""
    _validator().validate(described)


@cache
def _validator() -> jsonschema_rs.Draft7Validator:
    spec = find_spec("altair")  # found, not imported: the schema is all that is needed of it
    assert spec is not None
    assert spec.origin is not None
    (file,) = (Path(spec.origin).parent / "vegalite").glob("*/schema/vega-lite-schema.json")
    schema = json.loads(file.read_text(encoding="utf-8"))
    return jsonschema_rs.Draft7Validator(_quoted({**schema, "$ref": FIGURE}), validate_formats=True)


def _quoted(part: Any) -> Any:
    """The schema with references as its own draft wants them: the file writes ``<`` and ``|`` into them as they are."""
    if isinstance(part, dict):
        references = {"$ref": quote(part["$ref"], safe="#/")} if isinstance(part.get("$ref"), str) else {}
        return {name: _quoted(inner) for name, inner in part.items()} | references
    return [_quoted(inner) for inner in part] if isinstance(part, list) else part
