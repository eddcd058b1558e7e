# SPDX-License-Identifier: Apache-2.0
"""Which message names an outcome, a time, a population, a design: the codes behind the words of tables and plots.

A code of a user's own, which no catalogue knows, is shown as it stands.
"""

from __future__ import annotations

from sirolens.evidence.extraction.form import AMONG_RESPONDERS
from sirolens.evidence.extraction.outcome import ArmRole, Population
from sirolens.evidence.extraction.studies import Design, Read, StudyStatus
from sirolens.message import Message, Value, info
from sirolens.source import Mark

__all__ = [
    "design_words",
    "mark_words",
    "outcome_words",
    "population_words",
    "read_words",
    "role_words",
    "status_words",
    "time_words",
]

OUTCOMES = frozenset(
    {
        "OR",
        "CR",
        "PR",
        "NR",
        "SR",
        "RELAPSE",
        "DURABLE",
        "OFF_ALL_THERAPY",
        "IMPROVED",
        "CR_OR_NEAR_CR",
        "AE",
        "MAJOR_AE",
        "SERIOUS_AE",
        "AE_MUCOSITIS",
        "AE_INFECTION",
        "AE_ALT",
        "SEVERE_INFECTION",
        "DISCONTINUED",
        "INTOLERANT",
        "PLATELETS",
        "PLATELETS_MEDIAN",
    }
)
TIMES = frozenset({"best", "any", "end", "sustained", "follow-up", "start"})
UNITS = {"d": "days", "w": "weeks", "m": "months", "y": "years"}


def outcome_words(outcome: str) -> Value:
    """Return the message that names an outcome; one among responders says so.

    >>> outcome_words("CR").code, outcome_words("SR_AMONG_RESPONDERS").code, outcome_words("MINE")
    ('extraction.outcome-cr', 'extraction.outcome-among-responders', 'MINE')
    """
    plain = outcome.removesuffix(AMONG_RESPONDERS)
    if plain != outcome:
        return info("extraction.outcome-among-responders", outcome=outcome_words(plain))
    if outcome not in OUTCOMES:
        return outcome
    return info(f"extraction.outcome-{outcome.lower().replace('_', '-')}")


def time_words(timepoint: str) -> Value:
    """Return the message that names a time: "3m" is three months.

    >>> time_words("3m").values, time_words("best").code, time_words("visit 2")
    ({'time_months': 3}, 'extraction.time-best', 'visit 2')
    """
    unit = UNITS.get(timepoint[-1:])
    if unit is not None and timepoint[:-1].isdecimal():
        match unit:
            case "days":
                return info("extraction.time-in-days", time_days=int(timepoint[:-1]))
            case "weeks":
                return info("extraction.time-in-weeks", time_weeks=int(timepoint[:-1]))
            case "months":
                return info("extraction.time-in-months", time_months=int(timepoint[:-1]))
            case _:
                return info("extraction.time-in-years", time_years=int(timepoint[:-1]))
    return info(f"extraction.time-{timepoint}") if timepoint in TIMES else timepoint


def population_words(population: Population) -> Message:
    """Return the message that names a population."""
    return info(f"extraction.population-{population.value}")


def design_words(design: Design) -> Message:
    """Return the message that names a design."""
    return info(f"extraction.design-{design.value}")


def status_words(status: StudyStatus) -> Message:
    """Return the message that says what is known of a study's results."""
    return info(f"extraction.status-{status.value}")


def read_words(read: Read) -> Message:
    """Return the message that says how much of a report was read."""
    return info(f"extraction.read-{read.value}")


def role_words(role: ArmRole) -> Message:
    """Return the message that says what an arm is in its study."""
    return info(f"extraction.role-{role.value}")


def mark_words(mark: Mark) -> Message:
    """Return the message that says how surely a number is known."""
    return info(f"common.mark-{mark.value}")
