# SPDX-License-Identifier: Apache-2.0
"""Individual estimates for every patient of a data table: empirical Bayes, with the model's parameters held fixed.

This is what NONMEM does with MAXEVAL=0 POSTHOC: population parameters are not estimated; each patient's random effects
are the most probable ones given the patient's levels and the published model.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.bayes_mode import Modes, mode, modes
from sirolens.engine.bayes_problem import AnyProblem, FunctionProblem, Problem, levels, normalising_constant
from sirolens.engine.bayes_search import Levels
from sirolens.engine.linear import Events, events_from_columns
from sirolens.engine.sampling import stream, uniform
from sirolens.models.diagnostics import (
    PredictionErrors,
    VisualCheck,
    npde,
    prediction_corrected_check,
    prediction_errors,
    shrinkage,
)
from sirolens.models.event_table import BELOW, MEASURED
from sirolens.models.population import effect_index, individual, parameter_names
from sirolens.models.predict import structure_of
from sirolens.models.residual import sd
from sirolens.models.table_prediction import Prepared, predict_table
from sirolens.models.table_simulation import simulate_patient, typical_predictions

if TYPE_CHECKING:
    import pandas
    import xarray

__all__ = ["Individuals", "estimate_individuals"]

Array = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Individuals:
    """Empirical Bayes estimates of a table.

    Parameters
    ----------
    prepared : Prepared
        Table and model.
    modes : Modes
        Random effects, covariance, convergence and reason of every patient.
    objective : ndarray, shape (patients,)
        -2 log joint density without `constant`: what NONMEM prints as an individual's objective value.
    constant : ndarray, shape (patients,)
        What was left out: n log(2 pi) + n_eta log(2 pi) + log det omega.
    parameters : ndarray, shape (patients, n_parameters)
        Individual parameters under each patient's last covariates.
    typical_ng_ml, individual_ng_ml : ndarray, shape (outputs,)
        Predictions with random effects at zero and at their estimates.
    npde : ndarray, shape (outputs,)
        Normalised prediction distribution errors; not-a-number where nothing was measured.
    check : VisualCheck or None
        Prediction-corrected visual predictive check over time after the first record.
    """

    prepared: Prepared
    modes: Modes
    objective: Array
    constant: Array
    parameters: Array
    typical_ng_ml: Array
    individual_ng_ml: Array
    npde: Array
    check: VisualCheck | None

    @property
    def shrinkage(self) -> Array:
        """Shrinkage of each random effect."""
        return shrinkage(self.modes.eta, self.prepared.model.omega)

    @property
    def errors(self) -> dict[str, PredictionErrors | None]:
        """Prediction errors of typical (``"PRED"``) and individual (``"IPRED"``) predictions."""
        observed = self.prepared.table.observed_ng_ml[self.prepared.output]
        return {
            "PRED": prediction_errors(observed, self.typical_ng_ml),
            "IPRED": prediction_errors(observed, self.individual_ng_ml),
        }

    def predictions(self) -> pandas.DataFrame:
        """One row per output record: what was measured, predicted, and the residuals."""
        import pandas

        prepared, table = self.prepared, self.prepared.table
        owner = np.repeat(np.arange(prepared.patients), np.diff(table.start))[prepared.output]
        observed = table.observed_ng_ml[prepared.output]
        residual = prepared.model.residual
        own = np.log(observed / self.individual_ng_ml) if residual.on_log_scale else observed - self.individual_ng_ml
        return pandas.DataFrame(
            {
                "ID": np.array(table.ids, dtype=object)[owner],
                "TIME": table.time_h[prepared.output],
                "DV": observed,
                "CENSORED": table.censoring[prepared.output],
                "PRED": self.typical_ng_ml,
                "IPRED": self.individual_ng_ml,
                "RES": observed - self.typical_ng_ml,
                "IRES": observed - self.individual_ng_ml,
                "IWRES": own / sd(residual, self.individual_ng_ml),
                "NPDE": self.npde,
            }
        )

    def patients(self) -> pandas.DataFrame:
        """One row per patient: etas, their covariance, individual parameters, objective, convergence."""
        import pandas

        model = self.prepared.model
        names, etas = parameter_names(model), model.eta_names
        used = [names.index(parameter.name) for parameter in model.parameters]
        columns: dict[str, object] = {"ID": self.prepared.table.ids}
        columns |= {f"ETA_{name}": self.modes.eta[:, j] for j, name in enumerate(etas)}
        columns |= {names[k]: self.parameters[:, k] for k in used}
        columns |= {
            f"COV_{etas[i]}_{etas[j]}": self.modes.covariance[:, i, j] for i in range(len(etas)) for j in range(i + 1)
        }
        columns |= {"OBJECTIVE": self.objective, "CONSTANT": self.constant}
        columns |= {"CONVERGED": self.modes.converged, "REASON": [reason.value for reason in self.modes.reason]}
        return pandas.DataFrame(columns)

    def summary(self) -> pandas.DataFrame:
        """Shrinkage and prediction errors, one figure a row."""
        import pandas

        rows = [
            (f"shrinkage {name}", float(value))
            for name, value in zip(self.prepared.model.eta_names, self.shrinkage, strict=True)
        ]
        for which, found in self.errors.items():
            rows += [(f"{which} {name}", float(value)) for name, value in (asdict(found).items() if found else ())]
        return pandas.DataFrame(rows, columns=["figure", "value"])

    def to_xarray(self) -> xarray.Dataset:
        """Return estimates and predictions with labelled dimensions patient, eta and record."""
        import xarray

        model = self.prepared.model
        table = self.predictions()
        data = {name: ("record", table[name].to_numpy()) for name in table.columns if name not in ("ID", "TIME")}
        return xarray.Dataset(
            {
                **data,
                "eta": (("patient", "eta_name"), self.modes.eta),
                "covariance": (("patient", "eta_name", "eta_name_2"), self.modes.covariance),
                "objective": ("patient", self.objective),
                "converged": ("patient", self.modes.converged),
            },
            coords={
                "patient": list(self.prepared.table.ids),
                "eta_name": list(model.eta_names),
                "eta_name_2": list(model.eta_names),
                "record_patient": ("record", table["ID"].to_numpy()),
                "time": ("record", table["TIME"].to_numpy(), {"units": model.time_unit}),
            },
            attrs={"model": model.full_name, "concentration_unit": model.concentration_unit},
        )


def estimate_individuals(prepared: Prepared, *, draws: int = 1000, seed: int = 0) -> Individuals:
    """Estimate every patient's random effects.

    Parameters
    ----------
    prepared : Prepared
        Table and model.
    draws : int
        Simulations per patient for NPDE and the visual check; 0: neither is made.
    seed : int
        Seeds the simulations; the estimates do not depend on it.

    Returns
    -------
    Individuals
        A patient whose search did not converge is there with the reason.
    """
    problems = [_problem(prepared, p) for p in range(prepared.patients)]
    found = _modes(problems)
    constant = np.array([normalising_constant(problem) for problem in problems])
    last = np.ascontiguousarray(prepared.typical[:, -1:, :])
    deviates, check = _simulation_checks(prepared, draws, seed)
    return Individuals(
        prepared=prepared,
        modes=found,
        objective=found.objective - constant,
        constant=constant,
        parameters=individual(prepared.model, last, found.eta, paired=True)[:, 0, :],
        typical_ng_ml=typical_predictions(prepared),
        individual_ng_ml=np.asarray(predict_table(prepared, found.eta, np.arange(prepared.patients)).values),
        npde=deviates,
        check=check,
    )


def _modes(problems: list[AnyProblem]) -> Modes:
    """Linear patients are searched together in kernels; those of own equations one by one."""
    linear = [problem for problem in problems if isinstance(problem, Problem)]
    if len(linear) == len(problems):
        return modes(linear)
    each = tuple(mode(problem) for problem in problems)
    return Modes(
        eta=np.array([one.eta for one in each]),
        objective=np.array([one.objective for one in each]),
        gradient_norm=np.array([one.gradient_norm for one in each]),
        covariance=np.array([one.covariance for one in each]),
        converged=np.array([one.converged for one in each]),
        reason=tuple(one.reason for one in each),
        each=each,
    )


def _problem(prepared: Prepared, patient: int) -> AnyProblem:
    """One patient as the estimation sees it."""
    model = prepared.model
    if model.system is not None:
        # Integration is exact to about 1e-8, so differences need a wider step and the search an earlier end.
        return FunctionProblem(
            predict=lambda eta: predict_table(prepared, eta, np.full(len(eta), patient)).values.reshape(len(eta), -1),
            omega=model.omega,
            levels=_levels(prepared, patient),
            relative_step=3e-2,
            noise=1e-7,
        )
    eta_of_parameter, kind = effect_index(model)
    return Problem(
        structure=structure_of(model),
        events=_own_events(prepared.events, patient),
        typical=prepared.typical[patient],
        eta_of_parameter=eta_of_parameter,
        effect_kind=kind,
        omega=model.omega,
        levels=_levels(prepared, patient),
    )


def _levels(prepared: Prepared, patient: int) -> Levels:
    """One patient's outputs; those without a value do not count."""
    table, residual = prepared.table, prepared.model.residual
    low, high = prepared.output_start[patient : patient + 2]
    rows = prepared.output[low:high]
    counts = table.is_measured[rows]
    observed = np.where(table.censoring[rows] == MEASURED, table.observed_ng_ml[rows], table.limit_ng_ml[rows])
    return levels(
        np.where(counts, observed, 1.0),
        residual_kind=residual.code,
        additive_ng_ml=residual.additive_ng_ml,
        proportional=residual.log_sd if residual.on_log_scale else residual.proportional,
        censoring=table.censoring[rows],
        weight=counts.astype(np.float64),
    )


