# SPDX-License-Identifier: Apache-2.0
"""Which options may be offered, in which order, and whether to start, keep or change: rules over a computed table.

An option that breaks a rule is not dropped: it is listed with every reason. Some reasons can be overridden by
acknowledging their code with a reason; the hard cap and a dose more likely than not above the range cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import final

from sirolens.dosing.options import Option
from sirolens.dosing.present import Current, Who
from sirolens.dosing.protocol import Settings
from sirolens.dosing.target import Target
from sirolens.message import Message, info

__all__ = ["OVERRIDABLE", "Decision", "Outcome", "Refused", "decide", "judge"]

OVERRIDABLE = frozenset(
    {"dosing.refused-soft-cap", "dosing.refused-step-up", "dosing.refused-step-down", "dosing.refused-too-soon"}
)
"""Reasons that give way when their code is acknowledged with a reason."""


STOPPERS = frozenset(
    {
        "guardrails.infection",
        "guardrails.lung",
        "guardrails.pregnancy",
        "guardrails.swelling",
        "guardrails.sirolimus-twice",
        "interactions.avoid-inhibitor",
        "interactions.listed-inhibitor",
    }
)
"""Critical messages that speak against the drug as it is taken, not only against more of it."""


class Outcome(StrEnum):
    """What the advice comes to."""

    START = "start"
    KEEP = "keep"
    CHANGE = "change"
    RANGE = "range"  # small children: a range over models, no single dose
    NONE = "none"  # nothing can be put forward; the messages say why
    NOT_COMPUTED = "not-computed"  # no model may be used for this patient


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A regimen that is not offered, with every reason."""

    option: Option
    reasons: tuple[Message, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do.

    Parameters
    ----------
    outcome : Outcome
        Start, keep, change, a range, or nothing.
    preferred : int, optional
        Position among the offered options.
    reasons : tuple of Message
        Why.
    """

    outcome: Outcome
    preferred: int | None
    reasons: tuple[Message, ...]


def judge(
    options: Sequence[Option],
    *,
    current: Current | None,
    who: Who,
    blocks: Sequence[Message],
    acknowledged: Mapping[str, str],
    target: Target,
    settings: Settings,
) -> tuple[tuple[Option, ...], tuple[Refused, ...]]:
    """Divide options into those offered, best first, and those refused.

    Ranked by P(true trough in range), to whole percents; among equals the smallest change comes first. Rhythms that
    the models cannot tell apart (alternate days, split doses by trough-only models) come after daily ones.

    Parameters
    ----------
    options : sequence of Option
        The computed table.
    current : Current, optional
        What is taken now.
    who : Who
        Small children get the solution only.
    blocks : sequence of Message
        Critical messages nobody has acknowledged: they hide every increase (H5), and a start.
    acknowledged : mapping of str to str
        Reason by code.
    target, settings
        The range and the limits.

    Returns
    -------
    offered : tuple of Option
    refused : tuple of Refused
    """
    far = settings.far_outside_probability.value
    now_high = next((option.p_high for option in options if option.current), 0.0)
    offered: list[Option] = []
    refused: list[Refused] = []
    for option in options:
        reasons = [
            *_caps(option, settings),
            *_blocked(option, current, blocks),
            *_steps(option, current, now_high >= far, settings),
            *_chances(option, target, settings),
        ]
        if who.group == "small-child" and option.plan.form == "tablet" and not option.current:
            reasons.append(info("dosing.refused-tablet"))
        standing = [r for r in reasons if r.code not in OVERRIDABLE or not acknowledged.get(r.code, "").strip()]
        if standing:
            refused.append(Refused(option=option, reasons=tuple(standing)))
        else:
            offered.append(option)
    return tuple(sorted(offered, key=_rank)), tuple(refused)


def _rank(option: Option) -> tuple[bool, float, bool, float, float]:
    codes = {flag.code for flag in option.flags}
    return (
        "dosing.rhythm-not-identifiable" in codes and not option.current,
        -round(option.p_true_in, 2),
        "dosing.form-changes" in codes,
        abs(option.change_mg or 0.0),
        option.daily_mg,
    )


def _caps(option: Option, settings: Settings) -> list[Message]:
    most_mg = max(option.daily_mg, *option.plan.cycle.amount_mg)
    hard = min((settings.hard_daily_cap_mg, settings.label_daily_cap_mg), key=lambda cap: cap.value)
    if most_mg > hard.value:
        return [info("dosing.refused-hard-cap", source=hard.source, cap_daily_mg=hard.value)]
    if most_mg > settings.soft_daily_cap_mg.value and not option.current:
        soft = settings.soft_daily_cap_mg
        return [info("dosing.refused-soft-cap", source=soft.source, cap_daily_mg=soft.value)]
    return []


def _blocked(option: Option, current: Current | None, blocks: Sequence[Message]) -> list[Message]:
    if not blocks or (current is not None and option.daily_mg <= current.plan.daily_mg):
        return []
    return [info("dosing.refused-acknowledge", alerts=tuple(blocks))]


def _steps(option: Option, current: Current | None, far_above: bool, settings: Settings) -> list[Message]:
    if current is None or option.current or option.change_ratio is None:
        return []
    reasons: list[Message] = []
    largest = settings.largest_step_ratio
    # The margin keeps an exact doubling, such as 0.3 to 0.6 mg, on the right side of rounding.
    if option.change_ratio > largest.value * (1 + 1e-9):
        reasons.append(info("dosing.refused-step-up", source=largest.source, limit_fold=largest.value))
    if option.change_ratio < (1 - 1e-9) / largest.value and not far_above:
        reasons.append(info("dosing.refused-step-down", source=largest.source, limit_fold=largest.value))
    soon = settings.days_before_next_change
    if option.change_ratio > 1.0 and current.settled_d is not None and current.settled_d < soon.value[0]:
        reasons.append(
            info("dosing.refused-too-soon", source=soon.source, settled_d=current.settled_d, least_d=soon.value[0])
        )
    return reasons


def _chances(option: Option, target: Target, settings: Settings) -> list[Message]:
    far = settings.far_outside_probability
    if option.p_high < far.value:
        return []
    return [
        info(
            "dosing.refused-above-range",
            source=far.source,
            high_probability=option.p_high,
            high_ng_ml=target.high_ng_ml,
            trough_ng_ml=option.trough_ng_ml.median,
        )
    ]


def decide(
    offered: Sequence[Option],
    *,
    current: Current | None,
    who: Who,
    settings: Settings,
    blocks: Sequence[Message] = (),
) -> Decision:
    """Choose between starting, keeping, changing and saying nothing.

    The current regimen is kept when no other is more likely in range by more than the margin, and while it is too
    recent to judge unless it is more likely than not above the range.

    Parameters
    ----------
    offered : sequence of Option
        Best first, from `judge`.
    current : Current, optional
        What is taken now.
    who : Who
        Small children get no single dose.
    settings : Settings
        Margin, least chance, and the label's days before the next change.
    blocks : sequence of Message
        Critical messages nobody has acknowledged; while one of `STOPPERS` stands, no dose is put forward.
    """
    stops = tuple(message for message in blocks if message.code in STOPPERS)
    if stops:
        return Decision(outcome=Outcome.NONE, preferred=None, reasons=(info("dosing.none-until-clear", alerts=stops),))
    if not offered:
        return Decision(outcome=Outcome.NONE, preferred=None, reasons=(info("dosing.none-offered"),))
    best = offered[0]
    here = next((index for index, option in enumerate(offered) if option.current), None)
    soon = settings.days_before_next_change
    recent = current is not None and current.settled_d is not None and current.settled_d < soon.value[0]
    if recent and here is not None and current is not None and who.group != "small-child":
        reason = info("dosing.keep-too-soon", source=soon.source, settled_d=current.settled_d, least_d=soon.value[0])
        return Decision(outcome=Outcome.KEEP, preferred=here, reasons=(reason,))
    least = settings.least_in_range_probability
    if best.p_true_in < least.value:
        reason = info(
            "dosing.none-likely",
            source=least.source,
            best_probability=best.p_true_in,
            least_probability=least.value,
        )
        return Decision(outcome=Outcome.NONE, preferred=None, reasons=(reason,))
    if who.group == "small-child":
        return Decision(outcome=Outcome.RANGE, preferred=None, reasons=(info("dosing.range-only"),))
    if current is None:
        return Decision(outcome=Outcome.START, preferred=0, reasons=(_most_likely("dosing.start-best", best),))
    margin = settings.keep_margin_probability
    if here is not None and best.p_true_in - offered[here].p_true_in <= margin.value:
        reason = info(
            "dosing.keep-as-likely",
            source=margin.source,
            in_probability=offered[here].p_true_in,
            best_probability=best.p_true_in,
            margin_probability=margin.value,
        )
        return Decision(outcome=Outcome.KEEP, preferred=here, reasons=(reason,))
    return Decision(outcome=Outcome.CHANGE, preferred=0, reasons=(_most_likely("dosing.change-best", best),))


def _most_likely(code: str, best: Option) -> Message:
    return info(code, regimen=best.plan.message, in_probability=best.p_true_in, trough_ng_ml=best.trough_ng_ml.median)
