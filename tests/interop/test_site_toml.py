# SPDX-License-Identifier: Apache-2.0
"""A site's settings: what is set carries its author and reason, what is wrong is named; docs/settings.md is true."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from sirolens.dosing.protocol import Settings, default_settings
from sirolens.errors import InputError
from sirolens.interop.site_toml import Site, read_site
from sirolens.report.words import say
from sirolens.source import Mark
from tests.interop.charts import CHINESE

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
WHO = 'author = "Dr Example"\nreason = "Invented decision"\n'


def _file(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "site.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_example_of_the_page_is_read_as_it_says(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    site = read_site(_file(tmp_path, block))
    assert site.target is not None
    assert (site.target.low_ng_ml, site.target.high_ng_ml) == (4, 12)
    assert site.target.author.startswith("Dr Example")
    assert site.products is not None
    assert site.products.forms == ("tablet", "solution")
    assert site.products.most_tablets == 3
    assert site.settings is not None
    assert site.settings.soft_daily_cap_mg.value == 3
    assert site.settings.first_level_days.value == (7, 14)


def test_what_is_set_carries_author_and_reason_and_the_rest_its_own_source(tmp_path: Path) -> None:
    site = read_site(_file(tmp_path, WHO + "[limits]\nhard_daily_cap_mg = 5\n"))
    assert site.settings is not None
    cap, usual = site.settings.hard_daily_cap_mg, default_settings()
    assert cap.source.mark is Mark.JUDGE
    assert "Dr Example" in cap.source.cite()
    assert "Invented decision" in cap.source.cite()
    assert cap.unit == "mg"
    assert [f.name for f in fields(Settings) if getattr(site.settings, f.name) != getattr(usual, f.name)] == [
        "hard_daily_cap_mg"
    ]


def test_what_the_file_leaves_out_keeps_its_default(tmp_path: Path) -> None:
    assert read_site(_file(tmp_path, WHO)) == Site()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_names_and_reasons_are_read(encoding: str, tmp_path: Path) -> None:
    text = 'author = "李医生"\nreason = "科室决定：血药浓度目标范围"\n[target]\nlow_ng_ml = 4\nhigh_ng_ml = 10\n'
    site = read_site(_file(tmp_path, text.encode(encoding)))
    assert site.target is not None
    assert site.target.author == "李医生"


def test_every_limit_stands_on_the_page_with_its_default_and_unit() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, flags=re.MULTILINE))
    usual = default_settings()
    assert list(rows) == [field.name for field in fields(Settings)]
    for name, row in rows.items():
        limit = getattr(usual, name)
        numbers = limit.value if isinstance(limit.value, tuple) else (limit.value,)
        assert [float(number) for number in re.findall(r"[\d.]+", row.split(" | ")[0])] == [float(n) for n in numbers]
        assert row.split(" | ")[1] == limit.unit


# what is wrong -> the file after its author and reason, the line, the field, and what the words must name
FAULTS: dict[str, tuple[str, int, str, tuple[str, ...]]] = {
    "an unknown section": ("[limit]\nsoft_daily_cap_mg = 3\n", 3, "limit", ("limit", "limits")),
    "an unknown limit": ("[limits]\nsoft_cap = 3\n", 4, "limits.soft_cap", ("soft_cap", "soft_daily_cap_mg")),
    "a limit in quotes": ('[limits]\nsoft_daily_cap_mg = "3"\n', 4, "limits.soft_daily_cap_mg", ("3",)),
    "a limit that is true": ("[limits]\nreview_days = true\n", 4, "limits.review_days", ("True",)),
    "a limit that is infinite": ("[limits]\nreview_days = inf\n", 4, "limits.review_days", ("inf",)),
    "a limit of zero": ("[limits]\n\nreview_days = 0\n", 5, "limits.review_days", ("review_days", "0")),
    "a range for one number": ("[limits]\nreview_days = [1, 2]\n", 4, "limits.review_days", ("[1, 2]",)),
    "one number for a range": ("[limits]\nfirst_level_days = 7\n", 4, "limits.first_level_days", ("7", "[10, 20]")),
    "a range upside down": ("[limits]\nfirst_level_days = [9, 7]\n", 4, "limits.first_level_days", ("[9, 7]",)),
    "a hard cap above the label": ("[limits]\nhard_daily_cap_mg = 50\n", 3, "limits", ("50 mg", "40 mg")),
    "a target upside down": ("[target]\nlow_ng_ml = 15\nhigh_ng_ml = 5\n", 3, "target", ("15 ng/mL", "5 ng/mL")),
    "a target in another unit": ("[target]\nlow_ng_ml = 50\nhigh_ng_ml = 150\n", 3, "target", ("50 ng/mL",)),
    "half a target": ("[target]\nlow_ng_ml = 5\n", 3, "target.high_ng_ml", ()),
    "a target that is no section": ("target = 5\n", 3, "target", ("5",)),
    "products without a list": ("[products]\nmost_tablets = 2\n", 3, "products.product", ()),
    "a product of no form": ("[[products.product]]\nstrength_mg = 1\n", 3, "products.product[0].form", ()),
    "a product nobody makes": (
        '[[products.product]]\nform = "patch"\nstrength_mg = 1\n',
        3,
        "products.product[0]",
        ("patch",),
    ),
    "a tablet without a strength": ('[[products.product]]\nform = "tablet"\n', 3, "products.product[0]", ("0 mg",)),
    "an unknown field of a product": (
        '[[products.product]]\nform = "tablet"\nstrength_mg = 1\nbrand = "x"\n',
        6,
        "products.product[0].brand",
        ("brand", "strength_mg"),
    ),
    "half a tablet": (
        '[products]\nmost_tablets = 2.5\n[[products.product]]\nform = "tablet"\nstrength_mg = 1\n',
        4,
        "products.most_tablets",
        ("2.5",),
    ),
    "broken TOML": ("[limits\n", 3, "", ()),
}


@pytest.mark.parametrize("case", sorted(FAULTS))
def test_a_fault_is_named_with_file_line_field_and_value_in_both_languages(case: str, tmp_path: Path) -> None:
    text, line, field, named = FAULTS[case]
    path = _file(tmp_path, WHO + text)
    with pytest.raises(InputError) as caught:
        read_site(path)
    (fault,) = caught.value.messages
    assert fault.place is not None
    assert (fault.place.file, fault.place.line, fault.place.field or "") == (str(path), line, field)
    for language in ("en", "zh"):
        words = say(fault, language)
        assert fault.code not in words
        assert bool(CHINESE.search(words)) == (language == "zh")
        assert not [value for value in named if value not in words], words


@pytest.mark.parametrize("missing", ["author", "reason"])
@pytest.mark.parametrize("instead", ["", '{} = ""\n', "{} = 5\n"])
def test_nobody_decides_without_a_name_and_a_reason(missing: str, instead: str, tmp_path: Path) -> None:
    kept = "".join(f"{line}\n" for line in WHO.splitlines() if not line.startswith(missing))
    with pytest.raises(InputError) as caught:
        read_site(_file(tmp_path, instead.format(missing) + kept))
    assert [fault.place.field for fault in caught.value.messages if fault.place] == [missing]


@pytest.mark.parametrize(("data", "code"), [(b"", "file.empty"), (WHO.encode("utf-16"), "file.encoding")])
def test_a_file_that_is_no_text_is_named_for_what_it_is(data: bytes, code: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_site(_file(tmp_path, data))
    assert [fault.code for fault in caught.value.messages] == [code]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "no.toml", "file.missing"), (tmp_path, "file.unreadable")):
        with pytest.raises(InputError) as caught:
            read_site(path)
        assert [fault.code for fault in caught.value.messages] == [code]
