# SPDX-License-Identifier: Apache-2.0
"""Compares the classification with the naive interpreter on 100,000 drawn charts; writes what was met to README.md.

Run as ``python -m validation response``.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.response.agreement import differences
from tests.response.drawn_visits import CHOICES, drawn_criteria, drawn_patient, seeded, visits_from

from sirolens.response.classify import classify
from sirolens.response.states import STATES, Classified, Reason

SETS, PATIENTS, SINGLE = 2_000, 50, 1_000
HERE = Path(__file__).parent


def _answers(classified: Classified) -> int:
    return sum(getattr(classified, name).size for name in Classified.__dataclass_fields__)


def main() -> None:
    """Draw, compare and write the page."""
    begin = time.process_time()
    met: Counter[str] = Counter()
    landmarks: Counter[str] = Counter()
    counted = Counter[str]()
    wrong: list[str] = []

    @settings(
        max_examples=SETS,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(seed=st.integers(0, 2**62))
    def by_seed(seed: int) -> None:
        visits, criteria = seeded(seed, PATIENTS)
        classified = classify(visits, criteria)
        counted.update(charts=visits.patients, sets=1, answers=_answers(classified))
        pairs = zip(classified.state, classified.reason, strict=True)
        met.update(f"{STATES[state]}: {Reason(reason).name.lower()}" for state, reason in pairs)
        pairs = zip(classified.landmark_state.ravel(), classified.landmark_reason.ravel(), strict=True)
        landmarks.update(f"{STATES[state]}: {Reason(reason).name.lower()}" for state, reason in pairs)
        wrong.extend(differences(visits, criteria))

    single_wrong: list[str] = []

    @settings(
        max_examples=SINGLE,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def by_choice(data: st.DataObject) -> None:
        def pick(values: Sequence[Any]) -> Any:
            return data.draw(st.sampled_from(values))

        criteria = drawn_criteria(pick)
        visits = visits_from([drawn_patient(pick, criteria)])
        counted.update(single=1, single_answers=_answers(classify(visits, criteria)))
        single_wrong.extend(differences(visits, criteria))

    by_seed()
    by_choice()
    agrees = not wrong and not single_wrong
    page = (
        (HERE / "page.txt")
        .read_text(encoding="utf-8")
        .format(
            choices=len(CHOICES),
            charts=counted["charts"],
            sets=counted["sets"],
            answers=counted["answers"],
            different=len(wrong),
            single=counted["single"],
            single_answers=counted["single_answers"],
            single_different=len(single_wrong),
            fields=len(Classified.__dataclass_fields__),
            verdict="Everything: no answer differs."
            if agrees
            else "Not everything: see the number of answers that differ.",
            met="\n".join(
                f"| {name} | {met[name]:,} ({landmarks[name]:,}) |"
                for name in sorted({*met, *landmarks}, key=lambda n: -met[n])
            ),
        )
    )
    (HERE / "README.md").write_text(page, encoding="utf-8")
    print(page)
    for line in [*wrong, *single_wrong][:20]:
        print(line)
    print(f"{time.process_time() - begin:.0f} s")
    if not agrees:
        raise SystemExit("the classification and the naive interpreter differ")


if __name__ == "__main__":
    main()
