# SPDX-License-Identifier: Apache-2.0
"""The published JSON Schema of the chart format, made from the same list of fields that the reader uses.

The file beside this module is what `schema_text` gives; a test holds the two together. What the format documents and
what `write_chart` writes satisfies the schema. The reader refuses more, since no schema sees a level in the wrong unit;
and it is kinder to spelling (``"yes"`` for ``true``).
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from sirolens.interop.chart_json import TOP_FIELDS, VERSION
from sirolens.interop.chart_patient import PATIENT_FIELDS
from sirolens.interop.chart_reading import Field
from sirolens.interop.chart_sections import SECTIONS
from sirolens.interop.regimen_json import KINDS

__all__ = ["SCHEMA_FILE", "chart_schema", "published_schema", "schema_text"]

SCHEMA_FILE = "chart.schema.json"
_NUMBER = {"type": ["number", "string"]}
_CLOCK = {"type": "string", "pattern": "^[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?$"}
_OF_A_KIND: dict[str, dict[str, Any]] = {
    "at": {"anyOf": [_CLOCK, {"type": "array", "items": _CLOCK, "minItems": 1, "maxItems": 2}]},
    "unit": {"type": "string"},
    "weekly": {"type": "boolean"},
    "words": {"type": "string"},
    "parts": {"type": "array", "items": {"$ref": "#/$defs/regimen"}, "minItems": 1},
    "pattern": {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "array",
            "items": {"type": "array", "prefixItems": [_CLOCK, _NUMBER], "minItems": 2, "maxItems": 2},
        },
    },
}
_ALWAYS: dict[str, dict[str, Any]] = {
    "days": _NUMBER,
    "missing": {"type": "array", "items": {"type": "string"}},
}


def chart_schema() -> dict[str, Any]:
    """Make the JSON Schema (draft 2020-12) of a chart.

    Returns
    -------
    dict
        Ready for ``json.dumps``.

    Examples
    --------
    >>> chart_schema()["required"]
    ['sirolens_chart', 'zone', 'patient']
    """
    properties: dict[str, Any] = {
        "sirolens_chart": {"const": VERSION, "description": "Version of the format."},
        "zone": {"type": "string", "description": "The clinic's time zone, an IANA name such as Asia/Shanghai."},
        "decimal_mark": {"enum": [".", ","], "description": "The decimal mark of numbers written as text."},
        "note": {"type": "string", "description": "For people; not read."},
        "patient": _object(PATIENT_FIELDS),
    }
    for name, section in SECTIONS.items():
        properties[name] = {"type": "array", "items": _object(section.fields)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:sirolens:chart:{VERSION}",
        "title": "sirolens chart",
        "description": "What happened to one patient: prescriptions, levels, counts, with the time of each.",
        "type": "object",
        "required": ["sirolens_chart", "zone", "patient"],
        "additionalProperties": False,
        "properties": {name: properties[name] for name in TOP_FIELDS},
        "$defs": {"regimen": _regimen()},
    }


def _object(fields: tuple[Field, ...]) -> dict[str, Any]:
    """Make the schema of one row; every field may also be null, which is the same as leaving it out."""
    required = [field.name for field in fields if field.required]
    properties = {
        field.name: dict(field.form) if field.required else {"anyOf": [dict(field.form), {"type": "null"}]}
        for field in fields
    }
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


def _regimen() -> dict[str, Any]:
    kinds = [
        {
            "type": "object",
            "required": ["kind"],
            "additionalProperties": False,
            "properties": {
                "kind": {"const": kind},
                **{name: _OF_A_KIND.get(name, _NUMBER) for name in sorted(names)},
                **_ALWAYS,
            },
        }
        for kind, names in KINDS.items()
    ]
    return {
        "description": "Words such as '2 mg daily', an object of one kind, or a list of parts in turn.",
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"$ref": "#/$defs/regimen"}, "minItems": 1},
            *kinds,
        ],
    }


def schema_text() -> str:
    """Return the schema as the text of its published file."""
    return json.dumps(chart_schema(), ensure_ascii=False, indent=2) + "\n"


def published_schema() -> str:
    """Return the text of the schema file that ships with the package."""
    return (files("sirolens.interop") / SCHEMA_FILE).read_text(encoding="utf-8")
