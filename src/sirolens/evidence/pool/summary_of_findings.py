# SPDX-License-Identifier: Apache-2.0
"""From a pooled outcome and its certainty to a row of the summary of findings: patients per 100, with both intervals.

Single arms: the pooled share. Comparisons (risk ratio RR): with the control treatment c = sum k / sum n of the control
arms; with the treatment c RR; the difference c (RR - 1), each with the limits of RR put in.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

from sirolens.errors import InputError
from sirolens.evidence.appraisal.grade import Certainty, Comparison, SummaryRow, summary_row
from sirolens.evidence.pool.pooled import Pooled
from sirolens.message import error

__all__ = ["summary_of_pool"]

SHARE, RATIO = "share", "RR"
CARRIED = ("pooling.criteria-", "pooling.populations-", "pooling.partners-")
"""What a pool says that its row must say too: which rows should perhaps not stand in one sum."""


def summary_of_pool(certainty: Certainty, pooled: Pooled) -> SummaryRow:
    """Make the row of one pooled outcome; with one study that study's own estimate stands.

    Parameters
    ----------
    certainty : Certainty
    pooled : Pooled
        Shares of single arms, or risk ratios.

    Raises
    ------
    InputError
        ``appraisal.other-effect`` for another effect than a share or a risk ratio.

    Examples
    --------
    >>> from sirolens.evidence.appraisal.grade import DOWN, UP, Rating, certify
    >>> from sirolens.evidence.extraction.outcome import OutcomeRow
    >>> from sirolens.evidence.extraction.studies import Design
    >>> from sirolens.evidence.pool.synthesis import pool
    >>> same = [Rating(domain=domain, rating="not-serious", reason="looked at") for domain in DOWN]
    >>> same += [Rating(domain=domain, rating="none", reason="no comparison") for domain in UP]
    >>> rows = [OutcomeRow(study="a", outcome="OR", timepoint="3m", k=12, n=20)]
    >>> row = summary_of_pool(certify(same, design=Design.SINGLE_ARM), pool(rows, outcome="OR", timepoint="3m"))
    >>> row.studies, row.k, row.n, round(row.per_100, 1), round(row.low_per_100, 1)
    (1, 12, 20, 60.0, 36.1)
    """
    row = _comparison_row(certainty, pooled) if pooled.effect != SHARE else _share_row(certainty, pooled)
    carried = tuple(message for message in pooled.messages if message.code.startswith(CARRIED))
    return replace(row, messages=(*row.messages, *carried))


def _numbers(pooled: Pooled) -> tuple[int, int]:
    rows = [one.row for one in pooled.studies]
    return int(sum(row.k or 0 for row in rows)), int(sum(row.n or 0 for row in rows))


def _share_row(certainty: Certainty, pooled: Pooled) -> SummaryRow:
    line = pooled.main if pooled.main is not None else pooled.studies[0]
    prediction = None if pooled.main is None else pooled.main.prediction
    predicted = None
    if prediction is not None and isfinite(prediction.low) and isfinite(prediction.high):
        predicted = (prediction.low, prediction.high)
    k, n = _numbers(pooled)
    return summary_row(
        certainty,
        studies=pooled.k,
        k=k,
        n=n,
        estimate=line.estimate,
        low=line.interval.low,
        high=line.interval.high,
        predicted=predicted,
    )


def _comparison_row(certainty: Certainty, pooled: Pooled) -> SummaryRow:
    if pooled.effect != RATIO:
        raise InputError(error("appraisal.other-effect", value=pooled.effect, expected=f"{SHARE}, {RATIO}"))
    line = pooled.main if pooled.main is not None else pooled.studies[0]
    interval = line.interval
    k, n = _numbers(pooled)
    controls = [one.control for one in pooled.studies if one.control is not None]
    share = sum(row.k or 0 for row in controls) / sum(row.n or 0 for row in controls)
    limits = [min(1.0, share * value) for value in (interval.low, line.estimate, interval.high)]
    comparison = Comparison(
        measure=RATIO,
        estimate=line.estimate,
        low=interval.low,
        high=interval.high,
        control_per_100=100 * share,
        difference_per_100=100 * (limits[1] - share),
        difference_low=100 * (limits[0] - share),
        difference_high=100 * (limits[2] - share),
    )
    return summary_row(
        certainty,
        studies=pooled.k,
        k=k,
        n=n,
        estimate=limits[1],
        low=limits[0],
        high=limits[2],
        comparison=comparison,
    )
