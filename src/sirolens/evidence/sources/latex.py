# SPDX-License-Identifier: Apache-2.0
r"""LaTeX in bibliographies: from ``{\"u}`` to ``ü`` and back to text that every BibTeX can read.

Only what stands for a character or sets type is taken away (accents, letters, escapes, ``\emph{...}``, braces); a
command that is not known stays as printed.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["from_latex", "to_latex"]

_ACCENTS: Final = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306", ".": "\u0307",
    '"': "\u0308", "r": "\u030a", "H": "\u030b", "v": "\u030c", "d": "\u0323", "c": "\u0327", "k": "\u0328",
    "b": "\u0331",
}  # fmt: skip
_LETTERS: Final = {
    "ss": "ß", "o": "ø", "O": "Ø", "oe": "œ", "OE": "Œ", "ae": "æ", "AE": "Æ", "aa": "å", "AA": "Å", "l": "ł", "L": "Ł",
    "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ", "ng": "ŋ", "NG": "Ŋ",
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "kappa": "κ", "mu": "μ", "omega": "ω", "pm": "±",
    "times": "×", "leq": "≤", "geq": "≥", "le": "≤", "ge": "≥", "textgreater": ">", "textless": "<",
    "textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "textbraceleft": "{", "textbraceright": "}",
    "textquotedbl": '"', "textquotesingle": "'", "textasciigrave": "`", "textbar": "|", "textdollar": "$",
    "textunderscore": "_", "textendash": "–", "textemdash": "—", "textregistered": "®", "texttrademark": "™",
    "textdegree": "°", "textmu": "µ", "ldots": "…", "dots": "…", "textellipsis": "…", "S": "§", "P": "¶",
    "copyright": "©", "pounds": "£", "euro": "€", "texteuro": "€",
}  # fmt: skip
_SETTING = re.compile(
    r"\\(?:textit|textbf|textsc|textrm|textsf|texttt|textup|textsuperscript|textsubscript|emph|mbox|hbox|text|url)"
    r"\s*(?=\{)"
)
_DECLARED = re.compile(r"\\(?:em|it|bf|sc|rm|sf|tt|itshape|bfseries|scshape)\b[ \t]*")
_ACCENTED = re.compile(
    r"\\(?:([`'^~=.\"])\s*|([uvHcdbrk])(?![A-Za-z])\s*)(?:\{\s*(\\[ij](?![A-Za-z])|[^\W\d_])?\s*\}|(\\[ij])(?![A-Za-z])\s?|([^\W\d_]))"
)
_LETTER = re.compile(r"\\([A-Za-z]+)(?:\{\}|[ \t]+(?=\S)|\b)?")
_SPACING: Final = {",": " ", " ": " ", "-": "", "/": ""}
_ESCAPED = re.compile(r"\\([&%$#_{}\-/, ])")
# The characters that LaTeX reads as its own. Braces are written as words, because BibTeX counts even escaped ones.
_WRITTEN: Final = {
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_", "$": r"\$", '"': r"\textquotedbl{}",
}  # fmt: skip
_TO_WRITE = re.compile(r'[\\{}~^&%#_$"]')
# A character that would be taken for LaTeX in the next step is held by one of the last private area until the end.
_HELD: Final = {character: chr(0x10FF00 + place) for place, character in enumerate("\\{}$%&#_~^")}
_RELEASED: Final = {ord(held): character for character, held in _HELD.items()}


def from_latex(text: str) -> str:
    r"""Return the characters that a text in LaTeX stands for.

    >>> from_latex(r"M{\"u}ller, \v{C}ap\'{\i}k {and} S{\o}n \& 5\,\% of {CD4}\textsuperscript{+}")
    'Müller, Čapík and Søn & 5 % of CD4+'
    """
    if "\\" not in text and "{" not in text and "}" not in text and "~" not in text:
        return text
    text = _ACCENTED.sub(_accented, text)
    if "\\" in text:
        text = _SETTING.sub("", text)
        text = _DECLARED.sub("", text)
        text = _ESCAPED.sub(lambda found: _SPACING.get(found[1], _HELD.get(found[1], found[1])), text)
        text = _LETTER.sub(_letter, text)
    text = text.replace("{", "").replace("}", "").replace("~", " ")
    return text.translate(_RELEASED)


def _letter(found: re.Match[str]) -> str:
    character = _LETTERS.get(found[1])
    return found[0] if character is None else _HELD.get(character, character)


def _accented(found: re.Match[str]) -> str:
    accent = _ACCENTS[found[1] or found[2]]
    letter = (found[3] or found[4] or found[5] or " ").replace("\\", "")
    if letter == " ":
        return _HELD.get(found[1] or "", "")
    return unicodedata.normalize("NFC", letter + accent)


def to_latex(text: str) -> str:
    r"""Return a text that LaTeX and BibTeX read as these characters; letters beyond ASCII stay.

    >>> to_latex("5 % of {x} & 西罗莫司"), from_latex(to_latex("a\\b {c} ~ $d$"))
    ('5 \\% of \\textbraceleft{}x\\textbraceright{} \\& 西罗莫司', 'a\\b {c} ~ $d$')
    """
    return _TO_WRITE.sub(lambda found: _WRITTEN[found.group()], text)
