# SPDX-License-Identifier: Apache-2.0
"""What an exported model looks like before a language is chosen: compartments, flows, names and blocks of effects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import final

from sirolens.models.population import PopulationModel

__all__ = ["Flows", "effect_blocks", "flows", "header_lines", "unique_names"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """A linear model written as differential equations.

    Parameters
    ----------
    compartments : tuple of str
        Names in the order of compartment numbers.
    central : int
        Number of the central compartment, from 1.
    equations : tuple of str
        Right-hand sides with ``{A1}`` for the amount in compartment 1 and ``{CL}`` for a parameter.
    """

    compartments: tuple[str, ...]
    central: int
    equations: tuple[str, ...]


def _absorption(model: PopulationModel) -> tuple[list[str], list[str], str]:
    """Names and equations of the stages before the central compartment, and what flows out of the last."""
    if model.saturable is not None:
        rate = "{VM}*{A1}/({KM} + {A1})"
        return ["DEPOT"], [f"-{rate}"], rate
    stages = 0 if model.structure is None else model.structure.stages
    if stages == 0:
        return [], [], ""
    names = ["DEPOT"] if stages == 1 else [f"STAGE{i}" for i in range(1, stages + 1)]
    equations = ["-{KA}*{A1}"] + [f"{{KA}}*({{A{i - 1}}} - {{A{i}}})" for i in range(2, stages + 1)]
    return names, equations, f"{{KA}}*{{A{stages}}}"


def flows(model: PopulationModel) -> Flows:
    """Write the disposition and absorption of a linear model as equations.

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> flows(load("cheng_2020")).equations
    ('-{KA}*{A1}', '{KA}*{A1} - {CL}/{V1}*{A2}')
    """
    names, equations, inflow = _absorption(model)
    central = len(names) + 1
    compartments = 1 if model.structure is None else model.structure.compartments
    centre = [inflow] if inflow else []
    centre.append(f"- {{CL}}/{{V1}}*{{A{central}}}" if inflow else f"-{{CL}}/{{V1}}*{{A{central}}}")
    around = []
    for i in range(2, compartments + 1):
        other = central + i - 1
        exchange = f"{{Q{i}}}*({{A{central}}}/{{V1}} - {{A{other}}}/{{V{i}}})"
        centre.append(f"- {exchange}")
        around.append(exchange)
    names += ["CENTRAL", *(f"PERIPH{i}" for i in range(1, compartments))]
    return Flows(compartments=tuple(names), central=central, equations=(*equations, " ".join(centre), *around))


def unique_names(names: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """Give each name an upper-case spelling that no other has; the languages do not tell cases apart.

    >>> unique_names(["Vm", "VM", "CL"], {"CL"})
    {'Vm': 'VM', 'VM': 'VM_2', 'CL': 'CL_2'}
    """
    used = {name.upper() for name in taken}
    result = {}
    for name in names:
        text, number = name.upper(), 2
        while text in used:
            text, number = f"{name.upper()}_{number}", number + 1
        used.add(text)
        result[name] = text
    return result


def effect_blocks(model: PopulationModel) -> tuple[tuple[str, ...], ...]:
    """Group the random effects that are correlated with each other, in their order.

    >>> from sirolens.models.catalog import load
    >>> effect_blocks(load("mao_2024")), effect_blocks(load("cheng_2020"))
    ((('CL', 'V'),), (('CL',), ('V',)))
    """
    waiting = list(range(len(model.eta_names)))
    blocks = []
    while waiting:
        block, frontier = set(), {waiting[0]}
        while frontier:
            block |= frontier
            frontier = {j for i in frontier for j in waiting if model.omega[i, j] != 0.0} - block
        waiting = [i for i in waiting if i not in block]
        blocks.append(tuple(model.eta_names[i] for i in sorted(block)))
    return tuple(blocks)


def header_lines(model: PopulationModel) -> tuple[str, ...]:
    """Say what was exported and from where, one line each, without comment marks."""
    lines = [
        f"Model {model.full_name}: {model.title}",
        f"Source: {model.source.cite()}",
        f"Primary parameter table read: {'yes' if model.primary_table_seen else 'no (transcription)'}",
        f"SHA-256 of the model file: {model.digest}",
        f"Units: dose mg, time h, concentration ng/mL; may be asked for: {', '.join(sorted(model.supports))}",
    ]
    for covariate in model.covariates:
        rule = {
            "reference": f"missing: {covariate.missing_value:g}",
            "ask": "missing: ask, do not impute",
            "refuse": "missing: not allowed",
        }[covariate.when_missing]
        observed = "" if covariate.low is None else f", observed {covariate.low:g} to {covariate.high:g}"
        lines.append(
            f"Covariate {covariate.name} [{covariate.unit}], reference {covariate.reference:g}{observed}; {rule}"
        )
    for limit in model.limits:
        ends = [f"{bound:g}" if bound is not None else "-" for bound in (limit.hard_low, limit.hard_high)]
        lines.append(f"Do not use outside {limit.fact} {ends[0]} to {ends[1]}")
    return tuple(" ".join(line.split()) for line in lines)


def rename_amounts(text: str, parameters: Mapping[str, str], amounts: Mapping[str, str]) -> str:
    """Fill an equation of `Flows` with the names of a language."""
    return text.format_map({**parameters, **amounts})
