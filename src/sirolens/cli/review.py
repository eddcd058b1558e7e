# SPDX-License-Identifier: Apache-2.0
"""`sirolens review`: a literature review as a folder, from its protocol to its update."""

from __future__ import annotations

import typer

from sirolens.cli import (
    review_consensus,
    review_copies,
    review_decide,
    review_export,
    review_forms,
    review_import,
    review_living,
    review_query,
    review_report,
    review_screen,
    review_search,
    review_start,
)
from sirolens.report.words import label

__all__ = ["add_to"]


def add_to(app: typer.Typer, language: str) -> None:
    """Add the group with its commands, with their help in one language, in the order in which they are used."""
    group = typer.Typer(help=label("review.group-help", language), no_args_is_help=True)
    review_start.add_to(group, language)
    review_query.add_to(group, language)
    review_search.add_to(group, language)
    review_import.add_to(group, language)
    review_copies.add_to(group, language)
    review_screen.add_to(group, language)
    review_decide.add_to(group, language)
    review_living.add_to(group, language)
    review_forms.add_to(group, language)
    review_consensus.add_to(group, language)
    review_report.add_to(group, language)
    review_export.add_to(group, language)
    app.add_typer(group, name="review")
