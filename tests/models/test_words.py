# SPDX-License-Identifier: Apache-2.0
"""What models say can be said: every fault, warning and scope message has its words and values in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sirolens.errors import SirolensError
from sirolens.message import Message
from sirolens.models.catalog import catalog, load, unusable
from sirolens.models.check import check
from sirolens.models.covariates import complete, typical
from sirolens.models.domain import scope
from sirolens.models.vocabulary import WARNINGS, missing_word, support_word, title_of
from sirolens.report.words import say
from tests.models.test_check import CASES, GOOD, OWN, faults

CHINESE = re.compile("[\u4e00-\u9fff]")
FACTS = (
    {"age_years": 0.5, "weight_kg": 5.0, "population": "us", "disease": "evans", "assay_class": "chromatography"},
    {"age_years": 90.0, "weight_kg": 160.0, "TC": 20.0, "HCT": 60.0, "AST": 5.0, "disease": "aiha"},
    {"age_years": 17.0, "weight_kg": 38.0, "TC": 0.5, "HCT": 8.0, "assay_class": "immunoassay"},
    {},
)


def model_messages() -> Iterator[Message]:
    for name in catalog():
        model = load(name)
        yield from model.warnings
        yield from complete(model, {}).messages
        yield from complete(model, {one.name: 1e9 for one in model.covariates}).messages
        yield from complete(model, {one.name: 70.0 for one in model.covariates}).messages
        for facts in FACTS:
            yield from scope(model, facts)
        for word in (title_of(name, ""), *map(support_word, model.supports)):
            assert isinstance(word, Message)
            yield word


def refusals() -> Iterator[Message]:
    for one in unusable():
        yield from (word for word in map(missing_word, one.missing) if isinstance(word, Message))
    for attempt in (*(one.name for one in unusable()), "nothing", "jiao_2009:nothing", "no.toml"):
        with pytest.raises(SirolensError) as caught:
            load(attempt)
        yield from caught.value.messages
    with pytest.raises(SirolensError) as caught:
        typical(load("jiao_2009"), {})
    yield from caught.value.messages


def file_faults() -> Iterator[Message]:
    for old, new, _, _ in CASES:
        yield from faults(GOOD.replace(old, new, 1))
    yield from faults(GOOD.replace('eta = "F"\neffect = "logit"\n', ""))
    yield from faults(f'{OWN}\n[structure]\ncompartments = 1\nabsorption = "none"\n')
    yield from faults(GOOD.replace("[residual]", "[parameters.v3_l]\nformula = '1'\n[residual]"))
    yield from faults(GOOD.replace("log_sd = 0.2", "log_sd = 0.2\nproportional = 1"))
    yield from faults(GOOD.replace('absorption = "transit"', 'absorption = "first-order"'))
    yield from faults("a = [")
    yield from faults("")


def assert_said(message: Message) -> None:
    for language in ("en", "zh"):
        text = say(message, language)
        assert message.code not in text
        assert not re.search(r"\{\w*\}", text)
    if message.code != "models.unknown-unit":  # which lists Chinese spellings of units
        assert not CHINESE.search(say(message, "en"))


def test_what_models_say_about_a_patient_is_said_in_both_languages() -> None:
    messages = list(model_messages())
    assert {message.code for message in messages} >= WARNINGS
    for message in messages:
        assert_said(message)


def test_refusals_are_said_in_both_languages() -> None:
    for message in refusals():
        assert_said(message)


def test_faults_of_files_are_said_in_both_languages() -> None:
    messages = list(file_faults())
    assert len({message.code for message in messages}) > 15
    for message in messages:
        assert_said(message)


def test_faults_of_reading_are_said_in_both_languages(tmp_path: Path) -> None:
    (tmp_path / "gb.toml").write_bytes('title = "西罗莫司"'.encode("gb18030"))
    (tmp_path / "large.toml").write_text("#" * 1_000_001)
    for name in ("gb.toml", "large.toml", "absent.toml"):
        for message in check(tmp_path / name):
            assert_said(message)


def test_a_fault_reads_as_a_sentence() -> None:
    (message,) = faults(GOOD.replace('eta = "F"', 'eta = "BIO"'))
    assert say(message, "en") == (
        "my.toml, line 49, field parameters.f1.eta: the random effect 'BIO' has no variance in [random_effects]. "
        "Known: CL, F, V1, V2."
    )
    assert say(message, "zh") == (
        "my.toml，第 49 行，字段 parameters.f1.eta：随机效应“BIO”在 [random_effects] 中没有方差。已有：CL, F, V1, V2。"
    )
