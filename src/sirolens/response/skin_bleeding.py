# SPDX-License-Identifier: Apache-2.0
"""The skin of the ITP bleeding assessment tool: from what is seen on the skin to the grade S0 to S3.

Only the rows below were seen of the tool's table; mucosae and organs have none here. Where the printed rows leave a
gap, the grades on both sides of it are returned, and the domain has a grade only if the gap cannot change it.

================== ============= ============================== ========================== ============================
row                0             1                              2                          3
================== ============= ============================== ========================== ============================
petechiae          none          <= 10 in a palm-sized area     > 10 in such an area, or   > 50 scattered above and
                                 where they are densest         > 5 in one above and in    below the belt
                                                                one below the belt
ecchymoses         none, or <= 2 >= 3 smaller ones in one area, 1-5 larger than a palm     > 5 larger than a palm
                   smaller than  or >= 2 in each of two areas
                   a palm in one
                   area
haematomas         none          one smaller than a palm        two smaller                > 2 smaller, or >= 1 larger
minor wounds       none          < 5 min                        > 5 min, or it disturbs
                                                                daily activities
================== ============= ============================== ========================== ============================

What a patient tells without a document is grade 1 in every row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

from sirolens.message import Message, info
from sirolens.response.bleeding import scales

__all__ = ["SKIN_ROWS", "Skin", "row_meaning", "skin_grade", "skin_grades"]

Grades = tuple[int, int]
_WOUND_LIMIT_MIN = 5.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Skin:
    """What was seen on the skin since the last visit, at its worst; 0 and False say that it was looked for, and absent.

    Parameters
    ----------
    petechiae_above, petechiae_below : int
        How many there are above and below the belt.
    densest_above, densest_below : int
        Most of them in one palm-sized area above and below the belt.
    small_ecchymoses : tuple of int
        Ecchymoses smaller than a palm, body area by body area.
    large_ecchymoses : int
        Ecchymoses larger than a palm.
    small_haematomas, large_haematomas : int
        Subcutaneous haematomas smaller and larger than a palm.
    wound_min : float
        How long the worst minor wound bled [min]; 0 for none.
    wound_disturbs : bool
        Whether that bleeding interfered with daily activities.

    Raises
    ------
    ValueError
        When a number is negative, or more petechiae are counted in one area than there are.
    """

    petechiae_above: int = 0
    petechiae_below: int = 0
    densest_above: int = 0
    densest_below: int = 0
    small_ecchymoses: tuple[int, ...] = ()
    large_ecchymoses: int = 0
    small_haematomas: int = 0
    large_haematomas: int = 0
    wound_min: float = 0.0
    wound_disturbs: bool = False

    def __post_init__(self) -> None:
        for name in type(self).__dataclass_fields__:
            given = getattr(self, name)
            for number in given if isinstance(given, tuple) else (given,):
                if not number >= 0:
                    raise ValueError(f"{name} = {number}; expected 0 or more")
        for where in ("above", "below"):
            every, densest = getattr(self, f"petechiae_{where}"), getattr(self, f"densest_{where}")
            if densest > every or (every > 0 and densest == 0):
                raise ValueError(f"densest_{where} = {densest} of petechiae_{where} = {every}; expected 1 to {every}")


def _petechiae(skin: Skin) -> Grades:
    above, below = skin.petechiae_above, skin.petechiae_below
    if above + below > 50 and above and below:
        grade = 3
    elif max(skin.densest_above, skin.densest_below) > 10 or min(skin.densest_above, skin.densest_below) > 5:
        grade = 2
    else:
        grade = int(above + below > 0)
    return grade, grade


def _ecchymoses(skin: Skin) -> Grades:
    if skin.large_ecchymoses:
        grade = 3 if skin.large_ecchymoses > 5 else 2
        return grade, grade
    areas = [count for count in skin.small_ecchymoses if count]
    if any(count >= 3 for count in areas) or sum(count >= 2 for count in areas) >= 2:
        return 1, 1
    # One here and one or two there: the row of grade 0 speaks of one area only, that of grade 1 of two in each.
    return (0, 1) if len(areas) > 1 else (0, 0)


def _haematomas(skin: Skin) -> Grades:
    grade = 3 if skin.large_haematomas else min(skin.small_haematomas, 3)
    return grade, grade


def _wounds(skin: Skin) -> Grades:
    if skin.wound_disturbs or skin.wound_min > _WOUND_LIMIT_MIN:
        return 2, 2
    if skin.wound_min == _WOUND_LIMIT_MIN:
        return 1, 2  # the rows say less and more than 5 minutes
    grade = int(skin.wound_min > 0.0)
    return grade, grade


_BY_ROW: Mapping[str, tuple[Callable[[Skin], Grades], int]] = {
    "petechiae": (_petechiae, 3),
    "ecchymoses": (_ecchymoses, 3),
    "haematomas": (_haematomas, 3),
    "minor-wounds": (_wounds, 2),
}
#: The rows of the skin, each with its highest grade.
SKIN_ROWS: Mapping[str, int] = {row: most for row, (_, most) in _BY_ROW.items()}


def skin_grades(skin: Skin, *, documented: bool = True) -> dict[str, Grades]:
    """Grade every row: the lowest and the highest grade that the printed rows allow.

    Parameters
    ----------
    skin : Skin
        What was seen.
    documented : bool
        Whether a physician saw it or a document says it; what a patient tells without one is at most grade 1.

    Returns
    -------
    dict of str to (int, int)
        By row; the two differ only in a gap of the printed table.

    Examples
    --------
    >>> skin_grades(Skin(petechiae_above=12, densest_above=11, wound_min=5))
    {'petechiae': (2, 2), 'ecchymoses': (0, 0), 'haematomas': (0, 0), 'minor-wounds': (1, 2)}
    """
    graded = {row: grade(skin) for row, (grade, _) in _BY_ROW.items()}
    return graded if documented else {row: (min(low, 1), min(high, 1)) for row, (low, high) in graded.items()}


def skin_grade(skin: Skin, *, documented: bool = True) -> int | None:
    """Grade the skin, the S of SMOG: the highest grade of its rows; None where a gap of the printed rows decides it.

    Parameters
    ----------
    skin : Skin
        What was seen.
    documented : bool
        See `skin_grades`.

    Returns
    -------
    int or None

    Examples
    --------
    >>> skin_grade(Skin(small_haematomas=2, wound_min=5.0))
    2
    >>> skin_grade(Skin(small_ecchymoses=(1, 1))) is None
    True
    """
    rows = skin_grades(skin, documented=documented).values()
    lowest, highest = max(low for low, _ in rows), max(high for _, high in rows)
    return lowest if lowest == highest else None


def row_meaning(row: str, grade: int) -> Message:
    """Return what a grade of a row of the skin means, to be said in either language.

    Raises
    ------
    ValueError
        When there is no such row, or it has no such grade.

    Examples
    --------
    >>> row_meaning("petechiae", 2).code
    'safety.skin-petechiae-2'
    """
    if grade not in range(SKIN_ROWS.get(row, -1) + 1):
        raise ValueError(f"no grade {grade} of {row!r}; the rows and their highest grades are {dict(SKIN_ROWS)}")
    return info(f"safety.skin-{row}-{grade}", source=scales()["itp-bat"].source)
