# SPDX-License-Identifier: Apache-2.0
"""A virtual trial is the same however it is run, counts everybody, and judges designs as theory does.

The disease is `tests.study.fake_biology`: it is simple enough that what must come out can be said beforehand. Oracles:
a run without interruption, the exact properties of Simon's designs, shares by hand.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sirolens.engine.statistics.phase2 import design_properties
from sirolens.engine.statistics.proportion import clopper_pearson, wilson
from sirolens.errors import InputError
from sirolens.mechanism.draws import patient_uniforms
from sirolens.study.trial import store as trial_store
from sirolens.study.trial.characteristics import interval_table, rate_of, stopping, success
from sirolens.study.trial.endpoints import cell_tests
from sirolens.study.trial.recipe import text_of
from sirolens.study.trial.recipe_design import ByGroup, Look, Primary, Recipe, Taper
from sirolens.study.trial.recipe_file import read_recipe
from sirolens.study.trial.run import NULL, TrialResult, run_trial
from sirolens.study.trial.store import InFolder, Shape, labelled
from tests.study.fake_biology import FakeBiology

REPLICATES, PATIENTS = 4, 30
EVERYBODY = REPLICATES * PATIENTS
FIVE_SD = 5.0  # of a binomial share: a false alarm in two million


def recipe(**changed: Any) -> Recipe:
    text = text_of("paper-a")
    for old, new in (
        ("patients = 20", f"patients = {PATIENTS}"),
        ("replicates = 200", f"replicates = {REPLICATES}"),
        ("days = 365", "days = 200"),
        (", 238, 294, 351, 365]", "]"),
        (", 238, 294]", "]"),
        ("landmarks_d = [28, 91, 182, 365]", "landmarks_d = [28, 91, 182]"),
    ):
        assert old in text
        text = text.replace(old, new)
    found = read_recipe(text, "test.toml")
    assert found.recipe is not None, found.messages
    return replace(found.recipe, **changed)


@cache
def finished() -> TrialResult:
    return run_trial(recipe(), FakeBiology())


def columns(result: TrialResult, arm: int = 0) -> dict[str, np.ndarray]:
    return {name: np.asarray(column) for name, column in result.store.read(arm).items()}


def same(one: TrialResult, other: TrialResult) -> bool:
    arms = range(len(one.store.shape.arms))
    return (
        one.rates == other.rates
        and one.success == other.success
        and repr(one.arms) == repr(other.arms)
        and all(
            np.array_equal(column, columns(other, arm)[name], equal_nan=column.dtype.kind == "f")
            for arm in arms
            for name, column in columns(one, arm).items()
        )
    )


def test_two_runs_have_the_same_bits() -> None:
    assert same(run_trial(recipe(), FakeBiology()), finished())


@pytest.mark.parametrize("size", [7, 50])
def test_the_size_of_chunks_moves_no_bit(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_store, "CHUNK", size)
    assert same(run_trial(recipe(), FakeBiology()), finished())


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("after", [0, 3, 9])
def test_a_run_that_was_killed_goes_on_to_the_same_answer(
    after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Oracle: the run without interruption.
    monkeypatch.setattr(trial_store, "CHUNK", 20)
    folder = tmp_path / "results.zarr"

    def kill(done: int, of: int) -> None:
        if done == after:
            raise KilledError

    with pytest.raises(KilledError):
        run_trial(recipe(), FakeBiology(), out=folder, recipe_text="# text", tick=kill)
    biology, ticks = FakeBiology(), []
    resumed = run_trial(recipe(), biology, out=folder, resume=True, tick=lambda done, of: ticks.append((done, of)))
    assert same(resumed, finished())
    assert ticks[-1] == (12, 12)
    assert biology.calls <= 2 * (12 - after)  # adults and children of the chunks that were missing
    again = FakeBiology()
    assert same(run_trial(recipe(), again, out=folder, resume=True), finished())
    assert again.calls == 0


def test_the_folder_is_zarr_of_format_two_and_opens_with_labels(tmp_path: Path) -> None:
    import xarray

    folder = tmp_path / "results.zarr"
    result = run_trial(recipe(), FakeBiology(), out=folder, recipe_text="name = 'x'")
    assert (folder / "platelets" / ".zarray").exists()
    assert not list(tmp_path.glob("*.new"))
    found = xarray.open_zarr(str(folder), consolidated=False)
    assert found["platelets"].dims == ("arm", "patient", "visit")
    assert found.attrs["recipe"] == "name = 'x'"
    named = labelled(result.store, REPLICATES)
    assert named.sizes["patient"] == EVERYBODY
    assert named["replicate"].values[[0, -1]].tolist() == [0, REPLICATES - 1]
    assert np.array_equal(named["platelets"].values, found["platelets"].values, equal_nan=True)


def test_a_folder_is_not_overwritten_nor_gone_on_with_by_another_trial(tmp_path: Path) -> None:
    folder = tmp_path / "results.zarr"
    with pytest.raises(InputError, match="resume-nothing"):
        run_trial(recipe(), FakeBiology(), out=folder, resume=True)
    run_trial(recipe(), FakeBiology(), out=folder)
    with pytest.raises(InputError, match="out-exists"):
        run_trial(recipe(), FakeBiology(), out=folder)
    with pytest.raises(InputError, match=r"resume-differs.*seed"):
        run_trial(recipe(seed=5), FakeBiology(), out=folder, resume=True)
    with pytest.raises(InputError, match=r"resume-differs.*recipe"):
        run_trial(recipe(digest="0" * 64), FakeBiology(), out=folder, resume=True)
    (folder / ".zattrs").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="resume-unreadable"):
        run_trial(recipe(), FakeBiology(), out=folder, resume=True)
    with pytest.raises(InputError, match=r"write\.impossible"):
        run_trial(recipe(), FakeBiology(), out=tmp_path / "no" / "folder.zarr")


def test_what_does_not_fit_into_memory_asks_for_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sirolens.study.trial.run.MOST_IN_MEMORY", 1000)
    with pytest.raises(InputError, match="too-large"):
        run_trial(recipe(), FakeBiology())


def test_a_patient_who_cannot_be_integrated_is_counted_and_has_no_response() -> None:
    rows = frozenset(range(25))
    result = run_trial(recipe(children_fraction=0.0, groups=recipe().groups[:1]), FakeBiology(failing=rows))
    failed = columns(result)["failed"].astype(bool)
    assert result.arms[0].failed == failed.sum() > 10
    assert result.arms[0].patients == EVERYBODY
    assert result.rates["sirolimus", "overall", 91].pooled.n == EVERYBODY
    (said,) = [one for one in result.messages if one.code == "trial.failed"]
    assert said.values["failed"] == failed.sum()
    assert np.isnan(columns(result)["platelets"][failed][:, 5:]).all()


def test_without_drug_nobody_responds_but_by_noise() -> None:
    result = finished()
    null = columns(result, 1)
    assert result.store.shape.arms == ("sirolimus", NULL)
    assert np.array_equal(
        null["platelets_true"], np.repeat(null["baseline_true"][:, None], null["platelets_true"].shape[1], axis=1)
    )
    assert not null["dose"].any()
    assert result.success.type_one is not None
    assert result.success.type_one.k == 0


def test_half_respond_to_a_drug_that_helps_half() -> None:
    pooled = result_rate = finished().rates["sirolimus", "overall", 91].pooled
    assert result_rate.n == EVERYBODY
    assert abs(pooled.share - 0.45) < FIVE_SD * 0.5 / np.sqrt(EVERYBODY)  # half, less a few without enough visits


def test_everybody_meets_the_entry_criteria_and_is_somebody_else() -> None:
    limited = recipe(entry=replace(recipe().entry, count_from_10e9_l=8.0, count_below_10e9_l=16.0))
    result = run_trial(limited, FakeBiology())
    assert result.screened > result.entered == 2 * EVERYBODY
    noise = 0.15 * FIVE_SD
    true = columns(result)["baseline_true"]
    assert (true > 8.0 * np.exp(-noise)).all()
    assert (true < 16.0 * np.exp(noise)).all()
    numbers = [columns(result, arm)["number"] for arm in (0, 1)]
    assert len(np.unique(np.concatenate(numbers))) == 2 * EVERYBODY


def test_arms_may_share_their_patients_and_the_null_arm_never_does() -> None:
    one = recipe().arms[0]
    two = recipe(
        same_patients=True,
        arms=(one, replace(one, name="other", start=ByGroup(adults_mg=1.0, children_mg=0.5))),
        primary=replace(recipe().primary, above=None, compare=("sirolimus", "other")),
    )
    result = run_trial(two, FakeBiology())
    first, second, null = (columns(result, arm) for arm in range(3))
    assert np.array_equal(first["number"], second["number"])
    assert not np.isin(null["number"], first["number"]).any()
    assert np.array_equal(first["baseline_true"], second["baseline_true"])
    assert not np.array_equal(first["baseline"], second["baseline"])


def test_criteria_that_fit_nobody_are_told() -> None:
    with pytest.raises(InputError, match="nobody-eligible"):
        run_trial(recipe(entry=replace(recipe().entry, age_years=(17.5, 17.9))), FakeBiology())


def test_children_get_their_own_doses_and_model() -> None:
    told = columns(finished())
    child = told["child"].astype(bool)
    assert abs(child.mean() - 0.3) < FIVE_SD * np.sqrt(0.3 * 0.7 / EVERYBODY)
    assert (told["dose"][child, 0] == 1.5).all()
    assert (told["dose"][~child, 0] == 3.0).all()
    assert told["age"][child].max() < 18.0 <= told["age"][~child].min()


def test_visits_are_missed_and_patients_leave_as_often_as_planned() -> None:
    many = recipe(
        replicates=40,
        visits=replace(recipe().visits, missed_fraction=0.2, dropped_per_year=1.0, window_d=2),
        cells=None,
        null_run=False,
    )
    told = columns(run_trial(many, FakeBiology()))
    n, left = len(told["left_day"]), told["left_day"]
    expected = 1.0 - np.exp(-1.0 * many.days / 365.25)
    assert abs((left >= 0).mean() - expected) < FIVE_SD * 0.5 / np.sqrt(n)
    gone = (left[:, None] >= 0) & (told["visit_day"] >= left[:, None])
    seen = np.isfinite(told["platelets"])
    assert not seen[gone].any()
    assert abs(1.0 - seen[~gone].mean() - 0.2) < FIVE_SD * 0.4 / np.sqrt((~gone).sum())
    shift = told["visit_day"] - np.array(many.visits.days)
    assert sorted(np.unique(shift).tolist()) == [-2, -1, 0, 1, 2]


def test_counts_and_cells_scatter_as_stated() -> None:
    many = recipe(replicates=40, null_run=False)
    told = columns(run_trial(many, FakeBiology()))
    ratio = np.log(told["platelets"] / told["platelets_true"])
    large = told["platelets_true"] > 50.0  # whole numbers add to the scatter of small counts
    assert np.nanstd(ratio[large]) == pytest.approx(many.measurement.count_log_sd, rel=0.05)
    cells = np.log(told["treg"] / told["treg_true"])
    assert np.nanstd(cells) == pytest.approx(many.measurement.cells_log_sd, rel=0.05)
    assert (told["baseline"] == np.rint(told["baseline"])).all()


def test_responders_come_off_the_drug_and_nobody_else() -> None:
    taper = Taper(from_d=120, step_mg=0.5, every_d=14, who="responders")
    arm = replace(recipe().arms[0], taper=taper)
    adults = recipe(arms=(arm,), children_fraction=0.0, groups=recipe().groups[:1], null_run=False)
    result = run_trial(adults, FakeBiology())
    told, plain = columns(result), columns(run_trial(replace(adults, arms=recipe().arms), FakeBiology()))
    tapered = told["tapered"].astype(bool)
    assert 0 < tapered.sum() < EVERYBODY
    early = np.array(adults.visits.days) <= taper.from_d
    for name in ("platelets", "dose", "trough", "level"):
        assert np.array_equal(told[name][~tapered], plain[name][~tapered], equal_nan=True)
        assert np.array_equal(told[name][:, early], plain[name][:, early], equal_nan=True)
    # 0.5 mg less on day 120, 134, 148, 162: what is left on day 175 of at most 2 mg is nothing.
    late = adults.visits.days.index(175)
    before = plain["dose"][:, adults.visits.days.index(98)]
    assert (told["dose"][tapered, late] == np.maximum(before[tapered] - 2.0, 0.0)).all()
    assert (told["trough"][tapered, late] < plain["trough"][tapered, late]).all()
    assert (told["platelets_true"][tapered, late] <= plain["platelets_true"][tapered, late]).all()
    assert result.arms[0].tapered == tapered.sum()
    assert result.arms[0].relapsed.n <= tapered.sum()


def test_everybody_may_come_off_the_drug() -> None:
    arm = replace(recipe().arms[0], taper=Taper(from_d=100, step_mg=4.0, every_d=7, who="everyone"))
    told = columns(run_trial(recipe(arms=(arm,), null_run=False), FakeBiology()))
    stayed = (told["left_day"] < 0) | (told["left_day"] > 100)
    assert np.array_equal(told["tapered"].astype(bool), stayed)
    assert not told["dose"][stayed][:, -1].any()


def test_missed_doses_lower_the_trough() -> None:
    visits = recipe().visits
    often, never = (
        recipe(visits=replace(visits, missed_dose_fraction=share), null_run=False, cells=None) for share in (0.4, 0.0)
    )
    low, high = (run_trial(one, FakeBiology()).arms[0].at_visits[0].trough_ng_ml.p50 for one in (often, never))
    assert low < 0.8 * high


SIMON = design_properties(5, 15, 18, 46, 0.3, 0.5)


@pytest.mark.parametrize(("rate", "expected_stop"), [(0.3, SIMON.stop_probability)])
def test_interim_looks_stop_as_often_as_theory_says(rate: float, expected_stop: float) -> None:
    # Oracle: the exact properties of Simon's design.
    replicates = 4000
    drawn = patient_uniforms(3, "coin", index=range(replicates * 46)).reshape(replicates, 46) < rate
    primary = Primary(outcome="overall", day=91, above=rate, compare=(), alpha=0.05, interval_level=0.95)
    found = stopping(primary, (Look(after_patients=15, stop_at_most=5, success_at_least=None),), drawn)
    tolerance = FIVE_SD * np.sqrt(expected_stop * (1 - expected_stop) / replicates)
    assert abs(found.futile[0].share - expected_stop) < tolerance
    assert abs(found.patients - SIMON.expected_n) < 31 * tolerance
    # One-sided exact test at 5 %: 20 of 46 or more; Simon's own bound is 19 of 46.
    assert found.success.share < 0.05


def test_a_look_may_end_a_trial_with_success() -> None:
    primary = Primary(outcome="overall", day=91, above=0.2, compare=(), alpha=0.05, interval_level=0.95)
    looks = (
        Look(after_patients=5, stop_at_most=None, success_at_least=5),
        Look(after_patients=10, stop_at_most=0, success_at_least=None),
    )
    arm = np.zeros((3, 20), bool)
    arm[0, :5] = True  # success at the first look
    arm[1, 12:] = True  # nothing until the second look: stopped
    arm[2, ::2] = True  # 10 of 20 at the end: success
    found = stopping(primary, looks, arm)
    assert [one.k for one in found.succeeded] == [1, 0]
    assert [one.k for one in found.futile] == [0, 1]
    assert found.success.k == 2
    assert found.patients == pytest.approx((5 + 10 + 20) / 3)


def test_power_and_type_one_error_are_shares_of_trials() -> None:
    primary = Primary(outcome="overall", day=91, above=0.3, compare=(), alpha=0.05, interval_level=0.95)
    arm = np.zeros((4, 20), bool)
    for row, k in enumerate((6, 10, 11, 12)):  # one-sided exact test of 30 % in 20: 10 or more has P = 0.048
        arm[row, :k] = True
    null = np.zeros((4, 20), bool)
    found = success(primary, arm, None, null)
    assert (found.power.k, found.power.n) == (3, 4)
    assert found.type_one is not None
    assert found.type_one.k == 0
    against = replace(primary, above=None, compare=("a", "b"))
    # Fisher's two-sided test of 20 against 20 without response: 6 gives P = 0.020, 5 gives 0.047, 4 gives 0.106.
    for k, wins in ((4, False), (5, True), (6, True)):
        one = np.zeros((1, 20), bool)
        one[0, :k] = True
        assert success(against, one, np.zeros((1, 20), bool), None).power.k == wins
        assert success(against, np.zeros((1, 20), bool), one, None).power.k == 0


@pytest.mark.parametrize(("n", "level"), [(1, 0.95), (20, 0.95), (86, 0.9)])
def test_the_table_of_intervals_is_the_statistics_own(n: int, level: float) -> None:
    # Oracle: `clopper_pearson` and `wilson`, one count at a time.
    exact, score = interval_table(n, level)
    for k in range(n + 1):
        one, other = clopper_pearson(k, n, level), wilson(k, n, level)
        assert exact[k] == pytest.approx([one.low, one.high], abs=1e-9)  # they search for the root to 1e-12
        assert score[k] == pytest.approx([other.low, other.high], abs=1e-12)


def test_coverage_is_that_of_the_exact_interval() -> None:
    # Oracle: coverage of Clopper-Pearson at p = 0.3, n = 20 by summing the binomial.
    from scipy.stats import binom, binomtest

    inside = [k for k in range(21) if (ci := binomtest(k, 20).proportion_ci(0.95)).low <= 0.3 <= ci.high]
    exact = float(binom.pmf(inside, 20, 0.3).sum())
    replicates = 4000
    drawn = patient_uniforms(4, "coin", index=range(replicates * 20)).reshape(replicates, 20) < 0.3
    found = rate_of(drawn, 0.95)
    assert abs(found.exact_coverage - exact) < FIVE_SD * np.sqrt(exact * (1 - exact) / replicates)
    assert found.wilson_coverage <= found.exact_coverage
    assert found.trial_low < 0.3 < found.trial_high


def test_cells_that_rise_in_everybody_are_found_and_equal_groups_seldom_differ() -> None:
    u = patient_uniforms(5, "cells", index=range(200 * 20 * 2)).reshape(200, 20, 2)
    cells = np.stack([5.0 + u[:, :, 0], 7.0 + u[:, :, 1]], axis=2)
    controls = 5.0 + patient_uniforms(6, "cells", index=range(200 * 20)).reshape(200, 20)
    found = cell_tests(cells, controls, 0.05)
    assert found.rise_significant == (1.0,)
    assert found.controls_differ < 0.05 + FIVE_SD * np.sqrt(0.05 * 0.95 / 200)
    none = cell_tests(cells[:, :, [0, 0]], np.empty((200, 0)), 0.05)
    assert none.rise_significant == (0.0,)
    assert np.isnan(none.controls_differ)


def test_a_shape_cuts_patients_into_chunks() -> None:
    shape = Shape(["a"], 4500, [1, 2], [0])
    assert [shape.span(chunk) for chunk in range(shape.chunks)] == [(0, 2000), (2000, 4000), (4000, 4500)]
    assert InFolder.__doc__ is not None