def _own_events(events: Events, patient: int) -> Events:
    own = slice(int(events.start[patient]), int(events.start[patient + 1]))
    return events_from_columns(
        time_h=events.time_h[own],
        evid=events.evid[own],
        amount_mg=events.amount_mg[own],
        rate_mg_h=events.rate_mg_h[own],
        compartment=events.compartment[own],
        ss=events.ss[own],
        ii_h=events.ii_h[own],
        addl=events.addl[own],
        before=events.before[own],
        at=events.at[own],
    )


def _simulation_checks(prepared: Prepared, draws: int, seed: int) -> tuple[Array, VisualCheck | None]:
    """Compare every measured record with simulations of it."""
    table = prepared.table
    deviates = np.full(prepared.output.size, np.nan)
    if not draws:
        return deviates, None
    pieces: list[Array] = []
    for p in range(prepared.patients):
        low, high = prepared.output_start[p : p + 2]
        rows = prepared.output[low:high]
        counts = np.flatnonzero(table.is_measured[rows] & (table.censoring[rows] <= MEASURED))
        if counts.size:
            simulated = simulate_patient(prepared, p, draws=draws, seed=seed).observed_ng_ml[:, counts]
            pieces.append(simulated)
            deviates[low + counts] = npde(
                table.observed_ng_ml[rows[counts]],
                simulated,
                below=table.censoring[rows[counts]] == BELOW,
                limit_ng_ml=table.limit_ng_ml[rows[counts]],
                uniform=uniform(stream(seed, "npde", table.ids[p]), (counts.size,)),
            )
    return deviates, _check(prepared, pieces)


def _check(prepared: Prepared, pieces: list[Array]) -> VisualCheck | None:
    """The visual check, over records that were measured within the assay's range."""
    table = prepared.table
    rows = prepared.output[table.is_measured[prepared.output] & (table.censoring[prepared.output] <= MEASURED)]
    measured = np.isfinite(table.observed_ng_ml[rows])
    if not measured.any():
        return None
    owner = np.repeat(np.arange(prepared.patients), np.diff(table.start))
    since_first = table.time_h - table.time_h[table.start[:-1]][owner]
    predicted = typical_predictions(prepared)[np.searchsorted(prepared.output, rows)]
    return prediction_corrected_check(
        since_first[rows][measured],
        table.observed_ng_ml[rows][measured],
        predicted[measured],
        np.concatenate(pieces, axis=1)[:, measured],
    )
