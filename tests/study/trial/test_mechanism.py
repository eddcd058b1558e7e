# SPDX-License-Identifier: Apache-2.0
"""The mechanism as a trial's disease: patients keep their numbers and bits, and nobody changes without treatment.

Oracles: the same patients asked for one by one, and the exact steady state of the untreated patient.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sirolens.mechanism.exposure import Kinetics, constant_dose, sample_kinetics
from sirolens.mechanism.network import load as load_mechanism
from sirolens.mechanism.virtual import draw
from sirolens.models.catalog import load
from sirolens.study.trial.mechanism import (
    TITRATED,
    MechanismBiology,
    biology_of,
    partner_names,
    population_names,
    variant_names,
)
from sirolens.study.trial.recipe import load as load_recipe
from sirolens.study.trial.recipe_design import Partner, Tdm
from sirolens.study.trial.run import run_trial
from sirolens.study.trial.virtual_patients import Course, People

SEED, N = 11, 24
DAYS = np.array([0, 14, 28, 56])
STEADY = 1e-8  # drift of an untreated patient; the bound for a year


def people(rows: range) -> People:
    index = np.array(rows)
    return People(
        number=index, row=index, child=np.zeros(len(rows), bool), age_years=np.full(len(rows), 40.0),
        weight_kg=np.full(len(rows), 60.0),
    )  # fmt: skip


def kinetics(rows: range) -> Kinetics:
    return sample_kinetics(load("mao_2024"), {}, seed=SEED, index=rows)


def course(
    biology: MechanismBiology, rows: range = range(N), mg: float = 2.0, partners: tuple[Partner, ...] = ()
) -> Course:
    return biology.course("adults", people(rows), kinetics(rows), constant_dose(mg, 56), partners, DAYS)


def test_a_patient_has_the_same_course_alone_and_among_others() -> None:
    whole, alone = course(MechanismBiology(seed=SEED)), course(MechanismBiology(seed=SEED), range(7, 8))
    assert np.array_equal(alone.platelets_10e9_l[0], whole.platelets_10e9_l[7])
    assert np.array_equal(alone.treg_percent[0], whole.treg_percent[7])
    assert not whole.failed.any()


def test_nobody_changes_without_treatment() -> None:
    found = course(MechanismBiology(seed=SEED), mg=0.0)
    assert found.platelets_10e9_l == pytest.approx(np.repeat(found.platelets_10e9_l[:, :1], 4, axis=1), rel=STEADY)


@pytest.mark.parametrize("name", ["dexamethasone", "immunoglobulin", TITRATED])
def test_a_partner_raises_counts_within_the_month(name: str) -> None:
    alone = course(MechanismBiology(seed=SEED))
    both = course(MechanismBiology(seed=SEED), partners=(Partner(name=name, from_d=0, until_d=None),))
    assert np.median(both.platelets_10e9_l[:, 2]) > np.median(alone.platelets_10e9_l[:, 2])
    assert np.array_equal(both.platelets_10e9_l[:, 0], alone.platelets_10e9_l[:, 0])


def test_a_partner_that_begins_later_changes_nothing_before() -> None:
    alone = course(MechanismBiology(seed=SEED))
    later = course(MechanismBiology(seed=SEED), partners=(Partner(name="rituximab", from_d=30, until_d=None),))
    assert later.platelets_10e9_l[:, 2] == pytest.approx(alone.platelets_10e9_l[:, 2], rel=1e-3)  # steps end elsewhere
    assert not np.array_equal(later.platelets_10e9_l[:, 3], alone.platelets_10e9_l[:, 3])


def test_candidates_are_the_same_however_many_are_described() -> None:
    few, many = MechanismBiology(seed=SEED).described("children", 20), MechanismBiology(seed=SEED)
    many.described("children", 300)
    again = many.described("children", 20)
    assert np.array_equal(few.baseline_10e9_l, again.baseline_10e9_l)
    assert np.array_equal(few.weight_kg, again.weight_kg)


def test_controls_are_other_people_at_the_healthy_ratio() -> None:
    model = load_mechanism()
    healthy = MechanismBiology(seed=SEED).healthy_treg_percent(np.arange(4000))
    patients = draw(model, 4000, seed=SEED).parameter("R_0")
    ratio = np.median(healthy) / np.median(patients)
    assert ratio == pytest.approx(model.assumptions["q_R"].value, rel=0.05)  # medians of 4,000
    assert not np.isin(healthy[:50], patients).any()


def test_variants_and_infections_are_part_of_what_a_result_rests_on() -> None:
    plain = MechanismBiology(seed=SEED).versions()
    other = MechanismBiology(variants=("single-link",), seed=SEED, flares_per_year=2.0).versions()
    assert plain["variants"] != other["variants"] == "single-link"
    assert plain["flares"] != other["flares"] == "2"
    assert len(plain["itp_sirolimus.ant"]) == 64
    assert "single-link" in variant_names()
    assert "default" in population_names()
    assert TITRATED in partner_names()


def test_a_trial_is_the_same_in_chunks_of_another_size(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = load_recipe("two-stage")
    small = replace(
        recipe,
        patients=16,
        replicates=2,
        days=60,
        visits=replace(recipe.visits, days=(14, 28, 42, 56)),
        response=replace(recipe.response, landmarks_d=(28,)),
        primary=replace(recipe.primary, day=28),
        arms=(
            replace(recipe.arms[0], tdm=Tdm(rule="proportional", low_ng_ml=5.0, high_ng_ml=15.0, days=(14, 28, 42))),
        ),
        looks=(),
    )
    whole = run_trial(small, biology_of(small))
    monkeypatch.setattr("sirolens.study.trial.store.CHUNK", 5)
    parts = run_trial(small, biology_of(small))
    assert whole.rates == parts.rates
    for arm in (0, 1):
        for name, column in whole.store.read(arm).items():
            assert np.array_equal(column, parts.store.read(arm)[name], equal_nan=column.dtype.kind == "f"), name
    null = whole.store.read(1)
    assert null["platelets_true"] == pytest.approx(np.repeat(null["baseline_true"][:, None], 4, axis=1), rel=1e-6)
