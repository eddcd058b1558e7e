# SPDX-License-Identifier: Apache-2.0
"""The forms of a review folder: studies, appraisals and certainty as TOML files that people read and edit.

``studies/<id>.toml`` holds one study's extraction, ``appraisals/*.toml`` one rater's appraisal each, ``certainty.toml``
the judgements of certainty. An event takes each file in with the hash of its bytes, so that a later change is seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, final

from sirolens.errors import InputError
from sirolens.evidence.appraisal.form import Appraisal, read_appraisal
from sirolens.evidence.appraisal.grade import Certainty, read_certainties
from sirolens.evidence.appraisal.tools import tool_for
from sirolens.evidence.extraction.form import Extraction
from sirolens.evidence.extraction.form_file import read_form_folder
from sirolens.evidence.extraction.studies import Read, StudyStatus
from sirolens.evidence.extraction.words import design_words, read_words
from sirolens.evidence.review.events import Event, Kind, Stage
from sirolens.evidence.review.folder import Draft, Review, append
from sirolens.evidence.review.standing import Status
from sirolens.evidence.review.state import State, counting_events
from sirolens.message import Message, Place, error, info, warning

__all__ = [
    "APPRAISALS",
    "CERTAINTY",
    "CONSENSUS",
    "SETTLED",
    "STUDIES",
    "Forms",
    "changed_forms",
    "new_form",
    "read_forms",
    "take_in",
    "without_excluded",
]

STUDIES = "studies"
APPRAISALS = "appraisals"
CERTAINTY = "certainty.toml"
CONSENSUS = "consensus"
"""What two people's forms were settled from: ``consensus/studies/<form>/``, ``consensus/appraisals/<form>/``."""
SETTLED = "settled.toml"
_STUDY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KEYS: Mapping[Kind, tuple[str, ...]] = {
    Kind.GROUPED: ("study",),
    Kind.EXTRACTED: ("study",),
    Kind.APPRAISED: ("study", "tool"),
    Kind.GRADED: ("outcome",),
    Kind.ONGOING: ("registration", "title"),
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """Everything the forms of a review say.

    Parameters
    ----------
    extractions : tuple of Extraction
        In the order of the file names.
    appraisals : tuple of Appraisal
    certainties : tuple of Certainty
    files : tuple of (str, str)
        Path inside the folder and SHA-256 of every file that was read.
    messages : tuple of Message
        Faults and warnings of every form, and of how they fit together.
    """

    extractions: tuple[Extraction, ...]
    appraisals: tuple[Appraisal, ...]
    certainties: tuple[Certainty, ...]
    files: tuple[tuple[str, str], ...]
    messages: tuple[Message, ...]

    def with_status(self, status: StudyStatus) -> tuple[Extraction, ...]:
        """Return the studies of one status, such as those ongoing."""
        return tuple(form for form in self.extractions if form.study.status is status)

    def names(self) -> Mapping[str, str]:
        """Return how each study is shown, by its id."""
        return {form.study.id: form.study.name for form in self.extractions}


def read_forms(folder: Path) -> Forms:
    """Read every form of a review folder and check how they fit together.

    Parameters
    ----------
    folder : Path
        A review's folder; each of the three places may be missing.

    Returns
    -------
    Forms
        A form with an error is left out, its errors are among the messages.
    """
    studies = read_form_folder(folder / STUDIES)
    messages = list(studies.messages)
    appraisals: list[Appraisal] = []
    for path in sorted((folder / APPRAISALS).glob("*.toml")):
        reading = read_appraisal(path)
        messages += reading.messages
        if reading.appraisal is not None:
            appraisals.append(reading.appraisal)
            messages += _fit(reading.appraisal, studies.forms, path.name)
    certainties: tuple[Certainty, ...] = ()
    if (folder / CERTAINTY).is_file():
        graded = read_certainties(folder / CERTAINTY)
        certainties = graded.certainties
        messages += graded.messages
    appraised = {one.study for one in appraisals}
    messages += [
        info("appraisal.not-appraised", place=Place(file=form.file), study=form.study.id)
        for form in studies.forms
        if form.study.status is StudyStatus.RESULTS and tool_for(form.study.design) and form.study.id not in appraised
    ]
    return Forms(
        extractions=studies.forms,
        appraisals=tuple(appraisals),
        certainties=certainties,
        files=_files(folder),
        messages=tuple(messages),
    )


def without_excluded(forms: Forms, state: State) -> Forms:
    """Return the forms of the studies that stand: not those of which every report the review has was excluded.

    A retraction excludes too. A study of which no report is linked to a record stands.

    Parameters
    ----------
    forms : Forms
    state : State

    Returns
    -------
    Forms
        With ``review.study-excluded`` for each study that was left out, its appraisals with it.
    """

    def excluded(record: str) -> bool:
        return any(state.standing(record, stage).status is Status.EXCLUDE for stage in Stage)

    known = state.grouping.cluster_of
    out = set()
    for form in forms.extractions:
        linked = [record for report in form.study.reports for record in report.records if record in known]
        if linked and all(map(excluded, linked)):
            out.add(form.study.id)
    told = [warning("review.study-excluded", study=name) for name in sorted(out)]
    return replace(
        forms,
        extractions=tuple(form for form in forms.extractions if form.study.id not in out),
        appraisals=tuple(one for one in forms.appraisals if one.study not in out),
        messages=(*forms.messages, *told),
    )


def _files(folder: Path) -> tuple[tuple[str, str], ...]:
    paths = [*sorted((folder / STUDIES).glob("*.toml")), *sorted((folder / APPRAISALS).glob("*.toml"))]
    paths += [folder / CERTAINTY] if (folder / CERTAINTY).is_file() else []
    return tuple((path.relative_to(folder).as_posix(), sha256(path.read_bytes()).hexdigest()) for path in paths)


def _fit(appraisal: Appraisal, forms: Sequence[Extraction], file: str) -> list[Message]:
    study = next((form.study for form in forms if form.study.id == appraisal.study), None)
    if study is None:
        return [error("appraisal.study-unknown", place=Place(file=file, field="study"), study=appraisal.study)]
    found: list[Message] = []
    expected = tool_for(study.design)
    if appraisal.tool not in (expected, "minors"):
        found.append(
            warning(
                "appraisal.tool-of-other-design",
                place=Place(file=file, field="tool"),
                study=study.id,
                value=appraisal.tool,
                expected=expected or "-",
                design=design_words(study.design),
            )
        )
    depth = list(Read)
    most = min((report.read for report in study.reports), key=depth.index, default=Read.NOTHING)
    if depth.index(appraisal.basis) < depth.index(most):
        found.append(
            warning(
                "appraisal.basis-above-read",
                place=Place(file=file, field="basis"),
                study=study.id,
                basis_word=read_words(appraisal.basis),
                read_word=read_words(most),
            )
        )
    return found


def new_form(folder: Path, study: str, *, by: str, language: str = "en", out: Path | None = None) -> Path:
    """Write an empty extraction form with every field explained; an existing file is never touched.

    Parameters
    ----------
    folder : Path
        The review's folder.
    study : str
        Id of the study: small letters, digits and hyphens; it names the file.
    by : str
        The reviewer.
    language : {"en", "zh"}
        Of the explanations.
    out : Path, optional
        Where to, such as a second reviewer's own folder; by default among the studies of the review.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        ``extraction.study-name``, ``extraction.form-there``.
    """
    if not _STUDY.fullmatch(study):
        raise InputError(error("extraction.study-name", value=study, expected="a-z, 0-9, -"))
    template = files("sirolens.evidence").joinpath("data", f"form_{language}.toml").read_text(encoding="utf-8")
    path = folder / STUDIES / f"{study}.toml" if out is None else out
    try:
        (folder / STUDIES).mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(template.replace("{study}", study).replace("{reviewer}", by))
    except FileExistsError as fault:
        raise InputError(error("extraction.form-there", place=Place(file=str(path)))) from fault
    return path


def take_in(folder: Path, by: str, *, only: str = "") -> tuple[Event, ...]:
    """Write the events that take the forms of a folder in: one for each form that is new or has changed.

    Parameters
    ----------
    folder : Path
    by : str
        The reviewer in whose name.
    only : str, optional
        One form, by its path inside the folder; by default all.

    Returns
    -------
    tuple of Event
        What was written; nothing where nothing changed.

    Raises
    ------
    InputError
        The folder is none of a review. Forms with errors are not taken in; `read_forms` tells them.
    """

    def drafts(review: Review) -> Sequence[Draft]:
        known = _known(review.events)
        found = _drafts(folder, _only(read_forms(folder), only))
        return [(kind, values) for kind, values in found if known.get(_key(kind, values)) != values]

    return append(folder, by, drafts)


def _only(forms: Forms, path: str) -> Forms:
    """Return the forms with one file alone; all where none is named."""
    if not path:
        return forms
    return replace(
        forms,
        extractions=tuple(form for form in forms.extractions if f"{STUDIES}/{form.file}" == path),
        files=tuple(one for one in forms.files if one[0] == path),
        certainties=(),
    )


def _taken(folder: Path, file: str, digest: str) -> dict[str, Any]:
    """Return what an event says of a form: its file and hash, and that two people's were settled to exactly this."""
    settled = folder / CONSENSUS / Path(file).parent / Path(file).stem / SETTLED
    agreed = settled.is_file() and sha256(settled.read_bytes()).hexdigest() == digest
    return {"data": {"file": file, "sha256": digest}} | ({"consensus": True} if agreed else {})


def _key(kind: Kind, values: Mapping[str, Any]) -> tuple[str, ...]:
    """What a form is about; a file of its own where one study has several appraisals by one tool."""
    data = values.get("data", {})
    file = str(data.get("file", "")) if kind is Kind.APPRAISED else ""
    return (kind.value, *(str(values.get(name, "")) for name in _KEYS[kind]), file)


def _known(events: Sequence[Event]) -> dict[tuple[str, ...], dict[str, Any]]:
    return {
        _key(event.kind, event.values): dict(event.values) for event in counting_events(events) if event.kind in _KEYS
    }


def _drafts(folder: Path, forms: Forms) -> list[Draft]:
    hashes = dict(forms.files)
    found: list[Draft] = []
    for form in forms.extractions:
        study, file = form.study, f"{STUDIES}/{form.file}"
        taken = _taken(folder, file, hashes[file])
        groups = sorted({cohort.overlap_group for cohort in study.cohorts if cohort.overlap_group})
        found.append(
            (
                Kind.GROUPED,
                {
                    "study": study.id,
                    "label": study.name,
                    "reports": [record for report in study.reports for record in report.records],
                    "cohorts": [cohort.id for cohort in study.cohorts],
                    "overlap_group": " ".join(groups),
                    "data": taken["data"],
                },
            )
        )
        found.append((Kind.EXTRACTED, {"study": study.id, **taken}))
        if study.status is StudyStatus.ONGOING:
            title = next((report.title for report in study.reports if report.title), study.name)
            found.append((Kind.ONGOING, {"title": title, "registration": " ".join(study.registrations)}))
    for path, digest in forms.files:
        if path.startswith(f"{APPRAISALS}/"):
            found += _appraised(path, _taken(folder, path, digest), forms.appraisals)
    for one in forms.certainties:
        name = f"{one.question}: {one.outcome}, {one.timepoint}"
        found.append((Kind.GRADED, {"outcome": name, "data": {"file": CERTAINTY, "sha256": hashes[CERTAINTY]}}))
    return found


def _appraised(path: str, taken: Mapping[str, Any], appraisals: Sequence[Appraisal]) -> list[Draft]:
    name = path.removeprefix(f"{APPRAISALS}/")
    return [(Kind.APPRAISED, {"study": one.study, "tool": one.tool, **taken}) for one in appraisals if one.file == name]


def changed_forms(folder: Path, events: Sequence[Event]) -> tuple[Message, ...]:
    """Return what differs between the forms of a folder and those its events took in.

    Parameters
    ----------
    folder : Path
    events : sequence of Event

    Returns
    -------
    tuple of Message
        A file that changed after it was taken in, is gone, or was never taken in.
    """
    taken: dict[str, str] = {}
    for event in counting_events(events):
        if event.kind in (Kind.EXTRACTED, Kind.APPRAISED, Kind.GRADED):
            data = event.values.get("data", {})
            if isinstance(data.get("file"), str):
                taken[data["file"]] = str(data.get("sha256", ""))
    found = dict(_files(folder))
    messages = []
    for file in sorted({*taken, *found}):
        place = Place(file=file)
        if file not in found:
            messages.append(warning("extraction.form-gone", place=place))
        elif file not in taken:
            messages.append(info("extraction.form-new", place=place))
        elif taken[file] != found[file]:
            messages.append(warning("extraction.form-changed", place=place))
    return tuple(messages)
