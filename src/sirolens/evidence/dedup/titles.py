# SPDX-License-Identifier: Apache-2.0
"""Titles of records, compared: one normal form, what a title says of another paper, and whether a difference tells.

Two long titles that differ in one number, one opposite or the word "Reply" are two papers however alike they are;
two that differ in accents, a subtitle or a typing error are one. The comparison says which.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from enum import IntEnum
from html import unescape
from typing import Final, final

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from sirolens.evidence.dedup.pinyin import is_han, simplified

__all__ = ["Likeness", "Title", "about", "compare_titles", "telling", "title"]

NEAR: Final = 95.0  # of 100: typing errors, lost accents
LIKE: Final = 80.0  # below this two titles are two sentences
CUT_LETTERS: Final = 24  # a shorter start is shared by too many titles
GENERIC_LETTERS: Final = 22  # "Editorial", "Letter to the editor": no title to know a paper by
GENERIC_HAN: Final = 6

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "κ": "kappa", "λ": "lambda",
    "μ": "mu", "ω": "omega", "σ": "sigma", "τ": "tau", "ζ": "zeta", "η": "eta", "θ": "theta",
}  # fmt: skip
_SUFFIX = re.compile(
    r"""\s*(?:\.{2,}\s*)?[\[(]\s*(?:(?:published\s+)?erratum|corrected|correction|retracted|retraction|see\s+comment|comment
    |summary\s+for\s+patients|update\s+(?:in|of)|republished|author'?s\s+transl|in\s+[a-z]+|[a-z]+\s+version
    |english|chinese|german|french|spanish|italian|japanese|korean|russian|portuguese|polish|dutch|turkish|czech|danish
    |swedish|norwegian|hungarian|persian|hebrew|croatian|serbian|slovak|bulgarian|romanian|finnish|greek|arabic|ukrainian
    |review|(?:structured\s+|provisional\s+)?abstract|letter|editorial|\d+\s+refs?)\b[^\])]*[\])]""",
    re.VERBOSE | re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s*(?:\.{2,}\s*)?\[\s*(?:published\s+)?(?:erratum|corrected|correction|retraction|comment)\b.*$|\s*<original>.*$",
    re.IGNORECASE | re.DOTALL,
)
_OPENING = re.compile(
    r"^\W*(?P<word>retract(?:ed|ion)(?:\s+(?:article|note|notice|statement))?(?:\s+(?:to|of|for))?"
    r"|(?:publisher|author)(?:'s)?\s+correction(?:\s+to)?|(?:correction|corrigendum|corrigenda|erratum|errata)(?:\s+(?:to|for|in|of))?"
    r"|expression\s+of\s+concern(?:\s+(?:to|on|for|about))?|withdrawn(?:\s+article)?"
    r"|(?:authors?'?\s+)?(?:repl(?:y|ies)|response|rebuttal)(?:\s+(?:to|from|by))|in\s+(?:reply|response)(?:\s+to)?|re"
    r"|comments?(?:ary)?\s+on|letter(?:\s+to\s+the\s+editor)?(?:\s+(?:regarding|concerning|on))|editorial(?:\s+comment)?(?:\s+on)?"
    r"|撤稿(?:声明|启事)?|撤回|更正(?:声明|启事)?|勘误(?:表)?|关于|对|答复|回复)(?![a-z])\s*[:：.\-–—]?\s*(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_CORRECTS = (
    re.compile(  # Web of Science: "Title (vol 7, pg 11, 2020)"; Embase: "Title (Invented Blood (2020) 7 (11-19))"
        r"\s*\((?:vol(?:ume)?\.?\s+[\w-]+,\s*(?:pg|pp?|art(?:icle)?|page)[^()]*"
        r"|[^()]*\(\d{4}\)[^()]*\([^()]*\d[^()]*\)[^()]*)\)\W*$",
        re.IGNORECASE,
    )
)
_TOKEN = re.compile(r"[a-z]+|\d+(?:[.,]\d+)?|[㐀-鿿豈-﫿]")
_TAG = re.compile(r"</?(?:i|b|em|strong|sub|sup|u|sc|br|p|span|mml:[a-z]+|math)\b[^<>]{0,80}>", re.IGNORECASE)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ROMAN = _words("i ii iii iv v vi vii viii ix x xi xii")
_ORDINAL = _words(
    "first second third fourth fifth sixth one two three four five six seven eight nine ten single double triple "
    "once twice half annual year month week day short long early late"
)
_OPPOSITES_TEXT: Final = (
    "men women|male female|males females|boys girls|children adults|paediatric adult|pediatric adult|"
    "infants children|with without|"
    "high low|higher lower|increased decreased|increase decrease|acute chronic|primary secondary|"
    "positive negative|left right|upper lower|"
    "before after|pre post|in vivo|in vitro|rats mice|rat mouse|human animal|oral intravenous|"
    "inpatients outpatients|north south|east west|"
    "northern southern|eastern western|benign malignant|early late|short long|maternal paternal|"
    "proximal distal|anterior posterior|"
    "medial lateral|superior inferior|systolic diastolic|arterial venous|ischemic hemorrhagic|"
    "ischaemic haemorrhagic|morning evening|"
    "winter summer|urban rural|active inactive|type types|efficacy safety|incidence prevalence|"
    "mortality morbidity|diagnosis treatment|"
    "prevention treatment|elderly young|older younger|mothers fathers|sensitivity specificity|"
    "hospital community|protocol results|"
    "internal external|major minor|moderate severe|mild severe|mild moderate|stable unstable|rapid slow|"
    "fast slow|larger smaller|more less"
)
_OPPOSITES = {_words(pair) for pair in _OPPOSITES_TEXT.split("|")}
_PREFIXES = (
    ("hyper", "hypo"),
    ("pre", "post"),
    ("intra", "inter"),
    ("intra", "extra"),
    ("over", "under"),
    ("anti", "pro"),
    ("macro", "micro"),
)
_NEGATIONS = ("un", "in", "im", "non", "dis", "a", "anti", "re")
_KINDS = _words(
    "reply response comment commentary erratum corrigendum correction retraction retracted protocol update "
    "updated part editorial letter "
    "addendum rebuttal preliminary interim final extension"
)
_HAN_TELLING = frozenset("一二三四五六七八九十男女老幼儿童上下左右前后高低急慢内外中西新旧初再续无不非")
_SMALL_HAN = frozenset("的之及与和对在了其")
_SMALL = _words("a an and as at by for from in into is of on or the to via with") - {"with"}


class Likeness(IntEnum):
    """How alike two titles are, least first."""

    FAR = 0
    OTHER = 1  # no two forms in one script, or one has none: nothing to compare
    LIKE = 2  # much the same words
    CUT = 3  # one is the other's beginning: a subtitle is missing
    NEAR = 4  # but for typing errors
    SAME = 5


@final
@dataclass(frozen=True, slots=True)
class Title:
    """A title's normal form.

    Parameters
    ----------
    key : str
        Its letters, digits and simplified characters without anything between.
    tokens : tuple of str
    han : bool
        True for a Chinese title.
    """

    key: str
    tokens: tuple[str, ...]
    han: bool

    @property
    def generic(self) -> bool:
        """True when too many papers bear this title to know one by it."""
        return len(self.key) < (GENERIC_HAN if self.han else GENERIC_LETTERS)


def title(text: str) -> Title | None:
    """Return the normal form of a title; None when nothing is left.

    >>> title("<i>Sirolimus</i> for ITP: β-cells [Chinese]").tokens
    ('sirolimus', 'for', 'itp', 'beta', 'cells')
    >>> title("雷帕黴素治療ＩＴＰ的臨床觀察").key
    '雷帕霉素治疗itp的临床观察'
    """
    if not text:
        return None
    if not text.isascii() or "&" in text:
        text = unicodedata.normalize("NFKC", unescape(text))
    if "<" in text:
        text = _TAG.sub("", text)
    text = text.replace(" & ", " and ").lower()
    if "<original>" in text or text.find("[", 12) > 0:
        text = _TAIL.sub("", text)
    if "[" in text or "(" in text:
        text = _SUFFIX.sub(" ", text)
    if not text.isascii():
        text = simplified(text)
        text = "".join(_GREEK.get(character, character) for character in text)
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    tokens = tuple(_TOKEN.findall(text))
    if not tokens:
        return None
    letters = sum(map(len, tokens))
    return Title("".join(tokens), tokens, sum(is_han(token) for token in tokens) * 3 > letters)


def about(text: str) -> tuple[str, str]:
    """Return what a title says it is to another paper (erratum, retraction, concern, comment) and that paper's title.

    ``retracted`` is the paper itself, marked in its title.

    >>> about("Correction to: Sirolimus in ITP")
    ('erratum', 'Sirolimus in ITP')
    >>> about("Retinal vessels in lupus")
    ('', 'Retinal vessels in lupus')
    """
    if corrected := _CORRECTS.search(text):
        return "erratum", about(text[: corrected.start()])[1]
    found = _OPENING.match(text)
    if found is None or len(found["rest"]) < 8:
        return "", text
    word, rest = found["word"].lower(), found["rest"]
    colon = re.search(r"[:：]", text[found.end("word") : found.start("rest")])
    if (word in {"re", "editorial", "关于", "对", "withdrawn"} or word.startswith("retracted")) and not colon:
        return "", text
    if word.startswith(("retracted", "withdrawn")):
        return "retracted", rest
    if word.startswith(("retract", "撤")):
        return "retraction", rest
    if word.startswith("expression"):
        return "concern", rest
    if re.search(r"correct|corrig|errat|更正|勘误", word):
        return "erratum", rest
    return "comment", rest


def _number_like(token: str) -> bool:
    return (
        token[0].isdigit()
        or token in _ROMAN
        or token in _ORDINAL
        or (len(token) == 1 and token.isascii() and token != "a")
    )


def _opposed(one: str, two: str) -> bool:
    if frozenset((one, two)) in _OPPOSITES:
        return True
    for start, other in _PREFIXES:
        for left, right in ((one, two), (two, one)):
            if left.startswith(start) and right.startswith(other) and left[len(start) :] == right[len(other) :]:
                return True
    longer, shorter = (one, two) if len(one) > len(two) else (two, one)
    return len(shorter) > 3 and longer.endswith(shorter) and longer[: -len(shorter)] in _NEGATIONS


def telling(one: Title, two: Title) -> str:
    """Return what difference between two titles makes them two papers: number, kind, opposite or ``""``.

    >>> telling(title("Sirolimus in ITP: part I"), title("Sirolimus in ITP: part II"))
    'number'
    >>> telling(title("Hyperglycaemia in stroke units"), title("Hypoglycaemia in stroke units"))
    'opposite'
    """
    if one.key == two.key or one.han != two.han:
        return ""
    left, right = Counter(one.tokens), Counter(two.tokens)
    extra_left, extra_right = list((left - right).elements()), list((right - left).elements())
    if one.han:
        if any(token in _HAN_TELLING or _number_like(token) for token in (*extra_left, *extra_right)):
            return "number"
        return ""
    if "".join(extra_left) == "".join(extra_right):  # "non small" and "nonsmall"
        return ""
    numbers = [sorted(token for token in extra if _number_like(token)) for extra in (extra_left, extra_right)]
    if numbers[0] != numbers[1]:
        return "number"
    kinds = [{token for token in extra if token in _KINDS} for extra in (extra_left, extra_right)]
    if kinds[0] != kinds[1]:
        return "kind"
    for token in extra_left:
        if any(_opposed(token, other) for other in extra_right):
            return "opposite"
    if ("with" in extra_left and "without" in extra_right) or ("without" in extra_left and "with" in extra_right):
        return "opposite"
    if {"no", "not"} & (set(extra_left) ^ set(extra_right)):
        return "opposite"
    return ""


def _typing_error(one: Title, two: Title) -> bool:
    """Tell whether every word that one lacks is a misspelt word of the other (or a small word)."""
    left, right = Counter(one.tokens), Counter(two.tokens)
    extra_left = [token for token in (left - right).elements() if token not in _SMALL]
    extra_right = [token for token in (right - left).elements() if token not in _SMALL]
    if one.han:  # one other character is another drug or disease
        return not [token for token in (*extra_left, *extra_right) if token not in _SMALL_HAN]
    joined = "".join(extra_left), "".join(extra_right)
    if Levenshtein.distance(*joined, score_cutoff=2) <= 2:
        return True
    if len(extra_left) != len(extra_right):
        return False
    pool = list(extra_right)
    for token in extra_left:
        best = min(pool, key=lambda other: (Levenshtein.distance(token, other), other))
        if Levenshtein.distance(token, best) > max(1, len(token) // 4):
            return False
        pool.remove(best)
    return True


def compare_titles(one: Title, two: Title) -> tuple[Likeness, str, float]:
    """Compare two titles of one script.

    Returns
    -------
    Likeness, str, float
        How alike; the telling difference (see `telling`); the share of letters in common, 0-100.

    Examples
    --------
    >>> compare_titles(title("Sirolimus in thrombocytopenia"), title("Sirolimus in trombocytopenia"))[0].name
    'NEAR'
    """
    if one.key == two.key:
        return Likeness.SAME, "", 100.0
    if one.han != two.han:
        return Likeness.OTHER, "", 0.0
    share = fuzz.ratio(one.key, two.key)
    shorter, longer = (one, two) if len(one.key) <= len(two.key) else (two, one)
    if longer.key.startswith(shorter.key) and len(shorter.key) >= (GENERIC_HAN if one.han else CUT_LETTERS):
        return Likeness.CUT, telling(one, two), share
    if share < LIKE:
        words = fuzz.token_sort_ratio(" ".join(one.tokens), " ".join(two.tokens))
        if words < LIKE:
            return Likeness.FAR, "", max(share, words)
        share = words
    difference = telling(one, two)
    if share >= NEAR and not difference and _typing_error(one, two):
        return Likeness.NEAR, "", share
    return Likeness.LIKE, difference, share
