# SPDX-License-Identifier: Apache-2.0
"""Pooled estimates as a snapshot keeps them, on the shipped review. Oracle: the published counts 12/20 and 73/86."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sirolens.evidence.extraction.form import Extraction
from sirolens.evidence.extraction.form_file import extraction_of
from sirolens.evidence.review.events import Kind
from sirolens.evidence.review.forms import Forms, read_forms
from sirolens.evidence.review.state import fold
from sirolens.study.review.estimates import estimate_rows, estimate_words, estimates_over_time
from tests.evidence.review_folds import Story
from tests.evidence.shipped_review import forms

TWO_DECIMALS = 0.005  # the interval is known as 0.38 to 0.94


def test_an_estimate_is_kept_with_its_interval_its_studies_and_what_they_brought() -> None:
    rows = {row["name"]: row for row in estimate_rows(forms())}
    row = rows["single-arm-OR-3m-primary-itp"]
    assert row["studies"] == ["feng-2020", "twenty-patients-2024"]
    assert row["counts"] == ["feng-2020 73/86", "twenty-patients-2024 12/20"]
    assert (row["k"], row["method"], row["effect"]) == (2, "binomial-normal", "share")
    assert (row["low"], row["high"]) == (
        pytest.approx(0.38, abs=TWO_DECIMALS),
        pytest.approx(0.94, abs=TWO_DECIMALS),
    )


def test_a_folder_without_forms_has_no_estimates(tmp_path: Path) -> None:
    assert estimate_rows(read_forms(tmp_path)) == ()


def test_the_cumulative_estimate_grows_with_the_searches_that_found_the_studies() -> None:
    story = Story()
    for name, day, count in (("a", "2026-01-01", 2), ("b", "2026-03-01", 1), ("c", "2026-06-01", 1)):
        told = {"database": name, "arm": "databases", "strategy": "x", "run_on": day}
        story.take_in(story.add(Kind.SEARCHED, **told).id, name, count)
    reports = [record.id for record in story.records]
    forms = []
    for number, report in enumerate(reports):
        if number != 2:  # what the second search found is excluded
            for stage in ("title", "fulltext"):
                story.decide(report, "include", stage=stage)
        story.add(Kind.GROUPED, study=f"s{number}", reports=[report])
        forms.append(_form(f"s{number}", 10 + number))
    every = Forms(extractions=tuple(forms), appraisals=(), certainties=(), files=(), messages=())
    found = estimates_over_time(every, fold(story.events, story.records))
    assert [(on.isoformat(), [row["studies"] for row in rows]) for on, rows in found] == [
        ("2026-01-01", [["s0", "s1"]]),
        ("2026-06-01", [["s0", "s1", "s3"]]),
    ]
    alone = replace(every, extractions=tuple(forms[number] for number in (0, 1, 3)))
    assert found[-1][1] == estimate_rows(alone)
    assert set(estimate_words(every)) == {"single-arm-OR-3m-primary-itp"}


def _form(study: str, responders: int) -> Extraction:
    row = {"outcome": "OR", "time": "3m", "arm": "s", "k": responders, "n": 20}
    told = {"id": study, "name": f"Invented {study}", "design": "single-arm", "by": "wei"}
    parts = {"report": [{"id": "paper", "kind": "journal-article"}], "arm": [{"id": "s", "name": "sirolimus"}]}
    read = extraction_of(told | parts | {"patients": {"population": "primary-itp"}, "outcome": [row]})
    assert read.extraction is not None
    return read.extraction
