# SPDX-License-Identifier: Apache-2.0
"""Asks of a paper's printed figures whether they can stand beside each other, and what would fit where they cannot.

It finds arithmetic, never intent. What it can and cannot say is in ``docs/check.md``, with real cases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from sirolens.study.checker.counts import work_out
from sirolens.study.checker.findings import Finding, Weight
from sirolens.study.checker.intervals import check_intervals
from sirolens.study.checker.means import check_means
from sirolens.study.checker.p_values import check_p_values
from sirolens.study.checker.proportions import check_shares
from sirolens.study.checker.published import Published
from sirolens.study.checker.splits import check_splits
from sirolens.study.checker.sums import check_sums

__all__ = ["Checked", "check"]

_ORDER = tuple(Weight)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came out of a check.

    Parameters
    ----------
    published : Published
        What was checked.
    findings : tuple of Finding
        The heaviest first; those of one weight in the order of the file.
    """

    published: Published
    findings: tuple[Finding, ...]

    @property
    def tally(self) -> Mapping[Weight, int]:
        """How many findings there are of each weight, all weights named."""
        found = Counter(finding.weight for finding in self.findings)
        return {weight: found[weight] for weight in _ORDER}

    def of(self, *weights: Weight) -> tuple[Finding, ...]:
        """Return the findings of some weights."""
        return tuple(finding for finding in self.findings if finding.weight in weights)


def check(published: Published) -> Checked:
    """Check a paper's figures.

    Parameters
    ----------
    published : Published
        From `sirolens.study.published_file.read_published`.

    Returns
    -------
    Checked
        Every finding, also of what fits.

    Examples
    --------
    >>> from sirolens.study.checker.published_file import read_published
    >>> text = '''
    ... title = "Invented"
    ... source = { title = "Invented example", mark = "assumed", place = "none" }
    ... [[groups]]
    ... name = "all"
    ... sizes = { enrolled = 20 }
    ... [[proportions]]
    ... group = "all"
    ... outcome = "response"
    ... percent = "61.3"
    ... '''
    >>> [finding.code for finding in check(read_published(text, "a.toml").published).findings]
    ['checker.percent-no-integer']
    """
    counts = work_out(published)
    findings = [
        finding
        for look in (check_shares, check_sums, check_splits, check_intervals, check_p_values, check_means)
        for finding in look(counts)
    ]
    findings.sort(key=lambda finding: (_ORDER.index(finding.weight), finding.line))
    return Checked(published=published, findings=tuple(findings))
