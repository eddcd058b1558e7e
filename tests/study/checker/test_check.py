# SPDX-License-Identifier: Apache-2.0
"""The checker finds what is wrong with real and invented figures, names what would fit, and lets honest ones pass."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.message import Message, Value
from sirolens.report.words import say
from sirolens.study.checker.findings import Weight
from sirolens.study.checker.p_values import p_values, signed_rank_p_values
from tests.interop.charts import CHINESE
from tests.study.checker.printed_figures import BAD, EXAMPLES, checked, entry, example, found, only, share


def codes(value: Value) -> list[str]:
    """Return the codes of the messages a value holds."""
    assert isinstance(value, tuple)
    return [one.code for one in value if isinstance(one, Message)]


# ---------------------------------------------------------------- real cases: clinical.md section 6


def test_the_seed_paper_of_2024_agrees_with_itself() -> None:
    result = example("bcf_2024")
    assert not result.of(*BAD)
    assert found(result, "sum-agrees").printed == "12"


def test_70_percent_of_2020_is_the_sum_of_rounded_parts() -> None:
    finding = found(example("feng_2020"), "sum-of-rounded")
    assert (finding.weight, finding.printed, finding.computed) == (Weight.EXPLAINED, "70", ("70.51",))
    assert [(fit.count, fit.of) for fit in finding.fits] == [(55, 78)]
    assert finding.message.values["parts"] == ("41", "29")
    assert finding.message.values["rounded"] == ("71",)


def test_the_denominator_of_2020_shifts_from_86_to_78() -> None:
    finding = found(example("feng_2020"), "denominator-shifts")
    assert (finding.printed, finding.message.values["before"], finding.message.values["change"]) == ("78", 86, -8)
    assert finding.computed[:2] == ("overall response 55/86 (64.0 %)", "complete remission 32/86 (37.2 %)")


def test_65_percent_at_12_months_fits_more_than_one_denominator() -> None:
    finding = found(example("feng_2020"), "denominator-open")
    assert {(fit.count, fit.of) for fit in finding.fits} == {(56, 86), (51, 78)}


def test_80_7_percent_of_63_of_78_is_cut_off_and_12_months_have_71() -> None:
    result = example("waiha_evans_nct05925023")
    finding = found(result, "percent-cut")
    assert (finding.weight, finding.printed, finding.computed) == (Weight.EXPLAINED, "80.7", ("80.769",))
    assert finding.message.values["rounded"] == ("80.8",)
    assert found(result, "denominator-shifts").printed == "71"


def test_76_4_percent_of_13_of_17_is_cut_off() -> None:
    assert found(example("acar_2024"), "percent-cut").computed == ("76.471",)


def test_13_with_complete_or_partial_and_13_with_complete_response_leave_none_partial() -> None:
    finding = found(example("acar_2024"), "part-left-empty")
    assert finding.weight is Weight.INCONSISTENT
    assert finding.message.values["unprinted"] == ("partial response",)
    assert finding.message.values["left"] == 0


def test_88_patients_of_2013_were_43_and_45_and_no_others() -> None:
    finding = found(example("li_2013"), "split-found")
    assert finding.computed == ("43 + 45",)


def test_the_sustained_response_of_2013_is_of_responders() -> None:
    result = example("li_2013")
    forced = found(result, "responders-only-forced", "rapamycin, sustained response")
    assert forced.weight is Weight.EXPLAINED
    assert [(fit.count, fit.of) for fit in forced.fits] == [(17, 25)]
    assert forced.computed == ("39.53",)
    other = found(result, "responders-only", "ciclosporin, sustained response")
    assert [(fit.count, fit.of) for fit in other.fits] == [(11, 28)]
    assert other.computed == ("24.44",)


def test_the_p_values_of_2013_come_from_the_chi_square_without_correction() -> None:
    # Anchors of clinical.md: OR 0.696; SR 0.037, Yates 0.070, Fisher 0.054; per arm 0.129, Fisher 0.171; AE 0.500.
    result = example("li_2013")
    assert found(result, "p-reproduced").computed[0] == "chi-square-uncorrected 0.696"
    sustained = found(result, "p-depends-on-test")
    assert sustained.computed[:3] == ("chi-square-uncorrected 0.037", "chi-square-corrected 0.070", "fisher 0.054")
    arms = found(result, "p-of-whole-groups-differs")
    assert (arms.computed[0], arms.computed[2]) == ("chi-square-uncorrected 0.129", "fisher 0.171")
    near = found(result, "p-near")
    assert (near.printed, near.message.values["nearest_p"]) == ("0.51", "0.500")


def test_61_completers_of_2020_split_into_no_halves_and_the_means_tell_30_and_30() -> None:
    result = example("mousavi_2020")
    assert found(result, "no-split").weight is Weight.IMPOSSIBLE
    finding = found(result, "means-do-not-add-up")
    assert (finding.printed, finding.computed) == ("61", ("60",))
    assert finding.message.values["parts"] == ("sirolimus 30", "ciclosporin 30")


def test_73_percent_fits_no_integer_of_12_but_8_of_11() -> None:
    finding = found(example("itp_evans_children_2017"), "percent-no-integer-elsewhere")
    assert finding.weight is Weight.IMPOSSIBLE
    assert (8, 11) in [(fit.count, fit.of) for fit in finding.fits]


def test_the_p_values_of_seven_patients_come_from_the_asymptotic_signed_rank_test() -> None:
    # clinical.md: n=7, rank sum 0 gives 0.0180, rank sum 1 gives 0.0280 (or n=6, all up, 0.0277); exact 0.0156.
    result = example("xie_2022")
    assert found(result, "paired-found", "platelets against baseline, 6 months").computed == (
        "n=7 W=0 asymptotic 0.0180",
    )
    assert found(result, "paired-found", "platelets against baseline, 1 month").computed == (
        "n=7 W=1 asymptotic 0.0280",
        "n=6 W=0 asymptotic 0.0277",
    )
    assert signed_rank_p_values(7)[0][1] == 2 / 2**7


@pytest.mark.parametrize("name", ["bcf_2024", "ctd_itp_2024", "li_h_2020", "waiha_evans_2023", "wu_2021", "xie_2022"])
def test_papers_that_agree_with_themselves_give_no_alarm(name: str) -> None:
    assert not example(name).of(*BAD, Weight.EXPLAINED)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_finding_is_said_in_both_languages_and_accuses_nobody(language: str, path: Path) -> None:
    for finding in example(path.stem).findings:
        text = say(finding.message, language)
        assert finding.code not in text
        assert finding.printed in text
        assert bool(CHINESE.search(text)) == (language == "zh")
        assert not [
            word for word in ("error", "wrong", "fraud", "mistake", "错误", "造假", "伪造") if word in text.lower()
        ]


# ---------------------------------------------------------------- each check by itself, invented figures


def test_an_impossible_percentage_is_said_plainly() -> None:
    finding = only(share(percent="61.3"))
    assert finding.code == "checker.percent-no-integer"
    assert "no integer of 20 gives 61.3 %" in say(finding.message, "en")
    assert "没有任何整数能得出 61.3%" in say(finding.message, "zh")


def test_a_percentage_over_100_and_a_count_over_its_denominator_are_impossible() -> None:
    assert only(share(percent="105")).code == "checker.percent-outside"
    assert only(share(count=21, of=20, percent="100")).code == "checker.count-above-denominator"


def test_a_count_and_percentage_that_differ_name_what_would_fit() -> None:
    finding = only(share(count=12, of=20, percent="65"))
    assert (finding.code, finding.computed) == ("checker.percent-disagrees", ("60.00",))
    assert [(fit.count, fit.of) for fit in finding.fits] == [(13, 20)]
    alone = only(share(count=12, of=20, percent="61.3"))
    assert alone.code == "checker.percent-disagrees-alone"


def test_a_percentage_that_many_counts_give_tells_how_many() -> None:
    # 1000 patients: 455 to 465 round to 46 % one way or the other.
    finding = only(share(percent="46"), size=1000)
    assert (finding.code, finding.message.values["ways"]) == ("checker.percent-fits-many", 11)
    assert [fit.count for fit in finding.fits] == [455, 465]
    wrong = only(share(count=500, of=1000, percent="46"), size=1000)
    assert [fit.count for fit in wrong.fits][:2] == [465, 464]


def test_another_printed_denominator_that_fits_is_named() -> None:
    body = share("response", count=15, of=20) + share("complete", count=10, of=20, percent="66.7")
    finding = found(checked(body), "percent-disagrees")
    assert ("response", 10, 15) in [(fit.name, fit.count, fit.of) for fit in finding.fits]


def test_a_count_without_denominator_is_given_those_that_fit() -> None:
    body = entry("groups", name="arm") + share(group="arm", count=6, percent="85.7")
    finding = only(body)
    assert (finding.code, [(fit.count, fit.of) for fit in finding.fits]) == ("checker.denominator-found", [(6, 7)])
    none = only(entry("groups", name="arm") + share(group="arm", count=6, percent="0"))
    assert none.code in ("checker.denominators-many", "checker.no-denominator")
    many = only(entry("groups", name="arm") + share(group="arm", count=50, percent="1"))
    assert many.code == "checker.denominators-many"


def test_a_percentage_that_is_only_cut_off_is_explained() -> None:
    finding = only(share(percent="76.4"), size=17)
    assert (finding.code, finding.weight) == ("checker.percent-cut-only", Weight.EXPLAINED)


def test_a_percentage_without_any_denominator_tells_the_smallest() -> None:
    finding = only(entry("groups", name="arm") + share(group="arm", percent="33.3"))
    assert [(fit.count, fit.of) for fit in finding.fits] == [(1, 3)]


def test_outcomes_said_to_be_of_each_other_have_no_denominator() -> None:
    body = share("a", percent="50", among="b") + share("b", percent="60", among="a")
    assert [finding.code for finding in checked(body).findings] == ["checker.no-size-printed"] * 2
    arms = entry("groups", name="A") + entry("groups", name="B")
    arms += entry("splits", whole="all", parts=["A", "B"], size="enrolled")
    alike = share(group="A", percent="50") + share(group="A", percent="50", among="response")
    assert found(checked(arms + alike + share(group="B", percent="50")), "split-open").printed == "20"


def test_sums_of_counts_and_of_percentages() -> None:
    parts = share("CR", count=6, of=20) + share("PR", count=6, of=20)
    total = {"sum_of": ["CR", "PR"]}
    assert found(checked(parts + share(count=13, of=20, **total)), "sum-differs").computed == ("12",)
    assert found(checked(parts + share(percent="60", **total)), "percent-agrees").weight is Weight.PASSED
    assert found(checked(parts + share(percent="65", **total)), "total-differs").computed == ("60.00",)
    percents = share("CR", percent="30") + share("PR", percent="30")
    assert found(checked(percents + share(percent="60", **total)), "percents-add-up").weight is Weight.PASSED
    assert found(checked(percents + share(percent="70", **total)), "percents-do-not-add-up").computed == ("60",)
    some = share("CR", count=6, of=20)
    assert found(checked(some + share(count=12, of=20, **total)), "left-over").message.values["left"] == 6
    assert found(checked(some + share(count=5, of=20, **total)), "sum-differs").printed == "5"


def test_a_part_is_not_larger_than_its_whole() -> None:
    body = share("OR", count=10, of=20) + share("CR", count=11, of=20, part_of="OR")
    assert found(checked(body), "part-above-whole").weight is Weight.IMPOSSIBLE
    body = share("OR", of=20, percent="50") + share("CR", of=20, percent="55", part_of="OR")
    assert found(checked(body), "part-above-whole").printed == "55 %"


def test_a_part_is_compared_with_its_whole_at_the_same_time_only() -> None:
    body = share("OR", time="3 months", percent="40") + share("CR", time="6 months", percent="55", part_of="OR")
    assert {finding.code for finding in checked(body).findings} == {"checker.percent-fits"}


def test_a_p_value_is_of_the_shares_at_its_time() -> None:
    arms = entry("groups", name="A") + entry("groups", name="B")
    for group in ("A", "B"):
        arms += share(group=group, time="3 months", count=5, of=10) + share(
            group=group, time="6 months", count=6, of=10
        )
    comparison = {"outcome": "response", "groups": ["A", "B"], "p": "1.00"}
    assert found(checked(arms + entry("comparisons", time="6 months", **comparison)), "p-reproduced").printed == "1.00"
    assert found(checked(arms + entry("comparisons", time="9 months", **comparison)), "p-counts-unknown")
    assert found(checked(arms + entry("comparisons", **comparison)), "p-counts-unknown")


def test_everybody_has_exactly_one_outcome() -> None:
    rest = entry("partitions", group="all", outcomes=["CR", "PR", "NR"])
    good = share("CR", count=6, of=20) + share("PR", count=6, of=20) + share("NR", count=8, of=20)
    assert found(checked(good + rest), "everyone-counted").weight is Weight.PASSED
    assert found(checked(good.replace("8", "7") + rest), "not-everyone-counted").computed == ("19",)
    percents = share("CR", percent="30") + share("PR", percent="30") + share("NR", percent="45")
    assert found(checked(percents + rest), "percents-miss-100").computed == ("105",)


def test_a_figure_printed_twice_must_be_the_same() -> None:
    body = share("CR", count=6, of=20) + share("CR", count=7, of=20)
    finding = found(checked(body), "printed-twice")
    assert (finding.printed, finding.computed, finding.message.values["line"]) == ("7", ("6",), 6)
    assert not checked(share("CR", percent="30") + share("CR", percent="30.0")).of(*BAD)
    assert found(checked(share("CR", percent="30") + share("CR", percent="35")), "printed-twice").printed == "35"


def test_groups_add_up_to_the_whole() -> None:
    groups = entry("groups", name="A") + "[groups.sizes]\nenrolled = 9\n"
    groups += entry("groups", name="B") + "[groups.sizes]\nenrolled = 10\n"
    split = entry("splits", whole="all", parts=["A", "B"], size="enrolled")
    assert found(checked(groups + split), "sizes-do-not-add-up").computed == ("19",)
    assert found(checked(groups + split, size=19), "sizes-add-up").weight is Weight.PASSED
    outcome = share(count=12, of=19) + share(group="A", count=5, of=9) + share(group="B", count=6, of=10)
    assert found(checked(groups + split + outcome, size=19), "groups-do-not-add-up").computed == ("11",)


def two_groups(k1: int, n1: int, k2: int, n2: int, **values: object) -> str:
    groups = entry("groups", name="A") + entry("groups", name="B")
    shares = share(group="A", count=k1, of=n1) + share(group="B", count=k2, of=n2)
    return groups + shares + entry("comparisons", outcome="response", groups=["A", "B"], **values)


@pytest.mark.parametrize(
    ("p", "test", "code"),
    [
        ("0.037", "", "p-reproduced"),
        ("0.070", "chi-square-corrected", "p-reproduced"),
        ("0.037", "chi-square", "p-reproduced"),
        ("0.070", "fisher", "p-other-test"),
        ("0.054", "fisher", "p-reproduced"),
        ("0.20", "", "p-not-reproduced"),
        ("0.20", "fisher", "p-not-reproduced"),
        ("0.055", "fisher", "p-near"),
        ("<0.05", "", "p-depends-on-test"),
        ("<0.05", "fisher", "p-other-test"),
        (">0.05", "fisher", "p-depends-on-test"),
        ("<0.2", "", "p-reproduced"),
    ],
)
def test_a_p_value_is_recomputed_under_the_tests_in_use(p: str, test: str, code: str) -> None:
    named = {"test": test} if test else {}
    assert found(checked(two_groups(17, 25, 11, 28, p=p, **named)), code).printed == p


def test_three_groups_have_a_chi_square_and_an_exact_test() -> None:
    # Oracle: SciPy, without this package.
    from scipy.stats import chi2_contingency

    table = [(12, 8), (5, 15), (9, 11)]
    values = p_values(table)
    assert set(values) == {"chi-square-uncorrected", "fisher"}
    assert values["chi-square-uncorrected"] == pytest.approx(chi2_contingency(table).pvalue, rel=1e-12)


def test_the_mid_p_and_likelihood_ratio_agree_with_scipy() -> None:
    # Oracle: SciPy's hypergeometric probabilities and its power-divergence test with lambda 0.
    from scipy.stats import chi2_contingency, fisher_exact, hypergeom

    table = [(17, 8), (11, 17)]
    values = p_values(table)
    observed = float(hypergeom(53, 28, 25).pmf(17))
    assert values["mid-p"] == pytest.approx(fisher_exact(table).pvalue - observed / 2, rel=1e-9)
    g = chi2_contingency(table, correction=False, lambda_="log-likelihood")
    assert values["likelihood-ratio"] == pytest.approx(g.pvalue, rel=1e-12)


def test_p_values_that_cannot_be_recomputed_are_said_to_be() -> None:
    unknown = entry("groups", name="A") + entry("groups", name="B")
    unknown += share(group="A", percent="50") + share(group="B", percent="40")
    unknown += entry("comparisons", outcome="response", groups=["A", "B"], p="0.5")
    assert found(checked(unknown), "p-counts-unknown").weight is Weight.NOTE
    assert found(checked(two_groups(0, 9, 0, 9, p="1")), "p-undefined").weight is Weight.NOTE


@pytest.mark.parametrize("n", [3, 5, 8, 12])
def test_the_signed_rank_p_values_agree_with_scipy(n: int) -> None:
    # Oracle: SciPy's exact and uncorrected asymptotic signed-rank test of differences 1..n with chosen signs.
    from scipy.stats import wilcoxon

    values = signed_rank_p_values(n)
    for negative in range(n + 1):
        differences = [-(i + 1) if i < negative else i + 1 for i in range(n)]
        below = sum(-d for d in differences if d < 0)
        w = min(below, n * (n + 1) // 2 - below)
        assert values[w][1] == pytest.approx(wilcoxon(differences, method="exact").pvalue, rel=1e-12)
        uncorrected = wilcoxon(differences, method="asymptotic", correction=False).pvalue
        assert values[w][0] == pytest.approx(uncorrected, rel=1e-9)


def test_a_p_value_too_small_for_so_few_pairs_is_impossible() -> None:
    assert only(entry("paired_tests", what="platelets", n=5, p="<0.001")).code == "checker.paired-too-small"
    assert only(entry("paired_tests", what="platelets", n=20, p="<0.001")).code == "checker.paired-possible"
    assert only(entry("paired_tests", what="platelets", n=4, p="0.001")).code == "checker.paired-not-found"


@pytest.mark.parametrize(
    ("k", "n", "interval", "method"),
    [
        # Anchors of clinical.md section 6: Clopper-Pearson and, for seed 1, Wilson.
        (12, 20, ("36.05", "80.88"), "clopper-pearson"),
        (12, 20, ("38.66", "78.12"), "wilson"),
        (6, 20, ("11.89", "54.28"), "clopper-pearson"),
        (6, 20, ("14.55", "51.90"), "wilson"),
        (73, 86, ("75.54", "91.70"), "clopper-pearson"),
        (34, 86, ("29.15", "50.66"), "clopper-pearson"),
        (39, 86, ("34.58", "56.45"), "clopper-pearson"),
        (55, 78, ("59.11", "80.30"), "clopper-pearson"),
        (32, 78, ("30.01", "52.75"), "clopper-pearson"),
        (23, 78, ("19.70", "40.89"), "clopper-pearson"),
        (28, 45, ("46.54", "76.23"), "clopper-pearson"),
        (38, 45, ("70.54", "93.51"), "clopper-pearson"),
        (8, 12, ("34.89", "90.08"), "clopper-pearson"),
        (6, 7, ("42.13", "99.64"), "clopper-pearson"),
        (12, 16, ("47.62", "92.73"), "clopper-pearson"),
        (35, 44, ("64.70", "90.20"), "clopper-pearson"),
        (12, 12, ("73.54", "100"), "clopper-pearson"),
        (0, 20, ("0", "16.84"), "clopper-pearson"),
    ],
)
def test_an_interval_is_recomputed_under_the_methods_in_use(
    k: int, n: int, interval: tuple[str, str], method: str
) -> None:
    finding = found(checked(share(count=k, of=n, interval=list(interval))), "interval-reproduced")
    assert f"checker.method-{method}" in codes(finding.message.values["holding"])


def test_intervals_by_another_method_or_none_are_told_apart() -> None:
    wilson = ["38.66", "78.12"]
    body = share(count=12, of=20, interval=wilson, method="clopper-pearson")
    assert found(checked(body), "interval-other-method").weight is Weight.EXPLAINED
    assert found(checked(share(count=12, of=20, interval=["30", "70"])), "interval-not-reproduced").weight in BAD
    body = share(count=12, of=20, percent="60", interval=["62", "78"])
    assert found(checked(body), "interval-misses").weight is Weight.IMPOSSIBLE
    body = entry("groups", name="arm") + share(group="arm", percent="60", interval=["40", "78"])
    assert found(checked(body), "interval-counts-unknown").weight is Weight.NOTE
    # Oracle: the closed forms by hand. Wald 12/20: 0.6 -/+ 1.96 sqrt(0.6 * 0.4 / 20) = 38.5 to 81.5 %.
    finding = found(checked(share(count=12, of=20, interval=["38.5", "81.5"])), "interval-reproduced")
    assert codes(finding.message.values["holding"]) == ["checker.method-wald"]


def mean(**values: object) -> str:
    return entry("means", group="all", quantity="relapses", **values)


def test_means_and_deviations_of_whole_numbers() -> None:
    assert only(mean(mean="3.46", n=20)).code == "checker.mean-impossible"
    assert only(mean(mean="3.45", n=20)).code == "checker.mean-fits"
    assert only(mean(mean="3.4", n=20)).code == "checker.mean-untestable"
    assert only(mean(mean="3.33", n=12)).code == "checker.mean-fits"
    assert only(mean(mean="3.41", n=12)).code == "checker.mean-cut"
    assert only(mean(mean="2.00", sd="0.50", n=3)).code == "checker.sd-impossible"
    assert only(mean(mean="2.00", sd="1.00", n=3)).code == "checker.mean-fits"
    assert only(mean(mean="2.37", n_from=3, n_to=5)).code == "checker.mean-no-size"


# ---------------------------------------------------------------- properties


@given(st.integers(1, 1000), st.data(), st.integers(0, 3), st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN]))
@settings(deadline=None, max_examples=100)
def test_an_honest_table_gives_no_alarm(size: int, data: st.DataObject, decimals: int, rounding: str) -> None:
    complete = data.draw(st.integers(0, size))
    partial = data.draw(st.integers(0, size - complete))

    def percent(count: int) -> str:
        exact = Decimal(100 * count) / Decimal(size)
        return format(exact.quantize(Decimal(1).scaleb(-decimals), rounding=rounding), "f")

    body = share("CR", count=complete, of=size, percent=percent(complete))
    body += share("PR", count=partial, of=size, percent=percent(partial))
    body += share("NR", percent=percent(size - complete - partial))
    body += share("OR", count=complete + partial, percent=percent(complete + partial), sum_of=["CR", "PR"])
    body += entry("partitions", group="all", outcomes=["OR", "NR"])
    assert not checked(body, size=size).of(*BAD, Weight.EXPLAINED)


@given(st.integers(1, 1000), st.integers(0, 1000))
@settings(deadline=None, max_examples=100)
def test_every_percentage_is_told_to_fit_or_not_as_trying_every_count_tells(size: int, tenths: int) -> None:
    # Oracle: brute force over all counts, by integers alone.
    text = f"{tenths / 10:.1f}"
    fits = any(abs(2 * (1000 * k - tenths * size)) <= size for k in range(size + 1))
    cut = any(tenths * size <= 1000 * k < (tenths + 1) * size for k in range(size + 1))
    expected = Weight.PASSED if fits else Weight.EXPLAINED if cut else Weight.IMPOSSIBLE
    assert only(share(percent=text), size=size).weight is expected
