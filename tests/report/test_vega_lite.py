# SPDX-License-Identifier: Apache-2.0
"""What Altair takes is taken and what it refuses is refused (oracle: `altair.VConcatChart.validate`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from tests.report import invented, vega_lite

Figure = dict[str, Any]


def _layer(figure: Figure) -> Figure:
    layer: Figure = figure["vconcat"][0]["layer"][0]
    return layer


def _channel(figure: Figure) -> Figure:
    channel: Figure = _layer(figure)["encoding"]["x"]
    return channel


BREAKERS: dict[str, Callable[[Figure], object]] = {
    "unknown-mark": lambda figure: _layer(figure)["mark"].update(type="blob"),
    "no-mark": lambda figure: _layer(figure).pop("mark"),
    "wrong-type-of-a-mark's-property": lambda figure: _layer(figure)["mark"].update(opacity="half"),
    "unknown-property-of-a-mark": lambda figure: _layer(figure)["mark"].update(loudness=1),
    "number-out-of-its-range": lambda figure: _layer(figure)["mark"].update(opacity=1.5),
    "unknown-type-of-a-channel": lambda figure: _channel(figure).update(type="what"),
    "unknown-channel": lambda figure: _layer(figure)["encoding"].update(smell={"value": 1}),
    "unknown-property-of-a-layer": lambda figure: _layer(figure).update(nonsense=1),
    "unknown-property-of-the-figure": lambda figure: figure.update(width=100),
    "unknown-property-of-the-configuration": lambda figure: figure.update(config={"nonsense": 1}),
    "rows-that-are-none": lambda figure: _layer(figure).update(data={"values": 3}),
    "no-panels": lambda figure: figure.pop("vconcat"),
    "a-single-panel-as-a-figure": lambda figure: (figure.update(_layer(figure)), figure.pop("vconcat")),
}


def _figure() -> Figure:
    figure = invented.bars().spec("en", invented.ZONE)
    for panel in figure["vconcat"]:
        for layer in panel["layer"]:
            del layer["data"]["values"][3:]
    return figure


def test_a_figure_that_altair_takes_is_taken() -> None:
    import altair as alt

    alt.VConcatChart.validate(_figure())
    vega_lite.check(_figure())


@pytest.mark.parametrize("name", BREAKERS)
def test_a_broken_figure_that_altair_refuses_is_refused(name: str) -> None:
    import altair as alt

    figure = _figure()
    BREAKERS[name](figure)
    with pytest.raises(jsonschema.ValidationError):
        alt.VConcatChart.validate(figure)
    with pytest.raises(jsonschema_rs.ValidationError):
        vega_lite.check(figure)
