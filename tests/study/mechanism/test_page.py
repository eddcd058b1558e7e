# SPDX-License-Identifier: Apache-2.0
"""The pages on the mechanism stand in a research frame and say, in both languages, what they hang on (H29)."""

from __future__ import annotations

import re

import pytest

from sirolens.report.document import Document, Findings, Frame
from sirolens.report.html import page as html_page
from sirolens.report.words import say
from sirolens.study.mechanism.benefit import FEATURES, KINDS, classify_responders, gains, subgroups
from sirolens.study.mechanism.calibration_results import calibration_results
from sirolens.study.mechanism.page import ASSUMPTIONS, benefit_document, sensitivity_document, targets_document
from sirolens.study.mechanism.sensitivity import Influence, Partial, Sobol
from tests.study.mechanism.test_benefit import TEST, TRAIN, invented

CODE = re.compile(r"calibration\.[a-z]")  # a message without words shows its code


def _influences() -> list[Influence]:
    names = ("pot", "dep", "h0", "kap", "fL", "P0", "rho", "wA", "level")
    return [
        Influence(
            structure=structure,
            outcome=outcome,
            partial=tuple(
                Partial(name=n, value=0.1 * i - 0.3, low=0.1 * i - 0.4, high=0.1 * i) for i, n in enumerate(names)
            ),
            sobol=tuple(Sobol(name=n, first=0.1, first_half=0.05, total=0.2, total_half=0.06) for n in names),
            patients=200,
            failed=0,
        )
        for structure in ("three-links", "single-link")
        for outcome in ("log-count", "complete", "overall")
    ]


def _benefit() -> Document:
    names = ("three-links", "three-links")
    found = [classify_responders(TRAIN, TEST, known=known, kind=KINDS[0], seed=1, names=names) for known in FEATURES]
    together = {"three-links": invented(2, lift=0.2)}
    gained = gains({"three-links": TEST}, together, "rituximab", (28, 91))
    return benefit_document(found, {"three-links": subgroups(TEST)}, gained, version="0")


PAGES = {
    "targets": lambda: targets_document(calibration_results(), version="0"),
    "sensitivity": lambda: sensitivity_document(_influences(), version="0"),
    "benefit": _benefit,
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_one_research_frame_that_says_what_it_hangs_on(name: str) -> None:
    (frame,) = PAGES[name]().blocks
    assert isinstance(frame, Frame)
    last = frame.blocks[-1]
    assert isinstance(last, Findings)
    assert [one.code for one in last.messages] == [f"calibration.hangs-on-{one}" for one in ASSUMPTIONS]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_words_for_everything_in_both_languages(name: str, language: str) -> None:
    document = PAGES[name]()
    page = html_page(document, language)
    assert not CODE.search(page)
    assert say(document.title, language) in page


def test_misses_stand_out_and_are_not_hidden() -> None:
    (frame,) = targets_document(calibration_results(), version="0").blocks
    tables = [one for one in frame.blocks if hasattr(one, "marked") and one.marked]
    results = calibration_results()
    missed = sum(not one.hit for one in results.checks)
    outside = [one.target for one in results.fitted if not one.low <= one.count / one.patients <= one.high]
    assert "feng-12-months" in outside  # the fall over a year that the model does not show
    assert sum(len(one.marked) for one in tables) == missed + len(outside)
