# SPDX-License-Identifier: Apache-2.0
"""The diagram of the mechanism: its arrows read off the model's equations, its boxes placed here by hand."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sirolens.mechanism.diagram import influences
from sirolens.mechanism.network import Mechanism
from sirolens.message import Message, info
from sirolens.report.network_figure import Box, Link, NetworkMap

__all__ = ["PLACES", "mechanism_map"]

_DRUG, _T_CELLS, _RESTRAINT, _B_CELLS, _CYTOKINES, _PLATELETS = range(6)
#: Of each state and port: column, row and kind of box.
PLACES: Mapping[str, tuple[float, float, int]] = MappingProxyType(
    {
        "C": (0, 3.5, _DRUG),
        "u_T": (1, 1.5, _DRUG),
        "u_B": (1, 4.3, _DRUG),
        "u_R": (1, 6.4, _DRUG),
        "C_avg": (1, 8, _DRUG),
        "flare": (0, 1.2, _DRUG),
        "GC": (0, 0, _DRUG),
        "RTX": (0, 5, _DRUG),
        "IVG": (6, 1, _DRUG),
        "TRA": (4.4, 8, _DRUG),
        "H": (2.2, 2.2, _T_CELLS),
        "Th1": (1.6, 0, _T_CELLS),
        "Th2": (2.5, 0, _T_CELLS),
        "Th17": (3.4, 0.2, _T_CELLS),
        "CTL": (4.4, 1.2, _T_CELLS),
        "R": (2.3, 6.4, _RESTRAINT),
        "M": (2.3, 7.6, _RESTRAINT),
        "Br": (3.3, 7, _RESTRAINT),
        "B": (3, 3.9, _B_CELLS),
        "PB": (3.95, 3.9, _B_CELLS),
        "PL": (5.1, 3.7, _B_CELLS),
        "Ab": (5.2, 2.6, _B_CELLS),
        "IL6": (3.3, 1.4, _CYTOKINES),
        "BAFF": (2.4, 3.4, _CYTOKINES),
        "IL10": (3.1, 5.3, _CYTOKINES),
        "TGF": (4.3, 5.4, _CYTOKINES),
        "K1": (5.4, 7.6, _PLATELETS),
        "K2": (6, 6.8, _PLATELETS),
        "K3": (6, 5.8, _PLATELETS),
        "P": (6, 4.4, _PLATELETS),
        "TPO": (5, 6.4, _PLATELETS),
    }
)
_KINDS = ("given", "t-cells", "restraint", "b-cells", "cytokines", "platelets")
#: Where the diagram looks: a treated patient, with the average above the toxic threshold so that its arrow shows.
_TYPICAL = MappingProxyType({"C": 10.0, "C_avg": 25.0})


def _name(key: str) -> Message:
    return info(f"diagram.{key.lower().replace('_', '-')}")


def mechanism_map(mechanism: Mechanism) -> NetworkMap:
    """Draw the mechanism of a variant.

    Parameters
    ----------
    mechanism : Mechanism
        The model.

    Returns
    -------
    NetworkMap
        Every state and port as a box, every influence as an arrow.

    Raises
    ------
    KeyError
        When the model has a state without a place.

    Examples
    --------
    >>> from sirolens.mechanism.network import load
    >>> drawn = mechanism_map(load())
    >>> next(link.sign for link in drawn.links if (link.source, link.target) == ("u_T", "H"))
    -1
    """
    network = mechanism.network
    boxes = tuple(
        Box(key=key, name=_name(key), column=column, row=row, kind=kind)
        for key, (column, row, kind) in ((key, PLACES[key]) for key in (*network.inputs, *network.states))
    )
    links = tuple(Link(one.source, one.target, one.sign) for one in influences(network, typical=_TYPICAL))
    return NetworkMap(boxes=boxes, links=links, kinds=tuple(info(f"diagram.kind-{kind}") for kind in _KINDS))
