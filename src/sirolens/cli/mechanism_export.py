# SPDX-License-Identifier: Apache-2.0
"""`sirolens mechanism export`: one virtual patient with pharmacokinetics and doses, as a file other programs run."""

from __future__ import annotations

from pathlib import Path

import typer

from sirolens.cli.show import Language, language_option, tell_first_run
from sirolens.errors import InputError
from sirolens.message import Place, error, info
from sirolens.report.words import label

__all__ = ["add_to"]

ARCHIVE, MODELS = ".omex", (".xml", ".sbml")
OUTPUTS = ("P", "C")
"""What the table of an archive's simulation shows: platelets and the level."""
MOST_DAYS, MOST_MG, MOST_PATIENTS = 3650, 50.0, 10_000


def add_to(group: typer.Typer, language: str) -> None:
    """Add the command, with its help in one language."""

    def text(name: str) -> str:
        return label(f"calibration.export-{name}-help", language)

    @group.command("export", help=text("command"))
    def export(
        file: Path = typer.Argument(help=text("file")),
        dose_mg: float = typer.Option(2.0, "--dose-mg", min=0.0, max=MOST_MG, help=text("dose")),
        days: int = typer.Option(180, "--days", min=1, max=MOST_DAYS, help=text("days")),
        pk: str = typer.Option("mao_2024", "--pk", help=text("pk")),
        population: str = typer.Option("posterior", "--population", help=text("population")),
        patient: int = typer.Option(1, "--patient", min=1, max=MOST_PATIENTS, help=text("patient")),
        variant: list[str] = typer.Option([], "--variant", help=text("variant")),
        seed: int = typer.Option(1, "--seed", min=0, help=label("calibration.seed-help", language)),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.interop.write import check_targets, write_together

        _check(file, population)
        check_targets([file], inputs=[])
        tell_first_run(show_in)
        made = _composed(dose_mg, days, pk, population, patient, variant, seed)
        if file.suffix.lower() == ARCHIVE:
            from sirolens.interop.combine_archive import combine_archive

            about = info("calibration.archive", population=population, patient=patient, model=pk, amount_mg=dose_mg)
            content = combine_archive(made, days=days, outputs=OUTPUTS, title=file.stem, description=about)
        else:
            content = made.encode()
        write_together({file: content})
        typer.echo(label("cli.written", show_in, file=str(file)), err=True)


def _check(file: Path, population: str) -> None:
    """Refuse what cannot be written or is not known, before anything is computed."""
    from sirolens.study.trial.mechanism import population_names

    known, faults = (*MODELS, ARCHIVE), []
    if file.suffix.lower() not in known:
        faults.append(error("calibration.export-ending", place=Place(file=str(file)), value=file.suffix, known=known))
    if population not in population_names():
        place = Place(field="--population")
        faults.append(error("models.not-one-of", place=place, value=population, expected=population_names()))
    if faults:
        raise InputError(*faults)


def _composed(dose_mg: float, days: int, pk: str, name: str, patient: int, variants: list[str], seed: int) -> str:
    """Draw the patient and write the model."""
    from sirolens.interop.sbml import compose
    from sirolens.mechanism.exposure import constant_dose, sample_kinetics
    from sirolens.mechanism.network import load
    from sirolens.models.catalog import load as catalogue
    from sirolens.study.trial.mechanism import population

    mechanism = load(tuple(variants))
    one = population(name, mechanism, patient, seed, "adults").part(slice(patient - 1, patient))
    kinetics = sample_kinetics(catalogue(pk), one.covariates, seed=seed, index=one.index)
    return compose(mechanism, kinetics, constant_dose(dose_mg, days), parameters=one.parameters)
