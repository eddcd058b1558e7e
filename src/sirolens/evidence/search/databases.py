# SPDX-License-Identifier: Apache-2.0
"""A query written in the search language of each database, to be pasted there.

No expression was run by this program: each carries where its syntax was seen, and how surely. For the Chinese databases
none of the providers' own manuals could be read; the syntax is that of searches printed in published reviews and public
guides, so those expressions are marked unverified: try each on a few known papers before counting its hits.

- CNKI, professional search (专业检索): ``SU`` topic, ``TI`` title, ``KY`` keyword, ``AB`` abstract, ``TKA`` title,
  keyword and abstract, ``FT`` full text; a value in straight single quotes; ``+`` or, ``*`` and, ``-`` not inside one
  field; ``AND OR NOT`` with blanks between fields; ``=`` for exact, ``%`` for fuzzy, ``%=`` for related matches.
  Fields: public documentation of a client (github.com/sepinetam/cnki-mcp, docs/api.md); ``+`` and ``AND`` as run: BMC
  Complement Altern Med 2018, table 3 (doi:10.1186/s12906-018-2290-x).
- VIP (维普): ``M`` title or keyword, ``T`` title, ``K`` keyword, ``R`` abstract, ``U`` any field; ``AND OR NOT``; as
  the site's own note is quoted in public guides, with the example ``(K=(a OR b) OR T=c) AND R=d NOT K=e``.
- SinoMed (CBM): ``"word"[常用字段:智能]`` and ``"heading"[不加权:扩展]``, joined by ``AND OR NOT``; as printed from the
  search history of a public review protocol (2026).
- Wanfang: ``主题:("a" or "b") and 题名:("c")``, double quotes for exact words, small operators; the same protocol.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

from sirolens.errors import InputError, UnknownNameError
from sirolens.evidence.search.query import Block, Field, Query, Vocabulary, text_fault
from sirolens.message import Message, Severity, Value, error, info, warning
from sirolens.source import Mark, Source

__all__ = ["DATABASES", "Dialect", "Expression", "dialect", "write_query"]

# No provider prints a limit. Long professional expressions have been refused, so they are split by default at a length
# of our own choice, which `longest` overrides.
CHOSEN_LONGEST: Final = 1_000


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """What is pasted into one database.

    Parameters
    ----------
    database : str
        Short name, such as ``"cnki"``.
    parts : tuple of str
        One expression, or several whose results together are those of the query (export all, as one search).
    unverified : bool
        True where the provider's own description of the syntax was not read.
    syntax : Source
        Where the syntax was seen.
    messages : tuple of Message
        What the reviewer should know.
    """

    database: str
    parts: tuple[str, ...]
    unverified: bool
    syntax: Source
    messages: tuple[Message, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The search language of one database.

    Parameters
    ----------
    name : str
    chinese : bool
        True when it is searched with the Chinese terms.
    fields : mapping of Field to tuple of str
        Templates with ``{}`` for the joined terms; several are joined by "or".
    each : bool
        True when the template holds one term, not all of them.
    quote : callable
        From a term to its written form, or None when it cannot be written.
    words : tuple of str
        And, or, not between conditions, and "or" between the terms of one field.
    heading : str
        Template for a heading, "" when the database has none.
    vocabulary : Vocabulary, optional
    syntax : Source
    unverified : bool
    longest : int, optional
        Characters of one expression.
    """

    name: str
    chinese: bool
    fields: Mapping[Field, tuple[str, ...]]
    quote: Callable[[str], str | None]
    syntax: Source
    each: bool = False
    words: tuple[str, str, str, str] = (" AND ", " OR ", " NOT ", " OR ")
    heading: str = ""
    vocabulary: Vocabulary | None = None
    unverified: bool = False
    longest: int | None = None


_OPERATORS = frozenset({"and", "or", "not", "near", "same", "adj", "next", "exp"})


def _double(term: str) -> str:
    return f'"{term}"'


def _double_phrase(term: str) -> str:
    """Quote a phrase; a single word stays bare, so that its word forms are found too."""
    return f'"{term}"' if " " in term or term.lower() in _OPERATORS else term


def _single(term: str) -> str:
    return f"'{term}'"


def _ovid(term: str) -> str | None:
    """Quote a phrase, but not one that is cut: quotation marks make the asterisk a plain sign."""
    words = term.split(" ")
    if not term.endswith("*"):
        return _double_phrase(term)
    return None if _OPERATORS & {word.lower() for word in words} else term


