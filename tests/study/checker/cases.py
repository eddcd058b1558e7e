# SPDX-License-Identifier: Apache-2.0
"""Writes the real cases of ``docs/check.md`` from what the checker says of the examples.

`python -m tests.study.checker.cases` puts them into the page.
"""

from __future__ import annotations

from sirolens.report.words import say, severity_word
from sirolens.study.checker.findings import Weight
from tests.study.checker.printed_figures import EXAMPLES, ROOT, example

PAGE = ROOT / "docs" / "check.md"
BEGIN, END = "<!-- cases begin -->", "<!-- cases end -->"


def cases() -> str:
    """Write every example with what is found in it."""
    lines: list[str] = []
    for path in EXAMPLES:
        result = example(path.stem)
        source = result.published.source
        identifier = f"doi {source.doi}" if source.doi else f"PMID {source.pmid}" if source.pmid else source.place
        lines += [f"### {path.name}: {result.published.title} ({identifier})", ""]
        told = [finding for finding in result.findings if finding.weight is not Weight.PASSED]
        for finding in told:
            text = say(finding.message, "en").replace("|", "\\|")
            lines.append(f"- **{finding.weight.value}** ({severity_word(finding.message.severity, 'en')}): {text}")
        passed = result.tally[Weight.PASSED]
        fit = "1 figure fits" if passed == 1 else f"{passed} figures fit"
        lines += [f"- {fit}{'.' if told else ', and nothing else is found.'}", ""]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Put the cases into the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{cases()}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
