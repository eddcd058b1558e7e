# SPDX-License-Identifier: Apache-2.0
"""The design in a study report: where the two stages stand, and the rate in the light of an earlier one."""

from __future__ import annotations

from sirolens.message import Message, info, warning
from sirolens.report.document import Cell, Findings, Heading, Paragraph
from sirolens.study.cohort.analysis import Analysis
from sirolens.study.cohort.design import DesignReading, DesignState
from sirolens.study.page_parts import NamedTable, Part, p_value, percent_interval, share_text, table_of

__all__ = ["design_parts", "prior_parts"]


def design_parts(analysis: Analysis) -> list[Part]:
    """Show the design the study was planned by, and what it allows to say."""
    found = analysis.design
    if found is None:
        return []
    asked = found.asked
    said = info(
        "study.design-asked",
        p0_percent=100 * asked.p0,
        p1_percent=100 * asked.p1,
        alpha=asked.alpha,
        beta=asked.beta,
        kind=info(f"study.design-{asked.kind}"),
        outcome=info(f"study.rate-of-{asked.outcome}"),
        day=analysis.protocol.primary_landmark_d,
    )
    heading = Heading(text=info("study.design"))
    if found.design is None:
        return [heading, Paragraph(sentences=(said, info("study.design-no-design")))]
    return [heading, Paragraph(sentences=(said,)), Findings(messages=_state(found)), _table(found)]


def _state(found: DesignReading) -> tuple[Message, ...]:
    make = warning if found.state is DesignState.WENT_ON else info
    said = [make(f"study.design-state-{found.state.value}", responders=found.responders, judged=found.judged)]
    if found.predictive is not None:
        predictive = found.predictive
        said.append(
            info(
                "study.design-predictive",
                success_probability=predictive.success,
                needed=max(predictive.needed, 0),
                remaining=predictive.remaining,
            )
        )
    if found.beyond:
        said.append(info("study.design-beyond", patients=found.beyond))
    return tuple(said)


def _table(found: DesignReading) -> NamedTable:
    design, single, result = found.design, found.single, found.result
    assert design is not None
    rows: list[list[Cell]] = [
        [info("study.design-rule"), info("study.design-rule-text", r1=design.r1, n1=design.n1, r=design.r, n=design.n)],
        [
            info("study.design-errors"),
            info("study.design-errors-text", alpha=_short(design.alpha), power=_short(design.power)),
        ],
        [info("study.design-expected"), round(design.expected_n, 2)],
    ]
    if single is not None:
        rows.append([info("study.design-single"), info("study.design-single-text", n=single.n, r=single.r)])
    if result is not None:
        text = info(
            "study.design-interval-text",
            low=round(100 * result.interval.low, 1),
            high_percent=100 * result.interval.high,
        )
        rows += [
            [info("study.design-naive"), info("study.percent", share_percent=100 * result.naive)],
            [info("study.design-unbiased"), info("study.percent", share_percent=100 * result.unbiased)],
            [info("study.design-interval"), text],
            [info("study.design-p"), p_value(result.p_value)],
            [info("study.design-effect"), result.effect],
        ]
    columns = [(info("study.column-measure"), "measure"), (info("study.column-value"), "value_of")]
    table = table_of(columns, rows, caption=info("study.design-caption"), notes=(info("study.design-note"),))
    return NamedTable(name="design", table=table)


def _short(value: float) -> float:
    return round(value, 4)


def prior_parts(analysis: Analysis) -> list[Part]:
    """Show the rate in the light of an earlier one, with several weights."""
    found = analysis.updated
    if found is None:
        return []
    old = found.historical
    said = info(
        "study.prior-what",
        name=old.name,
        before=f"{old.responders}/{old.patients}",
        now=share_text(found.own),
        outcome=info(f"study.rate-of-{old.outcome}"),
        day=analysis.protocol.primary_landmark_d,
    )
    higher = info("study.prior-higher", higher_probability=found.compared.higher_probability)
    columns = [
        (info("study.column-weight"), "weight_percent"),
        (info("study.column-borrowed"), "borrowed"),
        (info("study.column-rate"), "rate_percent"),
    ]
    rows: list[list[Cell]] = [
        [100 * one.weight, round(one.borrowed, 1), percent_interval(one.mean, one.interval)] for one in found.updates
    ]
    robust = found.robust
    rows.append(
        [
            None,
            info("study.prior-robust", share_percent=100 * robust.posterior_weight),
            percent_interval(robust.mean, robust.interval),
        ]
    )
    table = table_of(columns, rows, caption=info("study.prior-caption"), notes=(info("study.prior-weights"),))
    return [
        Heading(text=info("study.prior")),
        Paragraph(sentences=(said, higher)),
        NamedTable(name="historical", table=table),
    ]