def _cochrane(term: str) -> str | None:
    """Write a cut phrase with NEXT: a quoted one allows no wildcard."""
    if not term.endswith("*") or " " not in term:
        return _double_phrase(term)
    words = term.split(" ")
    return None if _OPERATORS & {word.lower() for word in words} else f"({' NEXT '.join(words)})"


def _bare(term: str) -> str | None:
    """Write a term without quotation marks, which only one without blanks and operators allows."""
    return None if re.search(r"[\s*,/\-]", term) or term.lower() in _OPERATORS else term


def _seen(title: str, url: str, year: int | None = None, *, second_hand: bool = False) -> Source:
    mark = Mark.SEEN_SECOND_HAND if second_hand else Mark.SEEN
    return Source(title=title, mark=mark, year=year, url=url)


_TITLE, _ABSTRACT, _KEYWORD = Field.TITLE, Field.ABSTRACT, Field.KEYWORD
_BOTH, _TOPIC, _ALL = Field.TITLE_ABSTRACT, Field.TOPIC, Field.ALL

DATABASES: Final[tuple[Dialect, ...]] = (
    Dialect(
        name="pubmed",
        chinese=False,
        fields={
            _TITLE: ("{}[ti]",),
            _KEYWORD: ("{}[ot]",),
            _BOTH: ("{}[tiab]",),
            _TOPIC: ("{}[tiab]",),  # title, abstract and the authors' keywords
            _ALL: ("{}[all]",),
        },
        each=True,
        quote=_double,
        heading='"{}"[mh]',
        vocabulary=Vocabulary.MESH,
        syntax=_seen("PubMed Help", "https://www.ncbi.nlm.nih.gov/books/NBK3827", 2016),
    ),
    Dialect(
        name="wos",
        chinese=False,
        fields={
            _TITLE: ("TI=({})",),
            _ABSTRACT: ("AB=({})",),
            _KEYWORD: ("AK=({})",),
            _BOTH: ("TI=({})", "AB=({})"),
            _TOPIC: ("TS=({})",),
            _ALL: ("ALL=({})",),
        },
        quote=_double_phrase,
        syntax=_seen(
            "Web of Science help, search operators",
            "https://images.webofknowledge.com/WOKRS56B5/help/WOS/hs_search_operators.html",
        ),
    ),
    Dialect(
        name="embase",
        chinese=False,
        fields={
            _TITLE: ("({}):ti",),
            _ABSTRACT: ("({}):ab",),
            _KEYWORD: ("({}):kw",),
            _BOTH: ("({}):ti,ab",),
            _TOPIC: ("({}):ti,ab,kw",),
        },
        quote=_single,
        heading="'{}'/exp",
        vocabulary=Vocabulary.EMTREE,
        syntax=_seen("Embase.com, as written in published strategies", "https://www.embase.com", second_hand=True),
        unverified=True,
    ),
    Dialect(
        name="embase-ovid",
        chinese=False,
        fields={
            _TITLE: ("({}).ti.",),
            _ABSTRACT: ("({}).ab.",),
            _KEYWORD: ("({}).kw.",),
            _BOTH: ("({}).ti,ab.",),
            _TOPIC: ("({}).ti,ab,kw.",),
            _ALL: ("({}).af.",),
        },
        quote=_ovid,
        words=(" and ", " or ", " not ", " or "),
        heading="exp {}/",
        vocabulary=Vocabulary.EMTREE,
        syntax=_seen("Ovid field guide for Embase", "http://zatoka.icm.edu.pl/OVIDWEB/fldguide/embase.htm"),
    ),
    Dialect(
        name="central",
        chinese=False,
        fields={
            _TITLE: ("({}):ti",),
            _ABSTRACT: ("({}):ab",),
            _KEYWORD: ("({}):kw",),
            _BOTH: ("({}):ti,ab",),
            _TOPIC: ("({}):ti,ab,kw",),
            _ALL: ("({})",),
        },
        quote=_cochrane,
        heading='[mh "{}"]',
        vocabulary=Vocabulary.MESH,
        syntax=_seen("Cochrane Library, search manager help", "https://cochranelibrary.com/search-manager-help"),
    ),
    Dialect(
        name="cnki",
        chinese=True,
        fields={
            _TITLE: ("TI%({})",),
            _ABSTRACT: ("AB%({})",),
            _KEYWORD: ("KY=({})",),
            _BOTH: ("TI%({})", "AB%({})"),
            _TOPIC: ("SU%=({})", "TKA=({})"),
            _ALL: ("FT%({})",),
        },
        quote=_single,
        words=(" AND ", " OR ", " NOT ", "+"),
        syntax=_seen(
            "cnki-mcp, professional search expressions",
            "https://github.com/sepinetam/cnki-mcp/blob/main/docs/api.md",
            second_hand=True,
        ),
        unverified=True,
        longest=CHOSEN_LONGEST,
    ),
    Dialect(
        name="vip",
        chinese=True,
        fields={
            _TITLE: ("T=({})",),
            _ABSTRACT: ("R=({})",),
            _KEYWORD: ("K=({})",),
            _BOTH: ("T=({})", "R=({})"),
            _TOPIC: ("M=({})", "R=({})"),
            _ALL: ("U=({})",),
        },
        quote=_bare,
        syntax=_seen("VIP, note on search fields", "https://qikan.cqvip.com", second_hand=True),
        unverified=True,
        longest=CHOSEN_LONGEST,
    ),
    Dialect(
        name="sinomed",
        chinese=True,
        fields={
            _TITLE: ("{}[中文标题:智能]",),
            _ABSTRACT: ("{}[摘要:智能]",),
            _KEYWORD: ("{}[关键词:智能]",),
            _BOTH: ("{}[中文标题:智能]", "{}[摘要:智能]"),
            _TOPIC: ("{}[常用字段:智能]",),
            _ALL: ("{}[全部字段:智能]",),
        },
        each=True,
        quote=_double,
        heading='"{}"[不加权:扩展]',
        vocabulary=Vocabulary.CMESH,
        syntax=_seen(
            "SinoMed, as run in a public review protocol", "https://www.sinomed.ac.cn", 2026, second_hand=True
        ),
        unverified=True,
        longest=CHOSEN_LONGEST,
    ),
    Dialect(
        name="wanfang",
        chinese=True,
        fields={
            _TITLE: ("题名:({})",),
            _ABSTRACT: ("摘要:({})",),
            _KEYWORD: ("关键词:({})",),
            _BOTH: ("题名:({})", "摘要:({})"),
            _TOPIC: ("主题:({})",),
            _ALL: ("全部:({})",),
        },
        quote=_double,
        words=(" and ", " or ", " not ", " or "),
        syntax=_seen(
            "Wanfang, as run in a public review protocol", "https://s.wanfangdata.com.cn", 2026, second_hand=True
        ),
        unverified=True,
        longest=CHOSEN_LONGEST,
    ),
)


