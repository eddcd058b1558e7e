# SPDX-License-Identifier: Apache-2.0
"""Published values from rich sampling and observed troughs, beside what the shipped models predict; writes README.md.

``single_doses.csv`` and the table below hold what was published (sources: docs/science/models.md); none of it was used
to fit or choose a model. ``page.txt`` is the page with holes for the numbers. Run as ``python -m validation pk``.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.linear import PARAMETERS
from sirolens.models.catalog import load
from sirolens.models.covariates import typical
from sirolens.models.exposure import steady_state_troughs
from sirolens.models.predict import predict
from sirolens.models.timeline import History
from sirolens.regimen import Cycle

Array = NDArray[np.float64]

HERE = Path(__file__).parent
DRAWS = 2000
SEED = 20261121
EARLY_H = np.arange(0.1, 6.0, 0.1)
PROFILE_H = np.concatenate([EARLY_H, np.arange(6.0, 24.5, 0.5), np.arange(25.0, 337.0, 1.0)])
MIDDLE_MG = 10.0  # far above any dose in ITP, and where measured AUC begins to fall behind the dose
TERMINAL_H = 48  # the slope of the last two days, as a published study would take it
DAILY_MG = Cycle(period_h=24.0, offset_h=(0.0,), amount_mg=(1.0,))
# A healthy adult: 35 years, normal AST, cholesterol 4.7 mmol/L, haematocrit 42 % (ASSUMED).
TROUGH_ONLY = (
    ("golubovic_2019", {"AGE": 35.0, "AST": 20.0}),
    ("jiao_2009", {"TC": 4.7}),
    ("mao_2024", {"HCT": 42.0}),
)
ADULTS = (
    ("golubovic_2019", {"AGE": 44.0, "AST": 20.0}, "44 years"),
    ("jiao_2009", {"TC": 4.7}, "no ciclosporin, TC 4.7"),
    ("wu_2012", {"HCT": 42.0}, "haematocrit 42 %"),
    ("mao_2024", {"HCT": 38.0}, "haematocrit 38 %"),
    ("jiao_2009", {"TC": 5.66, "CSA": 104.0}, "ciclosporin 104 ng/mL, TC 5.66"),
)
DEFAULTS = 3  # the first three of ADULTS are what advice averages
OBSERVED_TROUGHS = (
    ("47 kidney transplants, LC-MS/MS, CYP3A5*3/*3 (PMID 16815317)", "no", "3.0 +/- 1.5"),
    ("the same, CYP3A5*1 carriers", "no", "1.5 +/- 0.8"),
    ("25 adults with ADPKD, own kidneys and liver, 1.28 mg/day (PMID 19525519)", "no", "2.97"),
    ("484 kidney transplants after conversion, 2.3-2.9 mg/day (J Transplant 2012:107180)", "partly", "3.3-3.7"),
    ("Golubovic 2019 cohort, 3.6 mg/day", "no", "2.7"),
    ("Jiao 2009 cohort, median 2 mg/day", "yes", "4.1"),
    ("phase III kidney transplants, 2 and 5 mg/day (Swiss label)", "yes", "3.6 and 2.8"),
    ("Mao 2024 cohort, median 1 mg/day, a quarter on Wuzhi", "-", "5.3"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One published single-dose study in adults; means or medians as printed; `until_h` infinite: extrapolated."""

    name: str
    subjects: str
    dose_mg: float
    cmax_ng_ml: float
    tmax_h: float | None
    auc_ng_h_ml: float
    until_h: float
    half_life_h: float | None


def studies() -> tuple[Study, ...]:
    """Read the published values."""
    with (HERE / "single_doses.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(
            Study(
                name=row["study"],
                subjects=row["subjects"],
                dose_mg=float(row["dose_mg"]),
                cmax_ng_ml=float(row["cmax_ng_ml"]),
                tmax_h=float(row["tmax_h"]) if row["tmax_h"] else None,
                auc_ng_h_ml=float(row["auc_ng_h_ml"]),
                until_h=float(row["until_h"]),
                half_life_h=float(row["half_life_h"]) if row["half_life_h"] else None,
            )
            for row in csv.DictReader(stream)
        )


def _area(levels: Array, until_h: float) -> Array:
    """Linear trapezium from the dose on, with the terminal slope beyond the last time where it was extrapolated."""
    times = np.concatenate([[0.0], PROFILE_H])
    full = np.concatenate([np.zeros((len(levels), 1)), levels], axis=1)
    inside = times <= until_h
    area = np.trapezoid(full[:, inside], times[inside], axis=1)
    return np.asarray(area + levels[:, -1] / _slope(levels)) if math.isinf(until_h) else np.asarray(area)


def _slope(levels: Array) -> Array:
    return np.asarray(np.log(levels[:, -1 - TERMINAL_H] / levels[:, -1]) / TERMINAL_H)


def wu_predictions(study: Study) -> dict[str, tuple[float, float, float]]:
    """Typical value and 5-95 % of the population for Cmax, tmax, AUC and terminal half-life."""
    model = load("wu_2012")
    drawn = np.random.default_rng(SEED).normal(size=(DRAWS, 4)) @ np.linalg.cholesky(model.omega).T
    eta = np.concatenate([np.zeros((1, 4)), drawn])
    history = History(origin=datetime(2026, 1, 1, tzinfo=UTC), now_h=0.0, dose_time_h=(0.0,), dose_mg=(study.dose_mg,))
    levels = predict(model, history, eta, PROFILE_H, missing={"HCT": 42.0})
    found = {
        "cmax": levels.max(axis=1),
        "tmax": PROFILE_H[levels.argmax(axis=1)],
        "auc": _area(levels, study.until_h),
        "half_life": math.log(2.0) / _slope(levels),
    }
    return {
        name: (float(value[0]), float(np.quantile(value[1:], 0.05)), float(np.quantile(value[1:], 0.95)))
        for name, value in found.items()
    }


