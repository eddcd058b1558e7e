# SPDX-License-Identifier: Apache-2.0
"""The design of a virtual trial: every choice that decides what is simulated and how it is analysed.

The file format is described in ``docs/trial.md``; `sirolens.study.trial.recipe_file` reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from sirolens.source import Source

__all__ = [
    "DRUGS",
    "GROUPS",
    "OUTCOMES",
    "RULES",
    "Arm",
    "ByGroup",
    "Cells",
    "Entry",
    "Group",
    "Look",
    "Measurement",
    "Partner",
    "Primary",
    "Recipe",
    "Response",
    "Taper",
    "Tdm",
    "VisitPlan",
]

GROUPS = ("adults", "children")
DRUGS = ("sirolimus", "none")
RULES = ("proportional",)
OUTCOMES = ("overall", "complete")
TAPERED = ("responders", "complete-responders", "everyone")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ByGroup:
    """A daily dose for adults and one for children; nan where a group has none."""

    adults_mg: float
    children_mg: float

    def of(self, group: str) -> float:
        """Return the dose of a group.

        >>> ByGroup(adults_mg=3.0, children_mg=1.5).of("children")
        1.5
        """
        return self.adults_mg if group == "adults" else self.children_mg


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Adults or children of the population.

    Parameters
    ----------
    name : {"adults", "children"}
        Which.
    pk : str
        The catalogue's pharmacokinetic model, or a variant of it: the prior of every level of this group.
    form : str
        ``"tablet"`` or ``"solution"``: what is dispensed.
    """

    name: str
    pk: str
    form: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Who may enter.

    Parameters
    ----------
    count_from_10e9_l, count_below_10e9_l : float
        The measured count at screening: from <= count < below.
    age_years : tuple of float
        Youngest and oldest.
    """

    count_from_10e9_l: float
    count_below_10e9_l: float
    age_years: tuple[float, float]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What stands between the patient and the number on paper; standard deviations of logarithms.

    Parameters
    ----------
    count_log_sd : float
        Platelet count.
    level_log_sd : float, optional
        Sirolimus level; None: the residual error of the group's pharmacokinetic model.
    cells_log_sd : float
        Percentage by flow cytometry.
    """

    count_log_sd: float
    level_log_sd: float | None
    cells_log_sd: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class VisitPlan:
    """When patients are seen, and how often they are not.

    Parameters
    ----------
    days : tuple of int
        Planned days after day 0; ascending.
    window_d : int
        Seen at most so many days early or late, each day as likely.
    missed_fraction : float
        Share of visits that do not take place.
    dropped_per_year : float
        Rate of leaving the trial, independent of everything else; nobody is seen afterwards.
    missed_dose_fraction : float
        Share of doses that are not taken.
    """

    days: tuple[int, ...]
    window_d: int
    missed_fraction: float
    dropped_per_year: float
    missed_dose_fraction: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """How response is judged.

    Parameters
    ----------
    criteria : str
        Name or file of the criteria set.
    landmarks_d : tuple of int
        Days at which it is judged; they take the place of the set's own.
    """

    criteria: str
    landmarks_d: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Primary:
    """What the trial is to show.

    Parameters
    ----------
    outcome : {"overall", "complete"}
        Which response.
    day : int
        One of the landmarks.
    above : float, optional
        Of one arm: a rate that is not worth pursuing; success is a one-sided exact binomial test against it.
    compare : tuple of str
        Of two arms: the arm and its control; success is Fisher's two-sided exact test with more responses in the arm.
    alpha : float
        Level of the test.
    interval_level : float
        Level of the intervals whose coverage is counted.
    """

    outcome: str
    day: int
    above: float | None
    compare: tuple[str, ...]
    alpha: float
    interval_level: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """An interim look at the first patients of the primary arm.

    Parameters
    ----------
    after_patients : int
        How many have reached the primary day.
    stop_at_most : int, optional
        Stop for futility with so many responses or fewer.
    success_at_least : int, optional
        Stop for success with so many or more.
    """

    after_patients: int
    stop_at_most: int | None
    success_at_least: int | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Tdm:
    """Dose adjustment by level.

    Parameters
    ----------
    rule : {"proportional"}
        The dosing room's rule (`sirolens.dosing.proportional`).
    low_ng_ml, high_ng_ml : float
        Target range of the trough.
    days : tuple of int
        Visits at which a level is taken.
    """

    rule: str
    low_ng_ml: float
    high_ng_ml: float
    days: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Taper:
    """Coming off the drug.

    Parameters
    ----------
    from_d : int
        First day of the first lower dose.
    step_mg : float
        Taken off the daily dose each time.
    every_d : int
        Days between steps.
    who : {"responders", "complete-responders", "everyone"}
        Whose dose is lowered: by the verdict at the last landmark up to that day.
    """

    from_d: int
    step_mg: float
    every_d: int
    who: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A drug given beside sirolimus or alone.

    Parameters
    ----------
    name : str
        One of the mechanism's partners.
    from_d : int
        Day of its first dose.
    until_d : int, optional
        Last day of a continuous one; None: as published, or to the end.
    """

    name: str
    from_d: int
    until_d: int | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One arm.

    Parameters
    ----------
    name, title, title_zh : str
        Its name in files and for people.
    drug : {"sirolimus", "none"}
        ``"none"``: no sirolimus.
    start, maintenance : ByGroup, optional
        Daily doses.
    maintenance_from_d : int, optional
        Day of the change to maintenance, which keeps the starting dose where the level asks for it.
    tdm : Tdm, optional
        None: a fixed dose.
    taper : Taper, optional
        None: to the end.
    partners : tuple of Partner
        What is given besides.
    """

    name: str
    title: str
    title_zh: str
    drug: str
    start: ByGroup | None
    maintenance: ByGroup | None
    maintenance_from_d: int | None
    tdm: Tdm | None
    taper: Taper | None
    partners: tuple[Partner, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Regulatory T cells as a trial measures them.

    Parameters
    ----------
    days : tuple of int
        Visits at which they are counted, besides the baseline.
    controls : int
        Healthy people measured once; 0: none.
    alpha : float
        Level of the tests.
    """

    days: tuple[int, ...]
    controls: int
    alpha: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A virtual trial.

    Parameters
    ----------
    name, version, title, title_zh : str
        What it is called.
    notes, notes_zh : tuple of str
        What a reader must know: what is taken from a publication, and what is assumed.
    source : Source
        What the design was taken from, with its mark.
    seed : int
        Of every stream.
    patients : int
        In each arm of each replicate.
    replicates : int
        How many times the trial is run.
    days : int
        Length of treatment and follow-up.
    population : str
        Name of the virtual population.
    variants : tuple of str
        Of the mechanism.
    flares_per_year : float
        Infections that stir the disease up; 0: none.
    groups : tuple of Group
        Who is drawn.
    children_fraction : float
        Share of children.
    same_patients : bool
        Every arm treats the same virtual patients (a comparison no real trial can make) instead of its own.
    entry, measurement, visits, response, primary, looks, arms, cells
        See there.
    null_run : bool
        Also run the trial where the treatment under test does nothing, for its type I error.
    published : tuple of str
        Studies of ``study/data/comparators.toml`` that are shown beside.
    file, digest : str
        Where it was read, and the SHA-256 of its text.
    """

    name: str
    version: str
    title: str
    title_zh: str
    notes: tuple[str, ...]
    notes_zh: tuple[str, ...]
    source: Source
    seed: int
    patients: int
    replicates: int
    days: int
    population: str
    variants: tuple[str, ...]
    flares_per_year: float
    groups: tuple[Group, ...]
    children_fraction: float
    same_patients: bool
    entry: Entry
    measurement: Measurement
    visits: VisitPlan
    response: Response
    primary: Primary
    looks: tuple[Look, ...]
    arms: tuple[Arm, ...]
    cells: Cells | None
    null_run: bool
    published: tuple[str, ...]
    file: str
    digest: str

    def arm(self, name: str) -> Arm:
        """Return an arm by its name."""
        return next(one for one in self.arms if one.name == name)