def dialect(name: str) -> Dialect:
    """Return the search language of a database; an unknown name is an error that lists the known ones."""
    for one in DATABASES:
        if one.name == name:
            return one
    known = tuple(one.name for one in DATABASES)
    near = tuple(other for other in known if name.lower() in other or other in name.lower())
    raise UnknownNameError(error("registry.unknown-name", kind="databases", name=name, near=near, known=known))


def write_query(query: Query, database: str, *, longest: int | None = None) -> Expression:
    """Write a query in the language of one database.

    Parameters
    ----------
    query : Query
    database : str
        Its short name in `DATABASES`.
    longest : int, optional
        Characters that one expression may have; a longer one is split into several, whose results together are those of
        the query. Default: none for the English databases, a length of our own choice for the Chinese ones.

    Raises
    ------
    InputError
        ``chinese.query-field`` (the database has no such field), ``chinese.query-no-terms`` (no word in its language),
        ``chinese.query-unwritable`` (a term it has no way to write), ``chinese.query-too-long`` (no way to split it).
    UnknownNameError
        There is no such database.

    Examples
    --------
    >>> from sirolens.evidence.search.query import Term
    >>> drug = Block(name="drug", terms=(Term(text="sirolimus"), Term(text="西罗莫司", language="zh")))
    >>> itp = Block(name="itp", field=Field.TITLE, terms=(Term(text="ITP", language="both"),))
    >>> query = Query(title="Invented", blocks=(drug, itp))
    >>> write_query(query, "pubmed").parts[0]
    '"sirolimus"[tiab] AND "ITP"[ti]'
    >>> write_query(query, "wanfang").parts[0]
    '主题:("西罗莫司") and 题名:("ITP")'
    """
    one = dialect(database)
    limit = longest if longest is not None else one.longest
    faults: list[Message] = []
    blocks = [(block, _alternatives(block, one, faults)) for block in query.blocks]
    if faults:
        raise InputError(*faults)
    parts = _split(blocks, one, limit)
    messages = [warning("chinese.query-unverified" if one.unverified else "chinese.query-not-run", source=one.syntax)]
    if judged := _judged(query, one):
        messages.append(info("chinese.query-judged", words=judged))
    if len(parts) > 1:
        messages.append(info("chinese.query-split", parts=len(parts), longest=limit))
    return Expression(
        database=one.name, parts=parts, unverified=one.unverified, syntax=one.syntax, messages=tuple(messages)
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Alternatives:
    """The written headings and terms of one block, and the templates of its field."""

    headings: tuple[str, ...]
    terms: tuple[str, ...]
    templates: tuple[str, ...]

    def halves(self) -> tuple[_Alternatives, _Alternatives]:
        """Return two blocks that together have all alternatives."""
        middle = (len(self.headings) + len(self.terms)) // 2
        first = min(middle, len(self.headings))
        second = middle - first
        return (
            _Alternatives(headings=self.headings[:first], terms=self.terms[:second], templates=self.templates),
            _Alternatives(headings=self.headings[first:], terms=self.terms[second:], templates=self.templates),
        )


def _alternatives(block: Block, one: Dialect, faults: list[Message]) -> _Alternatives:
    templates = one.fields.get(block.field)
    if templates is None:
        known = tuple(str(field) for field in one.fields)
        faults.append(error("chinese.query-field", block=block.name, field=block.field, database=one.name, known=known))
    own = "zh" if one.chinese else "en"
    terms = []
    for term in block.terms:
        if term.language not in (own, "both"):
            continue
        written = one.quote(term.text)
        if (fault := text_fault(term.text, term.language)) is not None:
            faults.append(_told(term.text, *fault))
        elif written is None:
            faults.append(error("chinese.query-unwritable", term=term.text, block=block.name, database=one.name))
        else:
            terms.append(written)
    headings = [heading.text for heading in block.headings if one.heading and heading.vocabulary is one.vocabulary]
    wrong = [(text, fault) for text in headings if (fault := text_fault(text, heading=True)) is not None]
    faults += [_told(text, *fault) for text, fault in wrong]
    if not terms and not headings:
        faults.append(error("chinese.query-no-terms", block=block.name, database=one.name))
    return _Alternatives(
        headings=tuple(one.heading.format(text) for text in headings), terms=tuple(terms), templates=templates or ()
    )


def _judged(query: Query, one: Dialect) -> tuple[str, ...]:
    """Return the terms and headings used here that stand in the query by judgement."""
    own = ("zh" if one.chinese else "en", "both")
    terms = [term for block in query.blocks for term in block.terms if term.language in own]
    headings = [told for block in query.blocks for told in block.headings if told.vocabulary is one.vocabulary]
    texts = [told.text for told in headings if told.mark is Mark.JUDGE]
    texts += [told.text for told in terms if told.mark is Mark.JUDGE]
    return tuple(dict.fromkeys(texts))


def _told(text: str, code: str, values: Mapping[str, Value]) -> Message:
    return Message(code=code, severity=Severity.ERROR, items=tuple(sorted({"value": text, **values}.items())))


def _split(blocks: Sequence[tuple[Block, _Alternatives]], one: Dialect, limit: int | None) -> tuple[str, ...]:
    """Write the expression; while it is too long, halve the longest block that must be found: (A or B) and C = ..."""
    text = _write(blocks, one)
    if limit is None or len(text) <= limit:
        return (text,)
    sizes = [
        0 if block.exclude or len(told.headings) + len(told.terms) < 2 else len(_group(told, one))
        for block, told in blocks
    ]
    index = sizes.index(max(sizes))
    if not sizes[index]:
        raise InputError(error("chinese.query-too-long", database=one.name, length=len(text), longest=limit))
    block, told = blocks[index]
    parts: list[str] = []
    for half in told.halves():
        parts += _split([*blocks[:index], (block, half), *blocks[index + 1 :]], one, limit)
    return tuple(parts)


def _write(blocks: Sequence[tuple[Block, _Alternatives]], one: Dialect) -> str:
    both, _, without, _ = one.words
    found = [_bracketed(told, one) for block, told in blocks if not block.exclude]
    text = both.join(found)
    for block, told in blocks:
        if block.exclude:
            text = f"({text}){without}{_bracketed(told, one)}"
    return text


def _group(told: _Alternatives, one: Dialect) -> str:
    return one.words[1].join(_conditions(told, one))


def _bracketed(told: _Alternatives, one: Dialect) -> str:
    conditions = _conditions(told, one)
    return conditions[0] if len(conditions) == 1 else f"({one.words[1].join(conditions)})"


def _conditions(told: _Alternatives, one: Dialect) -> list[str]:
    if not told.terms:
        return list(told.headings)
    if one.each:
        words = [template.format(term) for term in told.terms for template in told.templates]
    else:
        words = [template.format(one.words[3].join(told.terms)) for template in told.templates]
    return [*told.headings, *words]
