# SPDX-License-Identifier: Apache-2.0
"""Assays are related only where a source gives a figure; every other step, and every change, is flagged."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirolens.dosing.assay import BIAS, chain, changes, relation
from sirolens.message import Severity

NAMES = ("lc-ms/ms", "hplc-uv", "cmia", "emit", "meia", "fpia", "acmia", "eclia", "unknown")
EXACT = 1e-12  # products and quotients of two floats
JANUARY = datetime(2026, 1, 5, 8, tzinfo=UTC)


def test_cmia_reads_22_percent_above_mass_spectrometry_as_the_long_term_survey_prints() -> None:
    # Oracle: the printed figure, +21.9 +/- 12.3 %.
    link = relation("lc-ms/ms", "cmia")
    assert link.factor == pytest.approx(1.219, abs=EXACT)
    assert link.log_sd == pytest.approx(0.123 / 1.219, abs=EXACT)
    assert any(source.pmid == "19563794" for source in link.sources)


def test_the_three_printed_sites_lie_within_the_spread_that_is_used() -> None:
    link = relation("lc-ms/ms", "cmia")
    for site in (1.14, 1.25, 1.39):  # PMID 19563794
        assert abs(math.log(site / link.factor)) < 2.0 * link.log_sd


@given(st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_there_and_back_is_where_one_started(one: str, other: str) -> None:
    there, back = relation(one, other), relation(other, one)
    assert there.known == back.known
    assert there.factor * back.factor == pytest.approx(1.0, abs=EXACT)
    assert there.log_sd == back.log_sd


@given(st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_without_a_figure_no_number_moves(one: str, other: str) -> None:
    link = relation(one, other)
    if not link.known:
        assert (link.factor, link.log_sd) == (1.0, 0.0)


def test_an_unknown_assay_is_not_the_same_as_another_unknown_one() -> None:
    assert not relation("unknown", "unknown").known
    assert relation("emit", "emit").known


def test_meia_has_two_sources_that_disagree_and_is_not_converted() -> None:
    link = relation("meia", "lc-ms/ms")
    assert not link.known
    assert len(BIAS["meia"].sources) == 2
    assert set(BIAS["meia"].sources) <= set(link.sources)


def test_every_link_of_the_chain_that_is_not_identical_is_said() -> None:
    links = chain(laboratory="cmia", model="hplc-uv", model_name="jiao_2009", target="fpia")
    assert [message.code for message in links.messages] == ["assay.model-converted", "assay.target-unrelated"]
    assert links.model.factor == pytest.approx(1.219, abs=EXACT)
    assert links.target.factor == 1.0
    assert chain(laboratory="cmia", model="cmia", model_name="m", target="cmia").messages == ()


def test_switching_conversion_off_leaves_numbers_and_keeps_flags() -> None:
    links = chain(laboratory="cmia", model="hplc-uv", model_name="jiao_2009", target="lc-ms/ms", convert=False)
    assert links.model.factor == links.target.factor == 1.0
    assert [message.code for message in links.messages] == ["assay.model-unrelated", "assay.target-unrelated"]


def test_h8_every_change_of_assay_is_flagged_and_no_change_is_not() -> None:
    days = [JANUARY + timedelta(days=7 * week) for week in range(5)]
    flags = changes(zip(days, ["cmia", "cmia", "lc-ms/ms", "emit", "emit"], strict=True))
    assert [(flag.code, flag.values["at"]) for flag in flags] == [
        ("assay.changed", days[2]),
        ("assay.changed-unrelated", days[3]),
    ]
    assert all(flag.severity is Severity.WARNING for flag in flags)
