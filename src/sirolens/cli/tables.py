# SPDX-License-Identifier: Apache-2.0
"""`sirolens simulate` and `sirolens estimate`: tables in, tables out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sirolens.cli.show import Language, language_option, show_flags
from sirolens.report.words import label

if TYPE_CHECKING:
    import pandas

    from sirolens.models.table_prediction import Prepared

__all__ = ["add_to"]

TABLE_NAMES = {
    "": "cli.table-predictions",
    "patients": "cli.table-patients",
    "summary": "cli.table-summary",
    "pcvpc": "cli.table-pcvpc",
}


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
        from sirolens.models.table_simulation import simulate_table

        prepared = _prepared(events, model, backward=backward, language=show_in, quiet=as_json)
        _give(simulate_table(prepared, draws=draws, seed=seed), out, as_json)

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
        from sirolens.models.individuals import estimate_individuals

        prepared = _prepared(data, model, backward=backward, language=show_in, quiet=as_json)
        found = estimate_individuals(prepared, draws=draws, seed=seed)
        tables = {"": found.predictions(), "patients": found.patients(), "summary": found.summary()}
        if found.check is not None:
            tables["pcvpc"] = _check_table(found.check)
        if out is not None:
            for name, table in tables.items():
                _give(table, out if not name else out.with_name(f"{out.stem}.{name}{out.suffix}"), as_json=False)
        elif as_json:
            given = {name or "predictions": _rows(table) for name, table in tables.items()}
            typer.echo(json.dumps({"model": prepared.model.full_name, **given}, ensure_ascii=False))
        else:
            typer.echo(label("cli.estimate-says", show_in))
            for name, table in tables.items():
                typer.echo("\n" + label(TABLE_NAMES[name], show_in))
                typer.echo(table.to_string(index=False, float_format=lambda value: f"{value:.4g}", max_rows=40))


def _prepared(path: Path, model_name: str, *, backward: bool, language: str, quiet: bool) -> Prepared:
    from sirolens.interop.nonmem import read_table
    from sirolens.models.catalog import load
    from sirolens.models.table_prediction import prepare

    model = load(model_name)
    table, flags = read_table(path, [covariate.name for covariate in model.covariates])
    prepared = prepare(model, table, backward=backward, file=path.name)
    if not quiet:
        show_flags((*flags, *prepared.messages, *model.warnings), language)
    return prepared


def _give(table: pandas.DataFrame, out: Path | None, as_json: bool) -> None:
    if out is not None:
        from sirolens.interop.write import write_frame

        write_frame(table, out)
    elif as_json:
        typer.echo(json.dumps(_rows(table), ensure_ascii=False))
    else:
        typer.echo(table.to_csv(index=False, lineterminator="\n"), nl=False)


def _rows(table: pandas.DataFrame) -> list[dict[str, object]]:
    """Rows for JSON, where not-a-number is null."""
    rows: list[dict[str, object]] = json.loads(table.to_json(orient="records", double_precision=15))
    return rows


def _check_table(check: object) -> pandas.DataFrame:
    import pandas

    from sirolens.models.diagnostics import QUANTILES, VisualCheck

    assert isinstance(check, VisualCheck)
    columns: dict[str, object] = {"LOW": check.bin_low, "MID": check.bin_mid, "HIGH": check.bin_high, "N": check.n}
    for j, q in enumerate(QUANTILES):
        name = f"P{round(100 * q):02d}"
        columns |= {f"OBSERVED_{name}": check.observed[:, j]}
        columns |= {f"SIMULATED_{name}_{k}": check.simulated[:, j, i] for i, k in enumerate(("LOW", "MID", "HIGH"))}
    return pandas.DataFrame(columns)
