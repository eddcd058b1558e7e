# SPDX-License-Identifier: Apache-2.0
"""Simulations: flat without a drug, the same in any company, to be gone on from, flat in memory, failures counted."""

from __future__ import annotations

import gc
import tracemalloc
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sirolens.engine.simd.integrate import LaneStatus
from sirolens.errors import InputError, UnknownNameError
from sirolens.mechanism.exposure import DoseHistory, Kinetics, blood_levels, constant_dose, sample_kinetics
from sirolens.mechanism.flares import Flares, flare_course, flare_times
from sirolens.mechanism.network import Mechanism, load
from sirolens.mechanism.noise import measured, with_noise
from sirolens.mechanism.partners import COURSES, Partner, Titration, engine_doses, partner
from sirolens.mechanism.simulate import Plan, chunks, run, simulate
from sirolens.mechanism.simulation import Simulation, to_dataset
from sirolens.mechanism.virtual import Population, draw
from sirolens.models.catalog import load as catalogue

N = 24
DAYS = 60
TIMES = np.arange(0.0, DAYS + 1.0, 5.0)
FLAT = 1e-8  # relative drift of an untreated patient in a year
SEAM = 2e-4  # a run that was stopped and gone on from chooses other steps, at the lanes' tolerance
MEMORY = 1.3  # a peak that grows by more than this when there are four times the patients is not flat
OUTPUTS = ("P", "C", "u_T", "R", "IL6")


@pytest.fixture(scope="module")
def model() -> Mechanism:
    return load()


@pytest.fixture(scope="module")
def plan(model: Mechanism) -> Plan:
    return Plan.of(model, OUTPUTS)


@pytest.fixture(scope="module")
def people(model: Mechanism) -> Population:
    return draw(model, N, seed=21)


@pytest.fixture(scope="module")
def kinetics(people: Population) -> Kinetics:
    return sample_kinetics(catalogue("golubovic_2019"), people.covariates, seed=21, index=people.index)


@pytest.fixture(scope="module")
def doses() -> DoseHistory:
    return constant_dose(np.linspace(1.0, 4.0, N), DAYS)


@pytest.fixture(scope="module")
def usual(model: Mechanism, people: Population, kinetics: Kinetics, doses: DoseHistory, plan: Plan) -> Simulation:
    return run(model, people, kinetics, doses, TIMES, plan=plan, chunk=8)


def test_nobody_moves_without_a_drug(model: Mechanism, people: Population, kinetics: Kinetics, plan: Plan) -> None:
    still = run(model, people, kinetics, constant_dose(0.0, 1), [0.0, 100.0, 365.0], plan=plan)
    for name in ("P", "R", "IL6"):
        np.testing.assert_allclose(still.of(name), np.broadcast_to(still.of(name)[0], (3, N)), rtol=FLAT)
    assert (still.of("C") == 0.0).all()


def test_everybody_is_followed_and_the_model_is_named(usual: Simulation, model: Mechanism) -> None:
    assert usual.failed == 0
    assert np.isfinite(usual.values).all()
    assert usual.model == "golubovic_2019"
    assert usual.units == ("10^9/L", "ng/mL", "1", "percent", "pg/mL")
    assert "mechanism.pk-trough-only" in [message.code for message in usual.messages]
    with pytest.raises(InputError, match=r"mechanism\.quantity-missing"):
        usual.of("TPO")


def test_blood_and_inhibition_are_those_of_the_stages_before(
    usual: Simulation, kinetics: Kinetics, doses: DoseHistory
) -> None:
    """Oracle: the exact linear engine; inhibition lies between nothing and its maximum."""
    np.testing.assert_array_equal(usual.of("C"), blood_levels(kinetics, doses, TIMES).T)
    assert (usual.of("u_T")[0] == 0.0).all()
    assert (usual.of("u_T")[1:] > 0.0).all()
    assert usual.of("u_T").max() < 0.919


@pytest.mark.parametrize(("chunk", "threads"), [(1, 1), (5, 2), (8, 1), (64, 2)])
def test_a_patient_depends_on_no_chunk_and_no_thread(
    model: Mechanism,
    people: Population,
    kinetics: Kinetics,
    doses: DoseHistory,
    plan: Plan,
    usual: Simulation,
    chunk: int,
    threads: int,
) -> None:
    again = run(model, people, kinetics, doses, TIMES, plan=plan, chunk=chunk, threads=threads)
    np.testing.assert_array_equal(again.values, usual.values)
    np.testing.assert_array_equal(again.final.states, usual.final.states)
    np.testing.assert_array_equal(again.final.upstream, usual.final.upstream)