def typical_row(name: str, covariates: dict[str, float]) -> dict[str, float]:
    """Typical parameters by name."""
    return dict(zip(PARAMETERS, map(float, typical(load(name), covariates)[0]), strict=True))


def half_life_h(p: dict[str, float]) -> float:
    """Terminal half-life of a one- or two-compartment model."""
    k10, k12 = p["cl_l_h"] / p["v1_l"], p["q2_l_h"] / p["v1_l"]
    if k12 == 0.0:
        return math.log(2.0) / k10
    k21 = p["q2_l_h"] / p["v2_l"]
    total = k10 + k12 + k21
    return math.log(2.0) / (0.5 * (total - math.sqrt(total**2 - 4.0 * k10 * k21)))


def trough_per_mg(name: str, covariates: dict[str, float]) -> float:
    """Typical steady-state trough on 1 mg once daily."""
    model = load(name)
    return float(steady_state_troughs(model, typical(model, covariates), DAILY_MG)[0, 0])


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _band(values: tuple[float, float, float]) -> str:
    return f"{_number(values[0])} ({_number(values[1])}-{_number(values[2])})"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _summary(values: list[float]) -> str:
    centre = math.exp(float(np.mean(np.log(values))))
    return f"{centre:.2f} ({min(values):.2f}-{max(values):.2f})"


def single_dose_part() -> dict[str, str]:
    """The table of single doses, and the ratios of predicted to observed."""
    rows = []
    ratios: dict[str, list[float]] = {
        name: [] for name in ("auc_low", "auc_high", "cmax_tablets", "cmax_others", "half_life")
    }
    for study in studies():
        found = wu_predictions(study)
        until = "to infinity" if math.isinf(study.until_h) else f"0-{study.until_h:g} h"
        rows.append(
            _line(
                f"{study.name} ({study.subjects})",
                f"{study.dose_mg:g}",
                _number(study.cmax_ng_ml),
                _band(found["cmax"]),
                _number(study.tmax_h),
                _number(found["tmax"][0]),
                f"{_number(study.auc_ng_h_ml)} ({until})",
                _band(found["auc"]),
                _number(study.half_life_h),
                _number(found["half_life"][0]),
            )
        )
        ratios["auc_low" if study.dose_mg <= MIDDLE_MG else "auc_high"].append(found["auc"][0] / study.auc_ng_h_ml)
        form = "cmax_tablets" if "tablet" in study.name else "cmax_others"
        ratios[form].append(found["cmax"][0] / study.cmax_ng_ml)
        if study.half_life_h is not None:
            ratios["half_life"].append(found["half_life"][0] / study.half_life_h)
    return {"single": "\n".join(rows)} | {name: _summary(values) for name, values in ratios.items()}


def trough_only_rows() -> str:
    """What models built on troughs say about things they never saw."""
    rows = []
    for name, covariates in (*TROUGH_ONLY, ("wu_2012", {"HCT": 42.0})):
        p = typical_row(name, covariates)
        what = " (rich sampling)" if name == "wu_2012" else ""
        rows.append(_line(f"{load(name).label}{what}", f"{1000.0 / p['cl_l_h']:.0f}", f"{half_life_h(p):.0f}"))
    whole = [study for study in studies() if math.isinf(study.until_h)]
    per_mg = [study.auc_ng_h_ml / study.dose_mg for study in whole]
    lives = [study.half_life_h for study in studies() if study.half_life_h is not None]
    observed = f"observed, {len(whole)} groups of healthy adults"
    rows.append(_line(observed, f"{min(per_mg):.0f}-{max(per_mg):.0f}", f"{min(lives):g}-{max(lives):g}"))
    return "\n".join(rows)


def child_part() -> dict[str, str]:
    """Typical clearance, half-life and trough per mg of the models of children, and how far they lie apart."""
    rows, spread = [], 1.0
    for weight_kg in (10.0, 20.0, 30.0, 40.0):
        troughs: list[float] = []
        for name in ("cheng_2020", "fan_2024", "chen_2021"):
            covariates = {"WT": weight_kg} | ({"TBIL": 11.29} if name == "cheng_2020" else {})
            p = typical_row(name, covariates)
            troughs.append(trough_per_mg(name, covariates))
            cells = (f"{p['cl_l_h']:.2f}", f"{half_life_h(p):.1f}", f"{troughs[-1]:.2f}")
            rows.append(_line(f"{weight_kg:g}", load(name).label, *cells))
        spread = max(spread, max(troughs) / min(troughs))
    return {"child": "\n".join(rows), "child_spread": f"a factor of {spread:.1f}"}


def page() -> str:
    """Compute every table and fill the page."""
    adults = [(load(name).label, what, trough_per_mg(name, covariates)) for name, covariates, what in ADULTS]
    centre = math.exp(float(np.mean(np.log([value for _, _, value in adults[:DEFAULTS]]))))
    return (
        (HERE / "page.txt")
        .read_text(encoding="utf-8")
        .format(
            draws=DRAWS,
            trough_only=trough_only_rows(),
            adult="\n".join(_line(f"{label} ({what})", f"{value:.2f}") for label, what, value in adults),
            observed="\n".join(_line(*row) for row in OBSERVED_TROUGHS),
            centre=f"{centre:.1f}",
            **child_part(),
            **single_dose_part(),
        )
    )


def main() -> None:
    """Write README.md beside this file."""
    text = page()
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
