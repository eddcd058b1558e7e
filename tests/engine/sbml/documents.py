# SPDX-License-Identifier: Apache-2.0
"""Small SBML texts, written by hand for the tests."""

from __future__ import annotations

MATH = "http://www.w3.org/1998/Math/MathML"


def document(body: str, *, level: int = 3, version: int = 2, attributes: str = "") -> str:
    """Put the inside of a model into a document; the body begins in line 4."""
    core = f"level{level}/version{version}" + ("/core" if level > 2 else "")
    space = f"http://www.sbml.org/sbml/{core}"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<sbml xmlns="{space}" level="{level}" version="{version}">\n'
        f'<model id="m" {attributes}>\n{body}\n</model>\n</sbml>\n'
    )


def math(inside: str) -> str:
    return f'<math xmlns="{MATH}">{inside}</math>'


def apply(operator: str, *arguments: str) -> str:
    return f"<apply><{operator}/>{''.join(arguments)}</apply>"


def listed(what: str, *elements: str) -> str:
    return f"<listOf{what}>{''.join(elements)}</listOf{what}>" if elements else ""


def parameter(name: str, value: float | None, *, constant: bool = True) -> str:
    given = "" if value is None else f' value="{value!r}"'
    return f'<parameter id="{name}"{given} constant="{str(constant).lower()}"/>'


def compartment(name: str, size: float | None = 1.0, *, constant: bool = True) -> str:
    given = "" if size is None else f' size="{size!r}"'
    return f'<compartment id="{name}" spatialDimensions="3"{given} constant="{str(constant).lower()}"/>'


def species(
    name: str, place: str, given: str, *, substance: bool = False, boundary: bool = False, more: str = ""
) -> str:
    return (
        f'<species id="{name}" compartment="{place}" {given} hasOnlySubstanceUnits="{str(substance).lower()}"'
        f' boundaryCondition="{str(boundary).lower()}" constant="false" {more}/>'
    )


def rule(kind: str, variable: str, inside: str) -> str:
    return f'<{kind}Rule variable="{variable}">{math(inside)}</{kind}Rule>'


def reaction(name: str, reactants: str, products: str, law: str, more: str = "") -> str:
    return (
        f'<reaction id="{name}" reversible="false" {more}>{listed("Reactants", reactants) if reactants else ""}'
        f"{listed('Products', products) if products else ''}<kineticLaw>{law}</kineticLaw></reaction>"
    )


def reference(name: str, count: float = 1.0, more: str = 'constant="true"') -> str:
    return f'<speciesReference species="{name}" stoichiometry="{count!r}" {more}/>'
