# SPDX-License-Identifier: Apache-2.0
"""The study report: every size and every kind of emptiness renders; its numbers are the anchors and the verdicts."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from sirolens.chart import BleedingAsked, Chart, Consent, Prescription, Therapy
from sirolens.errors import InputError, UnknownNameError
from sirolens.message import Message
from sirolens.regimen import Every, daily
from sirolens.report.html import page
from sirolens.report.pdf import render
from sirolens.report.worded import texts, worded
from sirolens.response.cohort import Cohort
from sirolens.response.criteria import load
from sirolens.study.analysis_json import tables_json
from sirolens.study.cohort.analysis import Analysis, analyse
from sirolens.study.cohort.baseline import prior_drugs
from sirolens.study.cohort.protocol import Design, Historical, StudyProtocol
from sirolens.study.cohort_page.page import study_document, study_tables
from tests.study import cohorts

IWG = load("iwg-2009")
FULL = StudyProtocol(
    historical=Historical(name="earlier", responders=11, patients=24), design=Design(p0=0.3, p1=0.6, kind="minimax")
)
PRINTED = 0.005  # percent: the anchors are printed to two decimals


def _all(kind: tuple[float, ...], count: int = 20) -> tuple[Chart, ...]:
    return tuple(cohorts.chart(index, kind) for index in range(count))


@cache
def _cohorts() -> dict[str, Cohort]:
    nothing = tuple(replace(cohorts.chart(i, ()), courses=(), platelet_counts=(), bleedings=()) for i in range(20))
    no_counts = tuple(cohorts.chart(index, (), baseline=None) for index in range(20))
    return {
        "one": cohorts.cohort(cohorts.mixed(1)),
        "two": cohorts.cohort(cohorts.mixed(2), arms=2),
        "twenty": cohorts.cohort(cohorts.mixed(20), declared=True),
        "twenty-two-arms": cohorts.cohort(cohorts.mixed(20), arms=2, declared=True),
        "everybody-responds": cohorts.cohort(_all(cohorts.COMPLETE)),
        "nobody-responds": cohorts.cohort(_all(cohorts.NONE), arms=2),
        "every-response-is-lost": cohorts.cohort(_all(cohorts.LOST)),
        "everything-missing": cohorts.cohort(nothing),
        "no-counts": cohorts.cohort(no_counts, arms=2),
        "one-without-anything": cohorts.cohort(nothing[:1]),
    }


@cache
def _analysed(name: str) -> Analysis:
    return analyse(_cohorts()[name], IWG, FULL)


def _texts(analysis: Analysis, language: str) -> str:
    """Every text of the report, those inside its figures too."""
    said = worded(study_document(analysis, version="0", language=language), language)
    drawn = (json.dumps(one.spec(language, None), ensure_ascii=False) for one in said.drawings.values())
    return "\n".join((*texts(said), *drawn))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", list(_cohorts()))
def test_a_report_of_any_size_and_emptiness_is_told_without_an_untranslated_code(name: str, language: str) -> None:
    text = _texts(_analysed(name), language)
    assert not re.findall(r"\b(?:study|figures|safety|cells)\.[a-z0-9-]+", text)
    assert not re.search(r"\b(?:nan|NaN|None)\b", text)


@pytest.mark.parametrize("name", ["one", "twenty-two-arms", "everything-missing"])
def test_a_report_renders_as_a_page_with_its_figures(name: str) -> None:
    document = study_document(_analysed(name), version="0", language="en")
    assert page(document, "en").count("<figure") == len(worded(document, "en").drawings)


@pytest.mark.parametrize("name", ["one", "twenty-two-arms"])
def test_a_report_lays_out_as_pdf_without_a_warning(name: str) -> None:
    # `render` refuses a layout that warns, such as of a sign the font does not have.
    assert render(study_document(_analysed(name), version="0", language="zh"), "zh")[:5] == b"%PDF-"


def test_prior_drugs_are_not_counted_where_nobody_recorded_what_one_was_for() -> None:
    one = cohorts.mixed(1)[0]
    assert prior_drugs(one) == 1
    untold = tuple(replace(therapy, role="unknown") for therapy in one.therapies)
    assert prior_drugs(replace(one, therapies=untold)) is None
    assert prior_drugs(replace(one, therapies=())) is None


def test_what_is_not_recorded_of_events_stands_beside_in_the_tables_and_is_never_no() -> None:
    # Every fourth of the twenty has one event, related, of which nobody recorded seriousness or action.
    charts = [
        replace(one, prescriptions=tuple(Prescription(at=c.at, recorded=c.at, regimen=daily(2)) for c in one.courses))
        for one in cohorts.mixed(20)
    ]
    tables = study_tables(analyse(cohorts.cohort(charts), IWG), language="en")
    kinds = {row[0].code: row[1] for row in tables["adverse-events"].rows if isinstance(row[0], Message)}
    assert (kinds["study.event-serious"], kinds["study.event-seriousness-unknown"]) == ("0/20", "5/20")
    assert (kinds["study.event-stopped"], kinds["study.event-stopping-unknown"]) == ("0/20", "5/20")
    assert not {"study.event-not-serious", "study.event-not-stopped"} & set(kinds)
    for name in ("adverse-event-terms", "adverse-event-arms"):
        table = tables[name]
        row = dict(zip((column.name for column in table.columns), table.rows[0], strict=True))
        wanted = {"serious": 0, "seriousness_unknown": 5, "related": 5, "relation_unknown": 0, "ungraded": 0}
        assert {head: row[head] for head in wanted} == wanted


def test_five_thousand_patients_make_a_page_a_person_can_open() -> None:
    single = replace(FULL, events_per_variable=math.inf)  # the model of all factors has its own test
    analysis = analyse(cohorts.cohort(cohorts.mixed(5000, full=False), arms=2), IWG, single)
    text = page(study_document(analysis, version="0", language="en"), "en")
    assert len(text) < 8_000_000
    assert len(study_tables(analysis, language="en")["patients"].rows) == 5000
    assert text.count("P-0") < 200  # a list of so many is exported, not printed


def _rates(analysis: Analysis, outcome: str, population: str = "due") -> tuple[int, int, float, float]:
    assert analysis.primary is not None
    rate = analysis.primary.of(population, outcome)
    return rate.k, rate.n, 100 * rate.exact.low, 100 * rate.exact.high


def test_the_twenty_patients_rates_and_intervals_come_out_of_charts_that_have_them() -> None:
    # Oracle: clinical.md section 6: 12/20 36.05-80.88, 6/20 11.89-54.28 (Clopper-Pearson).
    kinds = (cohorts.COMPLETE,) * 6 + (cohorts.RESPONSE,) * 6 + (cohorts.NONE,) * 8
    charts = tuple(cohorts.chart(index, kind) for index, kind in enumerate(kinds))
    analysis = analyse(cohorts.cohort(charts), IWG)
    assert _rates(analysis, "overall") == pytest.approx((12, 20, 36.05, 80.88), abs=PRINTED)
    assert _rates(analysis, "complete") == pytest.approx((6, 20, 11.89, 54.28), abs=PRINTED)
    by_study = {
        (one.published.key, one.published.outcome, one.published.landmark_d): one for one in analysis.comparisons
    }
    # Seed 1 against Feng at 3 months, two-sided Fisher: OR P=0.0249, CR P=0.609.
    assert by_study["feng-2020", "overall", 91].test.p_value == pytest.approx(0.0249, abs=0.00005)
    assert by_study["feng-2020", "complete", 91].test.p_value == pytest.approx(0.609, abs=0.0005)


def test_a_missing_landmark_is_no_response_of_everyone_due_and_leaves_the_observed() -> None:
    gap = replace(
        cohorts.chart(5, cohorts.COMPLETE),
        platelet_counts=tuple(
            c for k, c in enumerate(cohorts.chart(5, cohorts.COMPLETE).platelet_counts) if k not in (4, 5, 6)
        ),
    )
    analysis = analyse(cohorts.cohort((*_all(cohorts.COMPLETE, 5), gap)), IWG)
    assert _rates(analysis, "overall")[:2] == (5, 6)
    assert _rates(analysis, "overall", "observed")[:2] == (5, 5)
    assert analysis.primary is not None
    assert analysis.primary.missing == 1


def test_who_is_not_due_yet_leaves_the_denominator() -> None:
    young = cohorts.chart(9, (120.0, 130.0), start=cohorts.CUT - timedelta(days=40))
    analysis = analyse(cohorts.cohort((*_all(cohorts.NONE, 3), young)), IWG)
    assert analysis.primary is not None
    assert (analysis.primary.not_due, analysis.primary.of("due").n) == (1, 3)


def test_bleeding_that_nobody_asked_about_is_told_beside_and_is_no_response() -> None:
    charts = tuple(cohorts.chart(i, cohorts.COMPLETE, bleeding=BleedingAsked.NOT_ASKED) for i in range(4))
    analysis = analyse(cohorts.cohort(charts), IWG)
    assert analysis.primary is not None
    assert analysis.primary.platelets_only == 4
    assert _rates(analysis, "overall")[:2] == (0, 4)
    assert analysis.primary.of("observed").n == 0


def test_the_reported_response_is_compared_and_never_used() -> None:
    # The first chart of NONE carries a reported complete response at day 91.
    analysis = analyse(cohorts.cohort(_all(cohorts.NONE, 3)), IWG)
    (one,) = analysis.contradictions
    assert (one.patient, one.reported.written, one.found.value) == ("P-0001", "CR", "no-response")
    assert _rates(analysis, "complete")[:2] == (0, 3)


def test_the_order_of_the_patients_changes_no_table_but_the_list_of_them() -> None:
    charts = cohorts.mixed(20)
    forward = study_tables(analyse(cohorts.cohort(charts), IWG), language="en")
    backward = cohorts.cohort(charts[::-1])
    found = study_tables(analyse(replace(backward, reported=cohorts.cohort(charts).reported), IWG), language="en")
    by_patient = {"patients", "exposure-patients", "cells-points"}
    for name in forward.keys() - by_patient:
        assert tables_json({name: forward[name]}, "en", "UTC") == tables_json({name: found[name]}, "en", "UTC"), name


def test_a_rescue_before_the_landmark_fails_the_composite_and_not_the_treatment_policy() -> None:
    one = cohorts.chart(0, cohorts.COMPLETE)
    given = one.courses[0].at + timedelta(days=70)
    rescued = replace(
        one,
        therapies=(
            Therapy(at=given, recorded=given, stop=given + timedelta(hours=6), drug="immunoglobulin", role="rescue"),
        ),
    )
    analysis = analyse(cohorts.cohort((rescued,)), IWG)
    ks = {r.estimand: r.of("due").k for r in analysis.rates if r.landmark_d == 91}
    assert ks["composite"] == 0
    assert ks["policy"] == 1
    to_response, _, duration, _ = analysis.times
    assert duration.times.cause.tolist() == [2]  # ended by treatment, not by counts
    assert to_response.times.cause.tolist() == [1]


def test_time_to_response_and_its_competing_risk_add_up_to_everybody() -> None:
    # Oracle: without censoring Aalen-Johansen is the share by that day: 10 of 20 respond, the others never end.
    analysis = _analysed("twenty")
    incidence = analysis.times[0].incidence
    total = sum(float(one.incidence[-1]) for one in incidence.causes) + float(incidence.survival[-1])
    assert total == pytest.approx(1.0, abs=1e-12)


def test_few_events_show_factors_one_at_a_time_only() -> None:
    found = _analysed("twenty").predictors
    assert found is not None
    assert found.univariate
    assert found.together is None
    assert found.events_per_variable < 10


def test_many_events_fit_all_factors_together() -> None:
    analysis = analyse(cohorts.cohort(cohorts.mixed(400), declared=True), IWG)
    assert analysis.predictors is not None
    assert analysis.predictors.together is not None
    assert len(analysis.predictors.in_model) == len(analysis.predictors.together.coefficients)


def test_exposure_after_the_landmark_cannot_enter_the_relation() -> None:
    charts = cohorts.mixed(20)
    later = tuple(
        replace(one, levels=tuple(replace(x, level_ng_ml=90.0) if k > 2 else x for k, x in enumerate(one.levels)))
        for one in charts
    )
    first, second = (analyse(cohorts.cohort(group), IWG).relation for group in (charts, later))
    assert first is not None
    assert second is not None
    assert first.mean_ng_ml.tolist() == second.mean_ng_ml.tolist()


def test_a_landmark_that_is_none_of_the_criterias_is_refused() -> None:
    with pytest.raises(InputError, match="no-such-landmark"):
        analyse(_cohorts()["one"], IWG, StudyProtocol(primary_landmark_d=100))
    with pytest.raises(InputError, match="no-patients"):
        analyse(cohorts.cohort(()), IWG)
    with pytest.raises(UnknownNameError, match="unknown-comparator"):
        analyse(_cohorts()["one"], IWG, StudyProtocol(compare_with=("nobody",)))


def test_a_fall_under_a_high_level_is_told_beside_non_response() -> None:
    # Hazard H5: a count that halves under 25 ng/mL before the landmark, in a patient without response.
    counts = (28.0, 28.0, 27.0, 12.0, 11.0, 10.0)
    one = cohorts.chart(0, counts, levels=(9.0, 12.0, 25.0))
    analysis = analyse(cohorts.cohort((one, *_all(cohorts.COMPLETE, 2)[1:])), IWG)
    assert [found.patient for found in analysis.suspicions] == ["P-0001"]
    text = _texts(analysis, "en")
    assert "Sirolimus itself lowers platelets" in text


def test_a_two_stage_study_is_read_in_the_order_of_its_first_doses() -> None:
    # Oracle: Simon's minimax for 0.3/0.6 stops at 2/10 or fewer, no effect at 8/17 or fewer; ten of NONE stop it.
    stopped = analyse(cohorts.cohort(_all(cohorts.NONE, 10)), IWG, FULL).design
    assert stopped is not None
    assert (stopped.state.value, stopped.responders, stopped.judged) == ("stopped", 0, 10)
    went_on = analyse(cohorts.cohort(_all(cohorts.NONE, 12)), IWG, FULL).design
    assert went_on is not None
    assert (went_on.state.value, went_on.result) == ("went-on", None)
    finished = _analysed("everybody-responds").design
    assert finished is not None
    assert finished.result is not None
    assert (finished.judged, finished.beyond, finished.result.unbiased) == (17, 3, 1.0)


def test_an_earlier_rate_is_updated_by_every_weight() -> None:
    # Oracle: the beta posterior's mean in closed form.
    found = _analysed("everybody-responds").updated
    assert found is not None
    for update in found.updates:
        a, b = 0.5 + 20 + update.weight * 11, 0.5 + update.weight * 13
        assert update.mean == pytest.approx(a / (a + b), rel=1e-12)


def test_no_number_of_a_report_of_nobody_is_invented() -> None:
    for rates in _analysed("no-counts").rates:
        assert rates.of("due").k == 0
        assert rates.of("observed").n == 0
        assert math.isnan(rates.of("observed").share)


def test_the_arms_are_compared_with_the_first_one() -> None:
    # Oracle: scipy's Fisher exact test of the same counts.
    from scipy.stats import fisher_exact

    kinds = (cohorts.COMPLETE, cohorts.NONE, cohorts.COMPLETE, cohorts.COMPLETE) * 5
    analysis = analyse(cohorts.cohort([cohorts.chart(i, kind) for i, kind in enumerate(kinds)], arms=2), IWG)
    one = next(found for found in analysis.contrasts if (found.landmark_d, found.outcome) == (91, "overall"))
    assert (one.reference, one.other.k, one.own.k, one.own.n) == ("arm-0", 10, 5, 10)
    assert one.test.p_value == pytest.approx(fisher_exact([[5, 5], [10, 0]])[1], rel=1e-9)


def test_a_patient_who_refused_research_is_told_of() -> None:
    one = cohorts.chart(0, cohorts.COMPLETE)
    at = one.courses[0].at
    refused = replace(one, consents=(Consent(at=at, recorded=at, scope="research", given=False),))
    analysis = analyse(cohorts.cohort((refused, cohorts.chart(1, cohorts.NONE))), IWG)
    assert "study.consent-refused" in [message.code for message in analysis.messages]
    counts = {step.step: step.counts[0] for step in analysis.flow}
    assert (counts["consented"], counts["refused"], counts["consent-unknown"]) == (0, 1, 1)


def test_a_level_after_the_stop_is_no_exposure() -> None:
    one = cohorts.chart(0, cohorts.COMPLETE, levels=(8.0, 9.0, 0.5))
    stopped = one.courses[0].at + timedelta(days=41)
    chart = replace(one, courses=(replace(one.courses[0], stop=stopped),))
    found = analyse(cohorts.cohort((chart,)), IWG).exposure
    assert (found.levels, found.after_stop) == ((8.0, 9.0), 1)


def test_a_chart_without_a_recorded_course_stops_with_its_last_prescription() -> None:
    one = cohorts.chart(0, cohorts.COMPLETE)
    begun = one.courses[0].at
    taken = Prescription(
        at=begun, recorded=begun, stop=begun + timedelta(days=60), regimen=Every(amount_mg=2.0, interval_h=24.0)
    )
    outcomes = analyse(cohorts.cohort((replace(one, courses=(), prescriptions=(taken,)),)), IWG).outcomes
    assert outcomes.stopped_d.tolist() == [60]
    assert outcomes.charts[0].courses[0].at == begun
