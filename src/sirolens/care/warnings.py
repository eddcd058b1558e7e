# SPDX-License-Identifier: Apache-2.0
"""What the first page warns of: the serious once each, the repetitive in one line, the quiet as a count.

Nothing is lost: what is gathered into one line here stands in full on the pages behind.
"""

from __future__ import annotations

from collections.abc import Iterable

from sirolens.message import Message, Severity, most_severe_first, warning

__all__ = ["GROUPED", "from_reading", "gathered"]

GROUPED = frozenset({"models.population-differs", "models.disease-differs", "estimate.model-left-out"})
"""Said of model after model: one line on the first page names the models."""
SERIOUS = (Severity.CRITICAL, Severity.WARNING, Severity.ERROR)


def from_reading(message: Message) -> bool:
    """Whether a message comes from reading the chart: it names a place in a file."""
    return message.place is not None


def gathered(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Gather messages for the first page, the most serious first.

    Parameters
    ----------
    messages : iterable of Message
        All of them.

    Examples
    --------
    >>> from sirolens.message import checked, critical
    >>> [m.code for m in gathered([checked("a.b"), critical("a.c")])]
    ['a.c', 'advice.checks-quiet']
    """
    said = tuple(dict.fromkeys(messages))
    serious = [m for m in said if m.severity in SERIOUS and m.code not in GROUPED and not from_reading(m)]
    models = tuple(dict.fromkeys(str(m.values["model"]) for m in said if m.code in GROUPED and "model" in m.values))
    if models:
        serious.append(warning("advice.models-borrowed", models=models))
    read = sum(from_reading(m) for m in said)
    if read:
        serious.append(warning("advice.read-with-flags", flags=read))
    quiet = sum(m.severity is Severity.CHECKED for m in said)
    checks = Message(code="advice.checks-quiet", severity=Severity.CHECKED, items=(("checks", quiet),))
    return (*most_severe_first(serious), *((checks,) if quiet else ()))
