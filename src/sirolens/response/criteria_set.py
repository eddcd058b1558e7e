# SPDX-License-Identifier: Apache-2.0
"""A set of response criteria: one choice, one field, each with its mark and its source.

The rules that use the fields are numbered in ``docs/science/response.md``; the defaults here are those of
``data/iwg-2009.toml``, where the marks stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import final

from sirolens.source import Mark, Source

__all__ = ["Basis", "CriteriaSet", "choice_names"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What one choice rests on.

    Parameters
    ----------
    mark : Mark
        How surely it is known; of a choice that was not reported, the mark of our own assumption.
    reported : bool
        False: the source does not print it. That is a value of its own, never the same as another set's.
    place : str
        Where in the source, or which other source.
    note : str
        Why, for a choice of ours.

    Examples
    --------
    >>> Basis(mark=Mark.JUDGE, note="eight weeks outlast every rescue").reported
    True
    """

    mark: Mark
    reported: bool = True
    place: str = ""
    note: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CriteriaSet:
    """Everything that decides who has responded.

    Parameters
    ----------
    name, version, title : str
        What the set is called in files, its version and its title.
    source : Source
        Where it is printed.
    basis : mapping of str to Basis
        What each choice rests on, by the name of its field.
    notes : tuple of str
        What the set's source says besides, such as terms that are defined but not computed here.
    baseline_days, baseline_ties, baseline_excludes_10e9_l : optional
        Rules R-7 and R-8.
    complete_10e9_l, complete_operator, complete_without_bleeding : optional
        Rule R-10.
    response_10e9_l, response_operator, response_fold, fold_operator, response_join : optional
        Rule R-11.
    response_without_bleeding : bool
        Rule R-11.
    bleeding_grade, bleeding_not_asked : optional
        Rules R-10 to R-12.
    confirmation_d, failing_between_breaks, dated_by : optional
        Rules R-15 and R-16.
    loss_d, loss_dated_by : optional
        Rule R-17.
    late_limit_d : int, optional
        Rule R-19; None: no limit.
    mask_d, masked_failing_counts : optional
        Rule R-20; days by the kind of event.
    rescues, bridging_d, failing_events, final_events, regain_after_rescue : optional
        Rules R-21 to R-23.
    steroid_dependence, steroid_above_mg_d, steroid_days, steroid_gap_d : optional
        Rule R-24.
    too_early_before_d : int
        Rule R-27.
    durations, sustained_d, sustained_from : optional
        Rules R-33 and R-34.
    off_treatment_10e9_l, off_treatment_d, off_treatment_bleeding_grade : optional
        Rule R-35.
    landmarks_d, landmark_window_d, landmark_count, landmark_tie, confirming_grace_d, missing_is : optional
        Rules R-36 to R-38.
    pulse_at_most_d, pulse_from_mg_d : optional
        Rule R-42.

    Examples
    --------
    >>> source = Source(title="A protocol", mark=Mark.ASSUMED)
    >>> CriteriaSet(name="mine", version="1", title="Mine", source=source).confirmation_d
    7
    """

    name: str
    version: str
    title: str
    source: Source
    basis: Mapping[str, Basis] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()

    baseline_days: int = 14
    baseline_ties: str = "mean"
    baseline_excludes_10e9_l: float | None = 100.0
    complete_10e9_l: float = 100.0
    complete_operator: str = ">="
    complete_without_bleeding: bool = True
    response_10e9_l: float | None = 30.0
    response_operator: str = ">="
    response_fold: float | None = 2.0
    fold_operator: str = ">="
    response_join: str = "and"
    response_without_bleeding: bool = True
    bleeding_grade: int = 1
    bleeding_not_asked: str = "unknown"
    confirmation_d: int = 7
    failing_between_breaks: bool = True
    dated_by: str = "first"
    loss_d: int = 1
    loss_dated_by: str = "first"
    late_limit_d: int | None = 182
    mask_d: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType(
            {"ivig": 56, "anti-d": 56, "steroid-pulse": 56, "platelet-transfusion": 7}
        )
    )
    masked_failing_counts: str = "fail"
    rescues: tuple[str, ...] = ("ivig", "anti-d", "steroid-pulse", "platelet-transfusion")
    bridging_d: int = 28
    failing_events: tuple[str, ...] = (
        "ivig",
        "anti-d",
        "steroid-pulse",
        "platelet-transfusion",
        "new-itp-drug",
        "raised-dose",
        "splenectomy",
    )
    final_events: tuple[str, ...] = ("new-itp-drug", "raised-dose", "splenectomy")
    regain_after_rescue: bool = True
    steroid_dependence: bool = True
    steroid_above_mg_d: float = 0.0
    steroid_days: int = 60
    steroid_gap_d: int = 28
    too_early_before_d: int = 91
    durations: tuple[str, ...] = ("a", "b")
    sustained_d: int = 182
    sustained_from: str = "start"
    off_treatment_10e9_l: float = 30.0
    off_treatment_d: int = 180
    off_treatment_bleeding_grade: int = 2
    landmarks_d: tuple[int, ...] = (91, 182, 365)
    landmark_window_d: int = 14
    landmark_count: str = "nearest"
    landmark_tie: str = "later"
    confirming_grace_d: int = 28
    missing_is: str = "no-response"
    pulse_at_most_d: int = 7
    pulse_from_mg_d: float = 100.0

    @property
    def not_reported(self) -> tuple[str, ...]:
        """The choices that the source does not print, in the order of the fields."""
        return tuple(name for name in choice_names() if name in self.basis and not self.basis[name].reported)

    @property
    def needs_baseline(self) -> bool:
        """Whether a response below complete cannot be judged without a baseline (rule R-30)."""
        return self.response_fold is not None and self.response_join == "and"


def choice_names() -> tuple[str, ...]:
    """Return the names of the fields that are choices, in order.

    >>> choice_names()[0], len(choice_names())
    ('baseline_days', 46)
    """
    return tuple(one.name for one in fields(CriteriaSet))[6:]
