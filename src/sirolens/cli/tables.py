# SPDX-License-Identifier: Apache-2.0
"""`sirolens simulate` and `sirolens estimate`: tables in, tables out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sirolens.cli.show import Language, language_option, show_flags, tell_first_run
from sirolens.message import Message, warning
from sirolens.report.words import label

if TYPE_CHECKING:
    import pandas
    from numpy.typing import ArrayLike

    from sirolens.models.diagnostics import VisualCheck
    from sirolens.models.individuals import Individuals
    from sirolens.models.table_prediction import Prepared

__all__ = ["add_to"]

TABLE_NAMES = {
    "predictions": "cli.table-predictions",
    "patients": "cli.table-patients",
    "summary": "cli.table-summary",
    "pcvpc": "cli.table-pcvpc",
}
MOST_NAMED = 20
"""Patients named in one flag; the rest are counted by the dots that follow."""


def add_to(app: typer.Typer, language: str) -> None:
    """Add the commands on tables, with their help in one language."""

    def text(name: str) -> str:
        return label(f"cli.{name}", language)

    @app.command(help=text("simulate-help"))
    def simulate(
        events: Path = typer.Argument(..., help=text("events-help"), metavar="EVENTS.csv"),
        model: str = typer.Option(..., "--model", "-m", help=text("model-help"), metavar="NAME|FILE"),
        out: Path | None = typer.Option(None, "--out", "-o", help=text("simulate-out-help")),
        draws: int = typer.Option(1000, min=0, max=1_000_000, help=text("draws-help")),
        seed: int = typer.Option(1, min=0, help=text("seed-help")),
        backward: bool = typer.Option(False, "--covariates-backward", help=text("backward-help")),
        as_json: bool = typer.Option(False, "--json", help=text("json-help")),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.interop.write import check_targets, table_bytes, write_together
        from sirolens.models.table_simulation import simulate_table

        check_targets([] if out is None else [out], inputs=[events], tables=True)
        prepared = _prepared(events, model, backward=backward, language=show_in)
        table = simulate_table(prepared, draws=draws, seed=seed)
        show_flags(_unpredicted(prepared, table, [[0.0] * len(prepared.model.eta_names)] * prepared.patients), show_in)
        if out is not None:
            write_together({out: table_bytes(table, out)})
        elif as_json:
            typer.echo(json.dumps(_rows(table), ensure_ascii=False))
        else:
            typer.echo(table.to_csv(index=False, lineterminator="\n"), nl=False)

    @app.command(help=text("estimate-help"))
    def estimate(
        data: Path = typer.Argument(..., help=text("data-help"), metavar="DATA.csv"),
        model: str = typer.Option(..., "--model", "-m", help=text("model-help"), metavar="NAME|FILE"),
        out: Path | None = typer.Option(None, "--out", "-o", help=text("estimate-out-help")),
        draws: int = typer.Option(1000, min=0, max=100_000, help=text("npde-draws-help")),
        seed: int = typer.Option(1, min=0, help=text("seed-help")),
        backward: bool = typer.Option(False, "--covariates-backward", help=text("backward-help")),
        as_json: bool = typer.Option(False, "--json", help=text("json-help")),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.interop.write import check_targets, table_bytes, write_together
        from sirolens.models.individuals import estimate_individuals

        places = {} if out is None else {name: _beside(out, name) for name in TABLE_NAMES}
        check_targets(places.values(), inputs=[data], tables=True)
        prepared = _prepared(data, model, backward=backward, language=show_in)
        found = estimate_individuals(prepared, draws=draws, seed=seed)
        tables = _tables(found)
        show_flags(_estimation_flags(found, tables["predictions"]), show_in)
        if out is not None:
            write_together({places[name]: table_bytes(table, places[name]) for name, table in tables.items()})
        elif as_json:
            given = {name: _rows(table) for name, table in tables.items()}
            typer.echo(json.dumps({"model": prepared.model.full_name, **given}, ensure_ascii=False))
        else:
            _show(tables, show_in)


def _beside(out: Path, name: str) -> Path:
    """Predictions go to the file that was asked for, the other tables beside it."""
    return out if name == "predictions" else out.with_name(f"{out.stem}.{name}{out.suffix}")


def _prepared(path: Path, model_name: str, *, backward: bool, language: str) -> Prepared:
    from sirolens.interop.nonmem import read_table
    from sirolens.models.catalog import load
    from sirolens.models.table_prediction import prepare

    model = load(model_name)
    table, flags = read_table(path, [covariate.name for covariate in model.covariates])
    tell_first_run(language)
    prepared = prepare(model, table, backward=backward, file=str(path))
    show_flags((*flags, *prepared.messages, *model.warnings), language)
    return prepared


def _unpredicted(prepared: Prepared, table: pandas.DataFrame, eta: ArrayLike) -> tuple[Message, ...]:
    """Name the patients without a prediction, and why where the equations could not be integrated."""
    from sirolens.models.table_prediction import not_integrated

    why = not_integrated(prepared, eta)
    predicted = [name for name in table.columns if name.startswith(("PRED", "IPRED"))]
    empty = table.loc[table[predicted].isna().any(axis=1), "ID"]
    names = tuple(str(one) for one in dict.fromkeys(empty))
    return (*why, *((warning("cli.not-predicted", ids=_named(names)),) if names else ()))


def _estimation_flags(found: Individuals, predictions: pandas.DataFrame) -> Iterable[Message]:
    ids = found.prepared.table.ids
    lost = tuple(name for name, done in zip(ids, found.modes.converged, strict=True) if not done)
    flags = _unpredicted(found.prepared, predictions, found.modes.eta)
    return (*flags, *((warning("cli.not-converged", ids=_named(lost)),) if lost else ()))


def _named(names: tuple[str, ...]) -> tuple[str, ...]:
    return names if len(names) <= MOST_NAMED else (*names[:MOST_NAMED], f"... ({len(names)})")


def _tables(found: Individuals) -> dict[str, pandas.DataFrame]:
    tables = {"predictions": found.predictions(), "patients": found.patients(), "summary": found.summary()}
    return tables if found.check is None else {**tables, "pcvpc": _check_table(found.check)}


def _show(tables: Mapping[str, pandas.DataFrame], language: str) -> None:
    typer.echo(label("cli.estimate-says", language))
    for name, table in tables.items():
        typer.echo("\n" + label(TABLE_NAMES[name], language))
        typer.echo(table.to_string(index=False, float_format=lambda value: f"{value:.4g}", max_rows=40))


def _rows(table: pandas.DataFrame) -> list[dict[str, object]]:
    """Rows for JSON, where not-a-number is null."""
    rows: list[dict[str, object]] = json.loads(table.to_json(orient="records", double_precision=15))
    return rows


def _check_table(check: VisualCheck) -> pandas.DataFrame:
    import pandas

    from sirolens.models.diagnostics import QUANTILES

    columns: dict[str, object] = {"LOW": check.bin_low, "MID": check.bin_mid, "HIGH": check.bin_high, "N": check.n}
    for j, q in enumerate(QUANTILES):
        name = f"P{round(100 * q):02d}"
        columns |= {f"OBSERVED_{name}": check.observed[:, j]}
        columns |= {f"SIMULATED_{name}_{k}": check.simulated[:, j, i] for i, k in enumerate(("LOW", "MID", "HIGH"))}
    return pandas.DataFrame(columns)
