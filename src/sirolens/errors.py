# SPDX-License-Identifier: Apache-2.0
"""The exception tree of sirolens.

::

    SirolensError               something could not be done; carries every message that says why
    ├── InputError              what was handed over is unreadable, ambiguous or impossible
    │   ├── ChartError          ... in a patient's chart
    │   ├── TableError          ... in a table of events or data
    │   ├── ModelFileError      ... in a model file
    │   ├── ExpressionError     ... in a formula
    │   └── RegimenError        ... in a regimen
    ├── UnknownNameError        no such model, drug, criteria set ...; lists what is known
    └── ScopeError              the patient lies outside what any model may be used for

An impossible request is an error; a hard case (a fit that did not converge) is a result that says so.
"""

from __future__ import annotations

from sirolens.message import Message

__all__ = [
    "ChartError",
    "ExpressionError",
    "InputError",
    "ModelFileError",
    "RegimenError",
    "ScopeError",
    "SirolensError",
    "TableError",
    "UnknownNameError",
]


class SirolensError(Exception):
    """Something could not be done.

    Parameters
    ----------
    *messages : Message
        Every reason, not only the first; the words are looked up by whoever shows them.

    Examples
    --------
    >>> from sirolens.message import error
    >>> str(InputError(error("chart.unit-missing", value="7.2")))
    'chart.unit-missing(value=7.2)'
    """

    def __init__(self, *messages: Message) -> None:
        super().__init__(*messages)
        self.messages = messages

    def __str__(self) -> str:
        return "\n".join(str(message) for message in self.messages)


class InputError(SirolensError):
    """What was handed over is unreadable, ambiguous or impossible."""


class ChartError(InputError):
    """A patient's chart cannot be used as it stands."""


class TableError(InputError):
    """A table of events or data cannot be used as it stands."""


class ModelFileError(InputError):
    """A model file cannot be used as it stands."""


class ExpressionError(InputError):
    """A formula cannot be read."""


class RegimenError(InputError):
    """A regimen makes no sense."""


class UnknownNameError(SirolensError):
    """There is no thing of that name."""


class ScopeError(SirolensError):
    """The patient lies outside what any model may be used for."""
