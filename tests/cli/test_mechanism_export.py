# SPDX-License-Identifier: Apache-2.0
"""`sirolens mechanism export`: files that open elsewhere, the same patient every time, wrong requests named."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from sirolens.engine.sbml import read_sbml
from sirolens.mechanism.network import load
from sirolens.study.trial.mechanism import population
from tests.cli.command import sirolens


def test_a_patient_goes_out_whole_and_the_same_every_time(tmp_path: Path) -> None:
    """The equations have their oracle, libRoadRunner, in validation/export; here the patient's own numbers count."""
    made = [tmp_path / name for name in ("one.xml", "again.xml", "pack.omex")]
    for file in made:
        done = sirolens("mechanism", "export", file, "--patient", 3, "--variant", "single-link", "--days", 28)
        assert done.code == 0, done.err
    assert made[0].read_bytes() == made[1].read_bytes()
    with zipfile.ZipFile(made[2]) as pack:
        assert pack.read("model.xml") == made[0].read_bytes()
        assert "patient 3" in pack.read("metadata.rdf").decode()
    network = read_sbml(made[0].read_text(encoding="utf-8"))
    assert network.inputs == ()
    patient = population("posterior", load(("single-link",)), 3, 1, "adults").part(slice(2, 3))
    for name in ("P0", "pot", "kap"):
        assert network.values[name] == pytest.approx(patient.parameter(name)[0], rel=1e-12)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("p.txt",), "'.txt' is no format of models"),
        (("p.xml", "--population", "nobody"), "'nobody' is not one of: default"),
        (("p.xml", "--pk", "wu_2012"), "Wu 2012 cannot be written"),
        (("p.xml", "--variant", "x"), "no variant 'x'"),
        (("p.xml", "--patient", "0"), "--patient"),
        (("nowhere/p.xml",), "nowhere"),
    ],
)
def test_what_cannot_be_exported_is_named_and_nothing_is_written(
    wrong: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    done = sirolens("mechanism", "export", tmp_path / wrong[0], *wrong[1:])
    assert done.code == 2
    assert told in done.err
    assert not list(tmp_path.iterdir())
