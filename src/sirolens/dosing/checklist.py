# SPDX-License-Identifier: Apache-2.0
"""The checklist before a dose (H21): reasons against the drug itself, what was checked, and what nobody wrote down.

Start criteria of transplantation are not used: a platelet count is never a reason against sirolimus in ITP.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType

from sirolens.chart import AdverseEvent, Chart, Sex
from sirolens.dosing.literature import source
from sirolens.dosing.present import day_of, latest_lab
from sirolens.dosing.protocol import Settings
from sirolens.message import Message, checked, critical, info, warning
from sirolens.source import Source

__all__ = ["checklist"]

# Words that make an ongoing adverse event one of the checklist's items; interstitial comes before infection, because
# an interstitial pneumonia is both by its words.
SIGNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "lung": ("interstitial", "pneumonitis", "间质性"),
        "infection": ("infect", "pneumonia", "sepsis", "感染", "肺炎", "脓毒"),
        "wound": ("wound", "伤口", "切口"),
        "pregnancy": ("pregnan", "妊娠", "怀孕"),
        "swelling": ("angioedema", "angio-oedema", "血管性水肿"),
    }
)
VACCINE_DAYS = 30
"""How long after a live vaccine it is still spoken of (JUDGE)."""
WOUND_DAYS = 30
"""How long after surgery the wound is still asked about (JUDGE)."""


def checklist(chart: Chart, at: datetime, settings: Settings) -> tuple[Message, ...]:
    """Go through the checklist.

    Parameters
    ----------
    chart : Chart
        What is known.
    at : datetime
        The instant of the advice.
    settings : Settings
        Limits of lipids and urine protein, and the holds.

    Returns
    -------
    tuple of Message
        A warning or critical message for each item found, what is to be asked, and what was checked.
    """
    found = [*_procedures(chart, at, settings), *_events(chart, at, settings)]
    unknown: list[Message] = []
    clear: list[Message] = []
    for name, limit in (
        ("triglyceride", settings.high_triglyceride_mmol_l),
        ("cholesterol", settings.high_cholesterol_mmol_l),
        ("urine_protein", settings.high_urine_protein_mg_mg),
    ):
        lab = latest_lab(chart, name)
        item = info(f"guardrails.item-{name.replace('_', '-')}")
        if lab is None:
            unknown.append(item)
        elif lab.value > limit.value:
            found.append(
                warning(
                    f"guardrails.high-{name.replace('_', '-')}",
                    source=limit.source,
                    lab_value=lab.value,
                    limit=limit.value,
                    unit=limit.unit,
                    lab_date=day_of(chart, lab.at),
                )
            )
        else:
            clear.append(item)
    noted = {message.code for message in found}
    asked = [
        info(f"guardrails.item-{name}")
        for name in ("surgery", "infection", "lung", "live-vaccine")
        if f"guardrails.{name}" not in noted
    ]
    if chart.patient.sex is not Sex.MALE and "guardrails.pregnancy" not in noted:
        asked.append(info("guardrails.item-pregnancy"))
    said = [*found, info("guardrails.ask-before-dose", source=source("label-warnings"), items=(*asked, *unknown))]
    if clear:
        said.append(checked("guardrails.checklist-checked", items=tuple(clear)))
    return tuple(said)


def _procedures(chart: Chart, at: datetime, settings: Settings) -> list[Message]:
    said: list[Message] = []
    hold = settings.surgery_hold_days
    for procedure in chart.procedures:
        day = procedure.planned_for or procedure.at
        if procedure.kind in ("surgery", "splenectomy"):
            if day >= at:
                stop = day_of(chart, day) - timedelta(days=hold.value)
                said.append(
                    warning(
                        "guardrails.surgery",
                        source=hold.source,
                        kind=procedure.kind,
                        planned_date=day_of(chart, day),
                        last_dose_date=stop,
                        hold_d=hold.value,
                    )
                )
            elif at - day <= timedelta(days=WOUND_DAYS):
                said.append(
                    warning(
                        "guardrails.wound-after-surgery",
                        source=source("label-warnings"),
                        kind=procedure.kind,
                        done_date=day_of(chart, day),
                    )
                )
        elif procedure.kind == "live-vaccine" and day >= at - timedelta(days=VACCINE_DAYS):
            said.append(
                warning("guardrails.live-vaccine", source=source("label-warnings"), vaccine_date=day_of(chart, day))
            )
    return said


def _events(chart: Chart, at: datetime, settings: Settings) -> list[Message]:
    said: list[Message] = []
    for event in chart.adverse_events:
        if event.stop is not None and event.stop <= at:
            continue
        kind = _kind(event)
        if kind is None:
            continue
        severe = kind in ("lung", "pregnancy", "swelling") or (
            kind == "infection" and (event.grade or 0) >= settings.hold_infection_grade.value
        )
        if kind == "infection":
            origin = settings.hold_infection_grade.source if severe else source("infection-children")
        else:
            origin = source("label-warnings")
        said.append(_event(f"guardrails.{kind}", event, severe, day_of(chart, event.at), origin))
    return said


def _event(code: str, event: AdverseEvent, severe: bool, start: date, origin: Source) -> Message:
    make = critical if severe else warning
    return make(code, source=origin, event=event.term, grade=event.grade, start_date=start)


def _kind(event: AdverseEvent) -> str | None:
    term = event.term.lower()
    return next((kind for kind, words in SIGNS.items() if any(word in term for word in words)), None)
