# SPDX-License-Identifier: Apache-2.0
"""Tables of patients: predictions, simulations and empirical Bayes estimates against independent oracles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats

from sirolens.errors import TableError
from sirolens.interop.nonmem import read_table
from sirolens.models.catalog import load
from sirolens.models.individuals import estimate_individuals
from sirolens.models.table_prediction import Prepared, predict_table, prepare
from sirolens.models.table_simulation import simulate_patient, simulate_table, typical_predictions

# Superposition in double precision over at most 30 doses.
CLOSED_FORM_RTOL = 1e-10
# The oracle's own stopping tolerance.
OBJECTIVE_TOLERANCE = 1e-6


def _prepared(tmp_path: Path, text: str, model_name: str, **options: bool) -> Prepared:
    path = tmp_path / "data.csv"
    path.write_text(text)
    model = load(model_name)
    table, _ = read_table(path, [covariate.name for covariate in model.covariates])
    return prepare(model, table, file="data.csv", **options)


def _superposed(cl: float, v: float, ka: float, dose_h: np.ndarray, dose_mg: np.ndarray, at_h: float) -> float:
    """Oracle: one compartment with first-order absorption, dose by dose."""
    k, since = cl / v, at_h - dose_h
    inside = since > 0
    each = dose_mg * ka / (v * (ka - k)) * (np.exp(-k * since) - np.exp(-ka * since))
    return float(1000.0 * each[inside].sum())


CHENG = "ID,TIME,AMT,II,ADDL,DV,EVID,WT,TBIL\n" + "".join(
    f"{name},0,1.5,24,27,.,1,{wt},{tbil}\n{name},335.5,.,.,.,{a},0,{wt},{tbil}\n{name},671.5,.,.,.,{b},0,{wt},{tbil}\n"
    for name, wt, tbil, a, b in ((1, 18, 10, 9.1, 8.2), (2, 28.5, 11.29, 4.0, 5.5), (3, 35, 20, 6.6, 7.7))
)


def test_typical_predictions_are_the_superposed_closed_form(tmp_path: Path) -> None:
    prepared = _prepared(tmp_path, CHENG, "cheng_2020")
    predicted = typical_predictions(prepared)
    doses = np.arange(28) * 24.0
    for p, (wt, tbil) in enumerate(((18, 10), (28.5, 11.29), (35, 20))):
        cl = 5.63 * (tbil / 11.29) ** -0.32 * (wt / 28.5) ** 0.50
        for j, at_h in enumerate((335.5, 671.5)):
            expected = _superposed(cl, 144.16, 0.7521, doses, np.full(28, 1.5), at_h)
            np.testing.assert_allclose(predicted[2 * p + j], expected, rtol=CLOSED_FORM_RTOL)


def test_estimates_reach_the_best_of_many_starts_by_scipy(tmp_path: Path) -> None:
    prepared = _prepared(tmp_path, CHENG, "cheng_2020")
    found = estimate_individuals(prepared, draws=0)
    observed = prepared.table.observed_ng_ml[prepared.output].reshape(3, 2)
    omega, sigma = np.array([0.0353, 0.0727]), 0.2245

    def objective(eta: np.ndarray, p: int) -> float:
        f = predict_table(prepared, eta[None, :], [p]).values
        return float(
            -2 * stats.norm.logpdf(observed[p], f, sigma * f).sum()
            - 2 * stats.norm.logpdf(eta, 0, np.sqrt(omega)).sum()
        )

    for p in range(3):
        best = min(
            optimize.minimize(
                objective, start, args=(p,), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}
            ).fun
            for start in np.array(np.meshgrid([-0.3, 0, 0.3], [-0.4, 0, 0.4])).reshape(2, -1).T
        )
        assert found.objective[p] + found.constant[p] <= best + OBJECTIVE_TOLERANCE
    assert found.modes.converged.all()


def test_individual_predictions_come_from_the_estimates(tmp_path: Path) -> None:
    found = estimate_individuals(_prepared(tmp_path, CHENG, "cheng_2020"), draws=200, seed=1)
    table = found.predictions()
    errors = found.errors
    assert errors["IPRED"] is not None
    assert errors["PRED"] is not None
    assert errors["IPRED"].mape_percent < errors["PRED"].mape_percent
    np.testing.assert_allclose(table["IWRES"], (table["DV"] - table["IPRED"]) / (0.2245 * table["IPRED"]))
    assert np.isfinite(table["NPDE"]).all()
    patients = found.patients()
    np.testing.assert_allclose(patients["cl_l_h"][1], 5.63 * np.exp(patients["ETA_CL"][1]), rtol=1e-12)
    assert found.to_xarray().sizes["patient"] == 3


def test_records_without_a_value_change_no_estimate(tmp_path: Path) -> None:
    with_extra = CHENG.replace("1,671.5", "1,500,.,.,.,.,0,18,10\n1,671.5")
    one = estimate_individuals(_prepared(tmp_path, CHENG, "cheng_2020"), draws=0)
    two = estimate_individuals(_prepared(tmp_path, with_extra, "cheng_2020"), draws=0)
    np.testing.assert_allclose(one.modes.eta, two.modes.eta, atol=1e-9)


def test_saturable_absorption_in_a_table_agrees_with_the_differential_equations(tmp_path: Path) -> None:
    rows = ("1,0,4,24,9,.,1,40", "1,30,.,.,.,.,0,40", "1,100,.,.,.,.,0,30", "1,239,.,.,.,.,0,30")
    text = "\n".join(("ID,TIME,AMT,II,ADDL,DV,EVID,HCT", *rows, ""))
    prepared = _prepared(tmp_path, text, "wu_2012")
    predicted = typical_predictions(prepared)

    def change(t: float, y: np.ndarray) -> list[float]:
        rate = 4.56 * y[0] / (13.8 + y[0])
        cl = 12.9 * (35.1 / (40.0 if t < 100 else 30.0)) ** 0.14
        return [
            -rate,
            rate - cl / 53.4 * y[1] - 29.0 / 53.4 * y[1] + 29.0 / 611.0 * y[2],
            29.0 / 53.4 * y[1] - 29.0 / 611.0 * y[2],
        ]

    from scipy.integrate import solve_ivp

    y, at, seen = np.zeros(3), 0.0, {}
    for stop in sorted({*(24.0 * i for i in range(10)), 30.0, 100.0, 239.0}):
        if stop > at:
            y = solve_ivp(change, (at, stop), y, method="DOP853", rtol=1e-12, atol=1e-14).y[:, -1]
            at = stop
        seen[stop] = 1000.0 * y[1] / 53.4
        if stop % 24.0 == 0.0 and stop < 239:
            y = y + np.array([4.0, 0.0, 0.0])
    np.testing.assert_allclose(predicted, [seen[30.0], seen[100.0], seen[239.0]], rtol=1e-7)


def test_a_patient_simulates_the_same_alone_and_among_others(tmp_path: Path) -> None:
    all_three = _prepared(tmp_path, CHENG, "cheng_2020")
    last = "\n".join([CHENG.splitlines()[0], *CHENG.splitlines()[-3:]]) + "\n"
    alone = _prepared(tmp_path, last, "cheng_2020")
    one = simulate_patient(all_three, 2, draws=50, seed=9)
    two = simulate_patient(alone, 0, draws=50, seed=9)
    assert (one.observed_ng_ml == two.observed_ng_ml).all()


def test_simulated_quantiles_match_the_log_normal_law(tmp_path: Path) -> None:
    text = "ID,TIME,AMT,II,SS,DV,EVID,WT,TBIL\n1,0,1,24,1,.,1,28.5,11.29\n1,24,.,.,.,.,0,28.5,11.29\n"
    table = simulate_table(_prepared(tmp_path, text, "cheng_2020"), draws=4000, seed=2)
    assert list(table.columns[:3]) == ["ID", "TIME", "PRED"]
    # popk_check fixture: 28.5 kg, 1 mg: 4.71 at 24 h; the median of a monotone function is that of the median.
    np.testing.assert_allclose(table["PRED"][0], 4.71, atol=0.005)
    np.testing.assert_allclose(table["IPRED_P50"][0], 4.71, rtol=0.03)
    assert table["DV_P95"][0] > table["IPRED_P95"][0]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ID,TIME,AMT,DV\n1,0,1,.\n1,24,.,5\n", "models.covariate-needed"),
        ("ID,TIME,AMT,DV,WT,TBIL\n1,0,1,.,2850,11\n1,24,.,5,2850,11\n", "models.covariate-implausible"),
    ],
)
def test_covariates_missing_or_impossible_are_refused(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(TableError) as caught:
        _prepared(tmp_path, text, "cheng_2020")
    assert code in {message.code for message in caught.value.messages}


def test_saturable_absorption_refuses_infusions(tmp_path: Path) -> None:
    text = "ID,TIME,AMT,RATE,DV,HCT\n1,0,1,0.5,.,40\n1,24,.,.,5,40\n"
    with pytest.raises(TableError) as caught:
        _prepared(tmp_path, text, "wu_2012")
    assert caught.value.messages[0].code == "models.record-not-oral"


OWN_EQUATIONS = Path(__file__).parent / "files" / "own_equations.toml"
OWN_DATA = "ID,TIME,AMT,DV,EVID,WT\n1,0,5,.,1,50\n1,6,.,14,0,50\n1,12,5,.,1,50\n1,20,.,25,0,50\n"


def _integrated(vmax: float) -> np.ndarray:
    """Oracle: SciPy DOP853 on the same equations, dose by dose."""
    from scipy.integrate import solve_ivp

    def change(_: float, y: np.ndarray) -> list[float]:
        return [-0.5 * y[0], 0.5 * y[0] - vmax * y[1] / (1.5 + y[1])]

    def after(y: np.ndarray, hours: float) -> np.ndarray:
        return np.asarray(solve_ivp(change, (0, hours), y, method="DOP853", rtol=1e-12, atol=1e-14).y[:, -1])

    at_6 = after(np.array([5.0, 0.0]), 6.0)
    at_20 = after(after(at_6, 6.0) + np.array([5.0, 0.0]), 8.0)
    return 1000.0 * np.array([at_6[1], at_20[1]]) / 100.0


def test_own_equations_in_a_table_agree_with_scipy(tmp_path: Path) -> None:
    predicted = typical_predictions(_prepared(tmp_path, OWN_DATA, str(OWN_EQUATIONS)))
    np.testing.assert_allclose(predicted, _integrated(0.3 * (50 / 70) ** 0.75), rtol=1e-7)


def test_own_equations_are_estimated_to_the_minimum_scipy_finds(tmp_path: Path) -> None:
    found = estimate_individuals(_prepared(tmp_path, OWN_DATA, str(OWN_EQUATIONS)), draws=0)

    def objective(eta: float) -> float:
        f = _integrated(0.3 * (50 / 70) ** 0.75 * np.exp(eta))
        spread = np.hypot(0.5, 0.1 * f)
        fit = -2 * stats.norm.logpdf([14.0, 25.0], f, spread).sum()
        return float(fit - 2 * stats.norm.logpdf(eta, 0, np.sqrt(0.1)))

    best = optimize.minimize_scalar(objective, bounds=(-2, 2), method="bounded", options={"xatol": 1e-8})
    assert found.modes.converged.all()
    assert found.objective[0] + found.constant[0] <= best.fun + OBJECTIVE_TOLERANCE
    np.testing.assert_allclose(found.modes.eta[0, 0], best.x, atol=1e-4)


def test_a_dose_into_a_compartment_the_model_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError) as caught:
        _prepared(tmp_path, "ID,TIME,AMT,DV,CMT,WT,TBIL\n1,0,1,.,3,20,10\n1,24,.,5,.,20,10\n", "cheng_2020")
    assert caught.value.messages[0].code == "nonmem.no-such-compartment"