def test_a_patient_depends_on_no_company(
    model: Mechanism, people: Population, kinetics: Kinetics, doses: DoseHistory, plan: Plan, usual: Simulation
) -> None:
    which = np.array([17, 3, 4])
    some = Kinetics(model=kinetics.model, parameters=kinetics.parameters[which])
    own = DoseHistory(time_d=doses.time_d, amount_mg=doses.amount_mg[which])
    alone = run(model, people.part(which), some, own, TIMES, plan=plan)
    np.testing.assert_array_equal(alone.values, usual.values[..., which])


def test_a_run_goes_on_from_where_another_stopped(
    model: Mechanism, people: Population, kinetics: Kinetics, doses: DoseHistory, plan: Plan, usual: Simulation
) -> None:
    pulse = [partner(model, "dexamethasone", from_d=28.0)]
    whole = run(model, people, kinetics, doses, TIMES, plan=plan, partners=pulse)
    first = run(model, people, kinetics, doses, TIMES[:7], plan=plan, partners=pulse)
    assert first.final.at_d == 30.0
    second = run(model, people, kinetics, doses, TIMES[6:], plan=plan, partners=pulse, after=first.final)
    np.testing.assert_allclose(second.values, whole.values[:, 6:], rtol=SEAM, atol=SEAM)
    assert np.abs(whole.of("P") / usual.of("P") - 1.0).max() > 0.2  # the pulse, two days of it after the seam, did act
    half = first.final.part(np.arange(N) < 3)
    assert half.states.shape[1] == half.upstream.shape[1] == 3


def test_a_run_may_end_between_nodes_and_looks_at_any_time(
    model: Mechanism, people: Population, kinetics: Kinetics, doses: DoseHistory, plan: Plan, usual: Simulation
) -> None:
    times = np.array([1.0 / 3.0, 5.0, 7.77])
    odd = run(model, people, kinetics, doses, times, plan=plan)
    np.testing.assert_allclose(odd.values[:, 1], usual.values[:, 1], rtol=SEAM, atol=SEAM)
    whole = run(model, people, kinetics, doses, [10.0], plan=plan, after=odd.final)
    np.testing.assert_allclose(whole.of("P")[0], usual.of("P")[2], rtol=SEAM)


def test_a_patient_who_cannot_be_followed_stays_in_the_result_and_is_counted(
    model: Mechanism, people: Population, kinetics: Kinetics, doses: DoseHistory, plan: Plan, usual: Simulation
) -> None:
    counts = people.parameter("P0").copy()
    counts[5] = np.nan
    found = run(model, people.with_parameter("P0", counts), kinetics, doses, TIMES, plan=plan, chunk=8)
    assert found.failed == 1
    assert found.status[5] != LaneStatus.DONE
    assert np.isnan(found.of("P")[:, 5]).all()
    others = np.arange(N) != 5
    np.testing.assert_array_equal(found.values[..., others], usual.values[..., others])
    said = next(message for message in found.messages if message.code == "mechanism.patients-failed")
    assert said.values["failed"] == 1
    assert said.values["patients"] == N


def of_many(
    model: Mechanism, people: Population, kinetics: Kinetics, doses: DoseHistory, plan: Plan, n: int, threads: int
) -> Iterator[tuple[int, int, Simulation]]:
    """Chunks of ``n`` patients, the same few again and again."""
    which = np.arange(n) % N
    pk = Kinetics(model=kinetics.model, parameters=kinetics.parameters[which])
    own = DoseHistory(time_d=doses.time_d, amount_mg=doses.amount_mg[which])
    return chunks(model, people.part(which), pk, own, TIMES, plan=plan, chunk=16, threads=threads)


def test_memory_does_not_grow_with_the_number_of_patients(
    model: Mechanism, people: Population, kinetics: Kinetics, doses: DoseHistory, plan: Plan
) -> None:
    """Measured by tracemalloc, which NumPy reports to; on one thread, where the peak does not hang on who ran when."""

    def peak(n: int) -> int:
        parts = of_many(model, people, kinetics, doses, plan, n, threads=1)
        tracemalloc.start()
        for _ in parts:
            pass
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(16)
    assert peak(4 * 128) < MEMORY * peak(128)


