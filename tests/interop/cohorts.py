# SPDX-License-Identifier: Apache-2.0
"""Small cohorts for tests: sound folders of tables, the same with one file changed, and what a reader says to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from sirolens.errors import InputError
from sirolens.interop.cohort_folder import read_cohort
from sirolens.message import Message
from sirolens.response.cohort import Cohort

STUDY = """sirolens_study = 1
name = "invented"
title = "An invented cohort"
zone = "Asia/Shanghai"
data_cut = 2026-06-30
invented = true
ctcae_version = "5"
unread = ["bed"]
[ethics]
approval = "none: invented"
registration = "none: invented"
consent = "none: invented"
[arms]
A = "Sirolimus"
[characteristics.prior_lines]
kind = "number"
title = "Prior lines"
title_zh = "既往治疗线数"
[characteristics.steroid_dependent]
kind = "yes-no"
[characteristics.relapsed_percent]
kind = "number"
unit = "%"
[characteristics.phase]
kind = "category"
"""
TABLES = {
    "patients": "patient,sex,age_years,age_at,arm,prior_lines,steroid_dependent,bed,diagnosis\n"
    "P-1,女,40,2026-01-01,A,2,yes,7,itp\n"
    "P-2,m,8,2026-01-05,A,,否,,itp\n",
    "prescriptions": "patient,start,regimen\n"
    "P-1,2026-01-01T08:00+08:00,2 mg daily\n"
    "P-2,2026-01-05T08:00+08:00,1 mg daily\n",
    "platelet_counts": "patient,at,value,unit\n"
    "P-1,2025-12-31,12,10^9/L\n"
    "P-1,2026-02-01,45,10^9/L\n"
    "P-2,2026-01-05,30,10^9/L\n",
    "levels": "patient,at,value,unit,assay\nP-1,2026-02-01T07:40+08:00,7.2,ng/mL,cmia\n",
    "bleedings": "patient,at,asked,grade,scale\nP-1,2026-02-01,none,,\nP-2,2026-01-05,not-asked,,\n",
    "cell_counts": "patient,at,cell,value,unit,gate\nP-1,2025-12-31,treg,5.1,%,CD25+CD127low of CD4+\n",
    "labs": "patient,at,name,value,unit,upper_normal,lower_normal\nP-1,2026-02-01,haemoglobin,121,g/L,150,115\n",
    "adverse_events": "patient,start,term,grade,serious,related,action\nP-1,2026-01-20,stomatitis,2,no,yes,停药\n",
    "responses": "patient,landmark_d,response\nP-1,91,CR\n",
    "controls": "id,cell,value,unit,gate\nC-1,treg,5.4,%,CD25+CD127low of CD4+\nC-1,il-6,3.1,pg/mL,ELISA\n",
}
DOMAINS = {
    "dm": "STUDYID,USUBJID,SEX,AGE,AGEU,RFSTDTC,ARM,RFICDTC\n"
    "S,P-1,F,40,YEARS,2026-01-01,A,2025-12-20\n"
    "S,P-2,M,96,MONTHS,2026-01-05,A,\n",
    "ex": "USUBJID,EXTRT,EXDOSE,EXDOSU,EXDOSFRQ,EXSTDTC,EXENDTC\n"
    "P-1,SIROLIMUS,2,mg,QD,2026-01-01T08:00+08:00,\n"
    "P-2,SIROLIMUS,1,mg,QD,2026-01-05T08:00+08:00,\n",
    "pc": "USUBJID,PCTESTCD,PCTEST,PCORRES,PCORRESU,PCLLOQ,PCSTRESU,PCSPEC,PCMETHOD,PCDTC\n"
    "P-1,SIROLIMU,Sirolimus,7.2,ng/mL,0.5,ng/mL,BLOOD,CMIA,2026-02-01T07:40+08:00\n",
    "lb": "USUBJID,LBTESTCD,LBORRES,LBORRESU,LBORNRLO,LBORNRHI,LBSTAT,LBDTC\n"
    "P-1,PLAT,12,10^9/L,,,,2025-12-31\n"
    "P-1,PLAT,45,10^9/L,,,,2026-02-01\n"
    "P-2,PLAT,30,10^9/L,,,,2026-01-05\n"
    "P-1,HGB,121,g/L,115,150,,2026-02-01\n",
    "ae": "USUBJID,AETERM,AEDECOD,AETOXGR,AESER,AEREL,AEACN,AESTDTC,AEENDTC\n"
    "P-1,mouth sores,Stomatitis,2,N,RELATED,DRUG WITHDRAWN,2026-01-20,\n",
    "bleedings": TABLES["bleedings"],
    "cell_counts": TABLES["cell_counts"],
    "responses": TABLES["responses"],
    "controls": TABLES["controls"],
}


def folder(path: Path, study: str = STUDY, tables: Mapping[str, str] = TABLES, **files: str | bytes) -> Path:
    """A folder with a sound cohort, some of its files replaced; an empty text takes one out."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "study.toml").write_text(study, encoding="utf-8")
    for name, text in ({**tables, **files}).items():
        if text != "":
            (path / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path: Path) -> tuple[Cohort, tuple[Message, ...]]:
    return read_cohort(path)


def refused(path: Path) -> tuple[Message, ...]:
    """Every fault of a cohort that is refused; one that is read fails the test."""
    with pytest.raises(InputError) as fault:
        read_cohort(path)
    return fault.value.messages
