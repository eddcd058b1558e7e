# SPDX-License-Identifier: Apache-2.0
"""A faulty model file: one message per fault, with file, line, field, value and what was expected."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.errors import ModelFileError
from sirolens.message import Message, Severity
from sirolens.models.catalog import load
from sirolens.models.check import LARGEST_FILE_BYTES, check
from sirolens.models.model_file import read_model

GOOD = (Path(__file__).parent / "files" / "transit_occasions.toml").read_text(encoding="utf-8")
OWN = (Path(__file__).parent / "files" / "own_equations.toml").read_text(encoding="utf-8")
SHIPPED = [
    path.read_text(encoding="utf-8") for path in sorted(Path(str(files("sirolens.models.catalog"))).glob("*_2*.toml"))
]


def faults(text: str) -> list[Message]:
    return list(read_model(text, "my.toml").messages)


def one_fault(old: str, new: str, text: str = GOOD) -> Message:
    assert old in text
    changed = text.replace(old, new, 1)
    found = faults(changed)
    assert len(found) == 1, [str(message) for message in found]
    message = found[0]
    assert message.place is not None
    assert message.place.file == "my.toml"
    if message.place.line is not None and message.place.field is not None:
        line = changed.splitlines()[message.place.line - 1]
        key = message.place.field.rpartition(".")[2].partition("[")[0]
        assert key in line or line.startswith("[")
    return message


@pytest.mark.parametrize("text", [GOOD, OWN])
def test_the_examples_of_users_files_are_good(text: str) -> None:
    assert faults(text) == []


OCCASIONS = "omega = [[0.02, 0.005], [0.005, 0.03]]"
NOT_DEFINITE = "models.omega-not-positive-definite"
PRINTED = 'CL = { variance = 0.09, published = 30, conversion = "cv-percent" }'
CASES = [
    # unknown key, with the nearest known one
    ('title = "Invented: two', 'titel = "x"\ntitle = "Invented: two', "models.unknown-key", "titel"),
    ("compartments = 2", "compartments = 2\ncompartment = 3", "models.unknown-key", "structure.compartment"),
    # omega
    ("covariance = 0.03", "covariance = 0.9", NOT_DEFINITE, "covariances[0]"),
    (
        OCCASIONS,
        "omega = [[0.02, 0.5], [0.5, 0.03]]",
        NOT_DEFINITE,
        "occasion.omega",
    ),
    (OCCASIONS, "omega = [[0.02]]", "models.wrong-shape", "occasion.omega"),
    ("CL = { variance = 0.09 }", "CL = { variance = -0.09 }", "models.out-of-range", "random_effects.CL.variance"),
    ('between = ["CL", "V2"]', 'between = ["CL", "CL"]', "models.wrong-type", "covariances[0].between"),
    # formulas
    ('formula = "KTR"', 'formula = "__import__(1) + KTR"', "models.formula-unreadable", "parameters.ka_1_h.formula"),
    ('formula = "KTR"', 'formula = "lambda + KTR"', "models.formula-unreadable", "parameters.ka_1_h.formula"),
    ('formula = "KTR"', 'formula = "KTR.real"', "models.formula-unreadable", "parameters.ka_1_h.formula"),
    ('formula = "KTR"', 'formula = "KTR * BSA"', "models.undeclared-name", "parameters.ka_1_h.formula"),
    # units
    ('unit = "lb"', 'unit = "stone"', "models.unknown-unit", "covariates.WT.unit"),
    ('dose = "mcg"', 'dose = "tablet"', "models.unknown-unit", "units.dose"),
    ('concentration = "ug/L"', 'concentration = "IU/mL"', "models.unknown-unit", "units.concentration"),
    # random effects
    ('eta = "F"', 'eta = "BIO"', "models.eta-without-omega", "parameters.f1.eta"),
    # sources and required keys
    ('place = "nowhere"', "", "models.source-untraceable", "source"),
    ('mark = "assumed"', 'mark = "certain"', "models.not-one-of", "source.mark"),
    ('kind = "log"', 'kind = "logarithmic"', "models.not-one-of", "residual.kind"),
    ('name = "invented_transit"', 'name = "in vented"', "models.bad-name", "name"),
    ("transit = 3", "transit = 300", "models.out-of-range", "structure.transit"),
    ("clamp = [10, 200]", "clamp = [200, 10]", "models.range-reversed", "covariates.WT.clamp"),
    ("clamp = [10, 200]", "clamp = [10]", "models.wrong-type", "covariates.WT.clamp"),
    ("value = 120", 'value = "120"', "models.wrong-type", "thetas.V1.value"),
    ("value = 120", "value = nan", "models.wrong-type", "thetas.V1.value"),
    ('when_missing = "ask"', 'when_missing = "guess"', "models.not-one-of", "covariates.AGE.when_missing"),
    (
        "CL = { variance = 0.09 }",
        PRINTED,
        "models.conversion-differs",
        "random_effects.CL.variance",
    ),
    ('supports = ["steady-state-trough", ', 'supports = ["trough", ', "models.not-one-of", "supports[0]"),
]


@pytest.mark.parametrize(("old", "new", "code", "field"), CASES, ids=[f"{case[2]}:{case[3]}" for case in CASES])
def test_one_fault_gives_one_message_at_its_place(old: str, new: str, code: str, field: str) -> None:
    message = one_fault(old, new)
    assert message.code == code
    assert message.severity is Severity.ERROR
    assert message.place is not None
    assert message.place.field == field
    assert message.place.line is not None
    assert "value" in message.values
    assert {"expected", "cause"} & set(message.values)


def test_a_forbidden_name_shows_the_cause_inside_the_formula() -> None:
    message = one_fault('formula = "KTR"', 'formula = "2 * import"')
    cause = message.values["cause"]
    assert isinstance(cause, Message)
    assert cause.code == "expression.forbidden-name"
    assert cause.values["position"] == 5


def test_a_near_key_is_suggested() -> None:
    assert one_fault("compartments = 2", "compartments = 2\ncompartmnts = 3").values["near"] == ("compartments",)


def test_a_missing_residual_is_asked_for_by_its_table() -> None:
    message = one_fault('[residual]\nkind = "log"\nlog_sd = 0.2\n', "")
    assert (message.code, message.place.field if message.place else "") == ("models.key-missing", "residual")
    assert message.values["expected"] == "[residual]"


def test_a_missing_source_is_a_fault() -> None:
    message = one_fault('[source]\ntitle = "Invented for tests"\nmark = "assumed"\nplace = "nowhere"\n', "")
    assert message.code == "models.key-missing"
    assert message.values["value"] == "source"


def test_a_structure_parameter_that_is_missing_or_needless_is_a_fault() -> None:
    missing = one_fault('[parameters.ka_1_h]\nformula = "KTR"\n', "[parameters.duration2_h]\nformula = 'KTR'\n")
    assert missing.code == "models.key-missing"
    assert missing.values["expected"] == "[parameters.ka_1_h]"
    shipped = next(text for text in SHIPPED if 'name = "mao_2024"' in text)
    codes = {message.code for message in faults(f'{shipped}\n[parameters.v2_l]\nformula = "3"\n')}
    assert codes == {"models.needless-parameter"}


def test_what_is_declared_but_never_used_is_a_warning_and_the_model_is_usable() -> None:
    reading = read_model(GOOD.replace('eta = "F"\neffect = "logit"\n', ""), "my.toml")
    assert [(message.code, message.severity) for message in reading.messages] == [
        ("models.never-used", Severity.WARNING)
    ]
    assert reading.model is not None


def test_an_effect_needs_an_eta() -> None:
    assert one_fault('eta = "V1"\neffect = "normal"', 'effect = "normal"').code == "models.effect-without-eta"
    assert one_fault('effect = "logit"', 'effect = "none"').code == "models.effect-without-eta"


def test_several_faults_are_all_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = GOOD.replace('unit = "lb"', 'unit = "stone"').replace('formula = "KTR"', 'formula = "KTR +"')
    path = tmp_path / "two.toml"
    path.write_text(text.replace("compartments = 2", "compartments = 4"), encoding="utf-8")
    found = check(path)
    assert [message.code for message in found] == [
        "models.out-of-range",
        "models.formula-unreadable",
        "models.unknown-unit",
    ]
    lines = [message.place.line for message in found if message.place is not None and message.place.line is not None]
    assert lines == sorted(lines)
    with pytest.raises(ModelFileError) as caught:
        load(path)
    assert set(caught.value.messages) == set(found)


def test_equations_may_use_states_and_parameters_only() -> None:
    message = one_fault('Gut = "-KA*Gut"', 'Gut = "-KA*Gut*WT"', OWN)
    assert message.code == "models.undeclared-name"
    assert message.values["value"] == "WT"


def test_structure_and_equations_exclude_each_other() -> None:
    text = f'{OWN}\n[structure]\ncompartments = 1\nabsorption = "none"\n'
    assert [message.code for message in faults(text)] == ["models.structure-and-odes"]


def test_saturable_absorption_depends_on_thetas_only() -> None:
    wu = next(text for text in SHIPPED if 'name = "wu_2012"' in text)
    assert one_fault('formula = "VM"', 'formula = "VM * HCT"', wu).code == "models.must-be-constant"


def test_a_fault_inside_a_variant_is_found_there(tmp_path: Path) -> None:
    path = tmp_path / "variant.toml"
    path.write_text(f'{GOOD}\n[variants.wide]\nwhy = "test"\nmark = "assumed"\n[variants.wide.residual]\nlog_sd = -1\n')
    (message,) = check(path)
    assert message.code == "models.out-of-range"
    assert message.place is not None
    assert path.read_text().splitlines()[(message.place.line or 0) - 1] == "log_sd = -1"


def test_a_syntax_error_names_its_line() -> None:
    (message,) = faults('name = "x"\ntitle = \n')
    assert message.code == "models.not-toml"
    assert message.place is not None
    assert message.place.line == 2


def test_an_empty_file_is_an_error() -> None:
    assert [message.code for message in faults("  \n")] == ["models.file-empty"]


def test_a_file_that_is_not_utf8_is_refused_with_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "gb.toml"
    path.write_bytes('title = "西罗莫司"'.encode("gb18030"))
    (message,) = check(path)
    assert message.code == "models.file-not-utf8"


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "bom.toml"
    path.write_text(GOOD, encoding="utf-8-sig")
    assert check(path) == ()


def test_a_data_file_given_by_mistake_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "data.toml"
    path.write_text("# " + "x" * LARGEST_FILE_BYTES, encoding="utf-8")
    assert [message.code for message in check(path)] == ["models.file-too-large"]


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    assert [message.code for message in check(tmp_path)] == ["models.file-unreadable"]


def test_deep_nesting_is_an_error_not_a_crash() -> None:
    assert [message.code for message in faults("a = " + "[" * 5000)] == ["models.not-toml"]


LINES = st.sampled_from([line for text in (GOOD, OWN, *SHIPPED) for line in text.splitlines()])


@settings(deadline=None, max_examples=150)
@given(st.sampled_from([GOOD, OWN, *SHIPPED]), st.data())
def test_a_damaged_file_gives_messages_and_never_a_crash(text: str, data: st.DataObject) -> None:
    lines = text.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        what = data.draw(st.sampled_from(["drop", "repeat", "other", "cut", "swap"]))
        if what == "drop":
            del lines[at]
        elif what == "repeat":
            lines.insert(at, lines[at])
        elif what == "other":
            lines[at] = data.draw(LINES)
        elif what == "cut":
            lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
        else:
            lines[at] = lines[at].replace("=", "= [", 1) + "]"
        if not lines:
            break
    reading = read_model("\n".join(lines), "damaged.toml")
    failed = any(message.severity is Severity.ERROR for message in reading.messages)
    assert (reading.model is None) == failed
    for message in reading.messages:
        assert message.place is not None
        assert message.place.file == "damaged.toml"