def test_threads_hold_a_few_chunks_only(
    model: Mechanism, people: Population, kinetics: Kinetics, doses: DoseHistory, plan: Plan
) -> None:
    """However far the threads run ahead of a slow reader: twice their number may wait, and one is being read."""
    before = living(Simulation)
    held = [living(Simulation) - before for _ in of_many(model, people, kinetics, doses, plan, 4 * 128, threads=2)]
    assert len(held) == 32
    assert max(held) <= 2 * 2 + 1


def living(kind: type) -> int:
    """How many objects of a class there are."""
    return sum(type(one) is kind for one in gc.get_objects())


def test_progress_is_told(model: Mechanism, people: Population, kinetics: Kinetics, plan: Plan) -> None:
    told: list[tuple[int, int]] = []
    run(
        model,
        people,
        kinetics,
        constant_dose(1.0, 1),
        [1.0],
        plan=plan,
        chunk=10,
        progress=lambda done, of: told.append((done, of)),
    )
    assert told == [(10, N), (20, N), (24, N)]


def test_the_labelled_form_carries_units_and_goes_through_zarr(
    tmp_path: Path, model: Mechanism, people: Population, kinetics: Kinetics, doses: DoseHistory, usual: Simulation
) -> None:
    import xarray

    data = simulate(model, people, kinetics, doses, TIMES, outputs=OUTPUTS)
    assert data["value"].dims == ("patient", "time", "quantity")
    np.testing.assert_array_equal(data["value"].sel(quantity="P").to_numpy(), usual.of("P").T)
    assert data["unit"].sel(quantity="C").item() == "ng/mL"
    assert data.attrs["pharmacokinetic_model"] == "golubovic_2019"
    assert "research" in data.attrs["purpose"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data.to_zarr(tmp_path / "out.zarr", zarr_format=2, consolidated=True)
    back = xarray.open_zarr(tmp_path / "out.zarr")
    np.testing.assert_array_equal(back["value"].to_numpy(), data["value"].to_numpy())
    assert to_dataset(usual, people)["value"].equals(data["value"])


@pytest.mark.parametrize("name", ["splenectomy", "steroid-background", "evans", "single-link", "toxicity-off"])
def test_variants_run_with_the_same_patients(
    name: str, usual: Simulation, kinetics: Kinetics, doses: DoseHistory
) -> None:
    other = load(name)
    found = run(other, draw(other, N, seed=21), kinetics, doses, TIMES, outputs=("P",))
    assert found.failed == 0
    assert found.variants == (name,)
    if name in ("splenectomy", "steroid-background"):
        assert np.median(found.of("P")[2]) > np.median(usual.of("P")[2])


@pytest.mark.parametrize(
    ("times", "code"),
    [([3.0, 1.0], "times-not-ascending"), ([-1.0], "times-not-ascending"), ([], "times-not-ascending")],
)
def test_impossible_times_are_refused(
    model: Mechanism, people: Population, kinetics: Kinetics, plan: Plan, times: list[float], code: str
) -> None:
    with pytest.raises(InputError, match=rf"mechanism\.{code}"):
        run(model, people, kinetics, constant_dose(1.0, 3), times, plan=plan)


def test_parts_that_do_not_belong_together_are_refused(
    model: Mechanism, people: Population, kinetics: Kinetics, plan: Plan
) -> None:
    with pytest.raises(InputError, match=r"mechanism\.run-patients"):
        run(model, people, kinetics.of(0, 3), constant_dose(1.0, 3), [1.0], plan=plan)


class TestPartners:
    def test_each_raises_counts_or_says_that_it_does_nothing(
        self,
        model: Mechanism,
        people: Population,
        kinetics: Kinetics,
        doses: DoseHistory,
        plan: Plan,
        usual: Simulation,
    ) -> None:
        for name in COURSES:
            given = partner(model, name)
            found = run(model, people, kinetics, doses, TIMES, plan=plan, partners=[given])
            if name == "atra":
                np.testing.assert_array_equal(found.values, usual.values)
                assert "mechanism.atra-without-effect" in [message.code for message in found.messages]
            else:
                gain = np.median(found.of("P").max(axis=0) / usual.of("P").max(axis=0))
                assert gain > 1.02, name

    def test_schedules_have_their_marks_and_doses(self, model: Mechanism) -> None:
        three = partner(model, "dexamethasone-3", from_d=1.0)
        assert three.time_d.tolist() == [1.0, 2.0, 3.0, 4.0, 15.0, 16.0, 17.0, 18.0, 29.0, 30.0, 31.0, 32.0]
        assert partner(model, "rituximab").time_d.tolist() == [0.0, 7.0, 14.0, 21.0]
        assert partner(model, "romiplostim", until_d=15.0).time_d.tolist() == [0.0, 7.0, 14.0]
        own = partner(model, "immunoglobulin", factor=[0.0, 1.0, 0.5])
        assert own.amount.tolist() == [[0.0, 0.0], [4.0, 4.0], [2.0, 2.0]]
        assert all(course.source.title for course in COURSES.values())

    def test_what_is_unknown_or_not_modelled_is_refused_by_name(self, model: Mechanism) -> None:
        with pytest.raises(UnknownNameError, match=r"mechanism\.partner-unknown"):
            partner(model, "vitamin-c")
        with pytest.raises(InputError, match=r"mechanism\.partner-not-modelled"):
            partner(model, "anti-cd38")
        with pytest.raises(InputError, match=r"mechanism\.factor-impossible"):
            partner(model, "rituximab", factor=-1.0)

    def test_doses_reach_the_engine_sorted_and_without_those_of_nothing(self) -> None:
        first = Partner(name="a", state="X", time_d=np.array([0.0, 3.0]), amount=np.array([[1.0, 2.0], [0.0, 4.0]]))
        second = Partner(name="b", state="Y", time_d=np.array([1.0]), amount=np.array([[5.0]]))
        found = engine_doses([first, second], ("X", "Y"), 2, after_d=0.0, first=True)
        assert found is not None
        assert found.offsets.tolist() == [0, 3, 5]
        assert found.times.tolist() == [0.0, 1.0, 3.0, 1.0, 3.0]
        assert found.state.tolist() == [0, 1, 0, 1, 0]
        assert found.amount.tolist() == [1.0, 5.0, 2.0, 5.0, 4.0]
        later = engine_doses([first, second], ("X", "Y"), 2, after_d=1.0, first=False)
        assert later is not None
        assert later.times.tolist() == [3.0, 3.0]

    def test_titration_by_count_avoids_counts_that_a_fixed_dose_reaches(
        self, model: Mechanism, people: Population, kinetics: Kinetics, plan: Plan
    ) -> None:
        daily, weekly = constant_dose(3.0, 120), np.arange(0.0, 120.0, 7.0)
        high = partner(model, "romiplostim", factor=7.0)
        fixed = run(model, people, kinetics, daily, weekly, plan=plan, partners=[high])
        by_count = run(model, people, kinetics, daily, weekly, plan=plan, titration=Titration(start=1.0))
        assert by_count.failed == 0
        assert (by_count.of("P") > 300.0).mean() < 0.5 * (fixed.of("P") > 300.0).mean()
        assert np.median(by_count.of("P")[-1]) > 2.0 * np.median(people.parameter("P0"))
        alone = run(
            model,
            people.part(slice(3, 4)),
            kinetics.of(3, 4),
            daily,
            weekly,
            plan=plan,
            titration=Titration(start=1.0),
        )
        np.testing.assert_array_equal(alone.of("P")[:, 0], by_count.of("P")[:, 3])

    def test_titration_goes_on_with_its_standing_dose(
        self, model: Mechanism, people: Population, kinetics: Kinetics, plan: Plan
    ) -> None:
        daily, weekly, rule = constant_dose(3.0, 90), np.arange(0.0, 90.0, 7.0), Titration(from_d=2.0)
        whole = run(model, people, kinetics, daily, weekly, plan=plan, titration=rule)
        for seam in (4, 6):
            first = run(model, people, kinetics, daily, weekly[: seam + 1], plan=plan, titration=rule)
            second = run(model, people, kinetics, daily, weekly[seam:], plan=plan, titration=rule, after=first.final)
            np.testing.assert_allclose(second.of("P"), whole.of("P")[seam:], rtol=SEAM)
        on_a_dose_day = run(model, people, kinetics, daily, [9.0], plan=plan, titration=rule)
        rest = run(model, people, kinetics, daily, weekly[3:], plan=plan, titration=rule, after=on_a_dose_day.final)
        np.testing.assert_allclose(rest.of("P"), whole.of("P")[3:], rtol=SEAM)

    def test_titration_stops_when_it_is_told_to(
        self, model: Mechanism, people: Population, kinetics: Kinetics, plan: Plan
    ) -> None:
        weekly = np.arange(0.0, 120.0, 7.0)
        rule = Titration(until_d=42.0)
        stopped = run(model, people, kinetics, constant_dose(0.0, 1), weekly, plan=plan, titration=rule)
        on = np.median(stopped.of("P")[6] / people.parameter("P0"))
        off = np.median(stopped.of("P")[-1] / people.parameter("P0"))
        assert off < on


class TestFlares:
    def test_they_come_as_often_as_told_and_to_each_patient_in_his_own_time(self) -> None:
        begun = flare_times(Flares(per_year=3.0), 365.25, seed=1, index=range(4000))
        count = (begun < 365.25).sum(axis=1)
        four_errors = 4.0 * np.sqrt(3.0 / 4000)
        assert abs(count.mean() - 3.0) < four_errors
        assert abs(count.var() - 3.0) < 0.3
        alone = flare_times(Flares(per_year=3.0), 365.25, seed=1, index=[77])
        np.testing.assert_array_equal(alone[0], begun[77])
        longer = flare_times(Flares(per_year=3.0), 1000.0, seed=1, index=[77])
        np.testing.assert_array_equal(longer[0, : begun.shape[1]], begun[77])

    def test_slopes_are_the_derivatives_of_the_values(self) -> None:
        """Oracle: central differences on a fine grid; overlapping flares add up."""
        node_d = np.arange(0.0, 40.0, 0.01)
        values, slopes = flare_course(Flares(days=8.0, height=2.0), np.array([[5.0, 9.0], [20.0, np.inf]]), node_d)
        assert values[1].max() == pytest.approx(2.0)
        difference = (values[:, 2:] - values[:, :-2]) / 0.02
        np.testing.assert_allclose(slopes[:, 1:-1], difference, atol=3e-3)

    def test_they_stir_the_disease_up(
        self, model: Mechanism, people: Population, kinetics: Kinetics, doses: DoseHistory
    ) -> None:
        flares = Flares(per_year=6.0)
        plan = Plan.of(model, ("P", "IL6"), flares)
        stirred = run(model, people, kinetics, doses, TIMES, plan=plan)
        calm = run(model, people, kinetics, doses, TIMES, outputs=("P", "IL6"))
        assert stirred.failed == 0
        assert stirred.of("IL6").mean() > calm.of("IL6").mean()
        assert stirred.of("P").mean() < calm.of("P").mean()

    def test_none_at_all_is_as_if_the_port_were_closed(
        self, model: Mechanism, people: Population, kinetics: Kinetics, doses: DoseHistory, usual: Simulation
    ) -> None:
        plan = Plan.of(model, OUTPUTS, Flares(per_year=0.0))
        np.testing.assert_allclose(
            run(model, people, kinetics, doses, TIMES, plan=plan).values, usual.values, rtol=SEAM
        )

    def test_impossible_flares_are_refused(self) -> None:
        with pytest.raises(InputError, match=r"mechanism\.flares-impossible"):
            Flares(days=0.0)


class TestNoise:
    def test_it_has_the_registers_size_and_no_bias(self, model: Mechanism) -> None:
        """Tolerance: four standard errors of 200,000 draws."""
        clean = np.full((2, 50, 4000), 40.0)
        noisy = measured(model.register.noises, ("P", "R"), clean, seed=1, index=range(4000))
        for row, name in zip(noisy, ("P", "R"), strict=True):
            cv = next(one.cv for one in model.register.noises.values() if name in one.outputs)
            assert abs(row.mean() / 40.0 - 1.0) < 4.0 * cv / np.sqrt(row.size)
            assert abs(row.std() / 40.0 / cv - 1.0) < 0.02
        assert abs(np.corrcoef(noisy[0].ravel(), noisy[1].ravel())[0, 1]) < 0.01

    def test_a_patient_keeps_his_noise_and_more_visits_begin_alike(self) -> None:
        clean = np.full((5, 10), 3.0)
        many = with_noise(clean, 0.2, seed=1, name="P", index=range(10))
        one = with_noise(clean[:3, :1], 0.2, seed=1, name="P", index=[7])
        np.testing.assert_array_equal(one[:, 0], many[:3, 7])
        np.testing.assert_array_equal(with_noise(clean, 0.0, seed=1, name="P", index=range(10)), clean)

    def test_impossible_noise_is_refused(self) -> None:
        with pytest.raises(InputError, match=r"mechanism\.noise-impossible"):
            with_noise(np.ones((1, 1)), -0.1, seed=1, name="P", index=[0])
        with pytest.raises(InputError, match=r"mechanism\.noise-shape"):
            with_noise(np.ones((1, 2)), 0.1, seed=1, name="P", index=[0])
