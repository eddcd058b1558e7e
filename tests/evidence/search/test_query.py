# SPDX-License-Identifier: Apache-2.0
"""Search expressions: oracle is a small parser of this file, which reads them back as boolean functions."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from sirolens.cli import review_query
from sirolens.errors import InputError, SirolensError, UnknownNameError
from sirolens.evidence.search.databases import DATABASES, Dialect, dialect, write_query
from sirolens.evidence.search.query import Block, Field, Heading, Query, Term, Vocabulary, default_query, read_query
from sirolens.report.words import say
from sirolens.source import Mark

Truth = frozenset[tuple[str, str]]  # the alternatives that a record has: ("term" | "heading", text)
Function = Callable[[Truth], bool]

TOKEN = re.compile(
    r'\s*(?:\[mh "(?P<mh>[^"]+)"\]'
    r"|exp (?P<exp>[^/]+)/"
    r"|\((?P<next>[^()\"]+ NEXT [^()\"]+)\)"
    r'|"(?P<double>[^"]+)"(?P<tag>\[[^\]]+\])?'
    r"|'(?P<single>[^']+)'(?P<emtree>/exp)?"
    r"|(?P<prefix>(?:[A-Z]{1,3}(?:%=|=|%)|[\u4e00-\u9fff]+:)(?=\())"
    r"|(?P<open>\()"
    r"|(?P<close>\)(?::[a-z,]+|\.[a-z,]+\.)?)"
    r"|(?P<operator>(?:AND|OR|NOT|and|or|not)(?=[ (])|\+)"
    r"|(?P<bare>[^()\"'+]+?)(?=\s(?:and|or|not|AND|OR|NOT)\s|[()+]|$))"
)
HEADING_TAGS = ("[mh]", "[不加权:扩展]")


class Parser:
    """Reads an expression; two different operators on one level are refused, so that no precedence is relied on."""

    def __init__(self, text: str) -> None:
        self.tokens: list[re.Match[str]] = []
        at = 0
        while at < len(text):
            found = TOKEN.match(text, at)
            assert found is not None, text[at:]
            self.tokens.append(found)
            at = found.end()
        self.at = 0

    def kind(self) -> str | None:
        if self.at == len(self.tokens):
            return None
        groups = self.tokens[self.at].groupdict()
        return next(name for name, value in groups.items() if value is not None and name not in ("tag", "emtree"))

    def whole(self) -> Function:
        function = self.level()
        assert self.at == len(self.tokens)
        return function

    def level(self) -> Function:
        operands = [self.operand()]
        operators: set[str] = set()
        while self.kind() == "operator":
            operators.add(self.tokens[self.at]["operator"].upper())
            self.at += 1
            operands.append(self.operand())
        assert len(operators) <= 1, operators
        if operators == {"NOT"}:
            first, without = operands
            return lambda truth: first(truth) and not without(truth)
        combine = all if operators == {"AND"} else any
        return lambda truth: combine(operand(truth) for operand in operands)

    def operand(self) -> Function:
        kind = self.kind()
        token = self.tokens[self.at]
        self.at += 1
        if kind == "prefix":
            return self.operand()
        if kind == "open":
            inner = self.level()
            assert self.kind() == "close"
            self.at += 1
            return inner
        assert kind in ("mh", "exp", "next", "double", "single", "bare"), kind
        heading = kind in ("mh", "exp") or token["emtree"] is not None or (token["tag"] or "") in HEADING_TAGS
        text = token[kind].replace(" NEXT ", " ").strip()
        atom = ("heading" if heading else "term", text)
        return lambda truth: atom in truth


def wanted(query: Query, one: Dialect) -> tuple[Function, list[tuple[str, str]]]:
    """The boolean function of the blocks, straight from their definition."""
    own = "zh" if one.chinese else "en"
    blocks = []
    for block in query.blocks:
        atoms = [("term", term.text) for term in block.terms if term.language in (own, "both")]
        if one.heading:
            atoms += [("heading", told.text) for told in block.headings if told.vocabulary is one.vocabulary]
        blocks.append((block.exclude, atoms))

    def function(truth: Truth) -> bool:
        found = {
            exclude: [any(atom in truth for atom in atoms) for out, atoms in blocks if out is exclude]
            for exclude in (False, True)
        }
        return all(found[False]) and not any(found[True])

    return function, [atom for _, atoms in blocks for atom in atoms]


ENGLISH = (
    "sirolimus",
    "immune thrombocytopenia",
    "thrombocytopeni*",
    "immune thrombocytopeni*",
    "anti-CD20",
    "not known",
)
CHINESE = ("西罗莫司", "雷帕霉素", "免疫性血小板减少症", "mTOR抑制剂", "特发性血小板减少性紫癜")
TERMS = st.one_of(
    st.sampled_from(ENGLISH).map(lambda text: Term(text=text)),
    st.sampled_from(CHINESE).map(lambda text: Term(text=text, language="zh")),
    st.sampled_from(("ITP", "or", "Evans")).map(lambda text: Term(text=text, language="both")),
)
HEADINGS = st.builds(
    Heading,
    text=st.sampled_from(("Sirolimus", "Purpura, Thrombocytopenic, Idiopathic", "西罗莫司")),
    vocabulary=st.sampled_from(Vocabulary),
)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    blocks = [
        Block(
            name=f"block {number}",
            terms=tuple(draw(st.lists(TERMS, min_size=1, max_size=6, unique=True))),
            headings=tuple(draw(st.lists(HEADINGS, max_size=2, unique=True))),
            field=draw(st.sampled_from(Field)),
            exclude=number > 0 and draw(st.booleans()),
        )
        for number in range(draw(st.integers(1, 4)))
    ]
    return Query(title="Invented", blocks=tuple(blocks))


def same(parts: tuple[str, ...], query: Query, one: Dialect) -> bool:
    """Whether the parts together say what the blocks say, on drawn truth assignments."""
    function, atoms = wanted(query, one)
    read = [Parser(part).whole() for part in parts]
    draws = random.Random(5)
    truths = [
        frozenset(atom for atom in atoms if draws.random() < share) for share in (0.2, 0.5, 0.8) for _ in range(12)
    ]
    return all(any(part(truth) for part in read) == function(truth) for truth in truths)


@settings(max_examples=80, deadline=None)
@given(queries(), st.sampled_from(DATABASES), st.sampled_from((None, 80, 200)))
def test_an_expression_read_back_is_the_same_boolean_function(query: Query, one: Dialect, longest: int | None) -> None:
    try:
        expression = write_query(query, one.name, longest=longest)
    except InputError as fault:
        codes = {message.code for message in fault.messages}
        assert codes <= {
            "chinese.query-field",
            "chinese.query-no-terms",
            "chinese.query-unwritable",
            "chinese.query-too-long",
        }
        assume(False)
        return
    assert same(expression.parts, query, one)
    if longest is not None:
        assert all(len(part) <= longest for part in expression.parts)


@pytest.mark.parametrize("one", DATABASES, ids=lambda one: one.name)
def test_the_shipped_query_is_written_for_every_database_and_never_called_verified_without_a_source(
    one: Dialect,
) -> None:
    query = default_query()
    expression = write_query(query, one.name)
    assert len(expression.parts) == 1
    assert same(expression.parts, query, one)
    assert expression.syntax.url
    assert expression.unverified is (one.chinese or one.name == "embase")
    assert expression.messages[0].code == (
        "chinese.query-unverified" if expression.unverified else "chinese.query-not-run"
    )


@pytest.mark.parametrize("one", DATABASES, ids=lambda one: one.name)
def test_a_long_expression_is_split_into_parts_that_together_say_the_same(one: Dialect) -> None:
    query = default_query()
    whole = write_query(query, one.name, longest=10_000).parts[0]
    expression = write_query(query, one.name, longest=len(whole) - 1)
    assert len(expression.parts) > 1
    assert same(expression.parts, query, one)
    assert expression.messages[-1].code == "chinese.query-split"


def query_of(*terms: Term, field: Field = Field.TOPIC, exclude: Block | None = None) -> Query:
    blocks = (Block(name="drug", terms=terms, field=field),) + (() if exclude is None else (exclude,))
    return Query(title="Invented", blocks=blocks)


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        ("pubmed", '("immune thrombocytopeni*"[tiab] OR "ITP"[tiab])'),
        ("wos", 'TS=("immune thrombocytopeni*" OR ITP)'),
        ("embase", "('immune thrombocytopeni*' OR 'ITP'):ti,ab,kw"),
        ("embase-ovid", "(immune thrombocytopeni* or ITP).ti,ab,kw."),
        ("central", "((immune NEXT thrombocytopeni*) OR ITP):ti,ab,kw"),
        ("cnki", "(SU%=('ITP'+'免疫性血小板减少症') OR TKA=('ITP'+'免疫性血小板减少症'))"),
        ("vip", "(M=(ITP OR 免疫性血小板减少症) OR R=(ITP OR 免疫性血小板减少症))"),
        ("sinomed", '("ITP"[常用字段:智能] OR "免疫性血小板减少症"[常用字段:智能])'),
        ("wanfang", '主题:("ITP" or "免疫性血小板减少症")'),
    ],
)
def test_each_database_has_its_own_signs(database: str, expected: str) -> None:
    terms = (
        Term(text="immune thrombocytopeni*"),
        Term(text="ITP", language="both"),
        Term(text="免疫性血小板减少症", language="zh"),
    )
    assert write_query(query_of(*terms), database).parts == (expected,)


def test_an_excluded_block_stands_behind_brackets() -> None:
    out = Block(name="animals", terms=(Term(text="mice"),), field=Field.TITLE, exclude=True)
    assert write_query(query_of(Term(text="sirolimus"), exclude=out), "pubmed").parts == (
        '("sirolimus"[tiab]) NOT "mice"[ti]',
    )


def test_operators_inside_a_term_are_quoted_or_refused() -> None:
    assert write_query(query_of(Term(text="safety and efficacy")), "embase-ovid").parts == (
        '("safety and efficacy").ti,ab,kw.',
    )
    with pytest.raises(InputError, match="query-unwritable"):
        write_query(query_of(Term(text="safety and effica*")), "embase-ovid")
    with pytest.raises(InputError, match="query-unwritable"):
        write_query(query_of(Term(text="Evans 综合征", language="zh")), "vip")


def test_terms_chosen_by_judgement_are_listed() -> None:
    terms = (Term(text="sirolimus", mark=Mark.SEEN), Term(text="rapamune"), Term(text="西罗莫司", language="zh"))
    told = write_query(query_of(*terms), "pubmed").messages[1]
    assert (told.code, told.values["words"]) == ("chinese.query-judged", ("rapamune",))


def test_terms_are_told_as_they_are_searched_in_either_language() -> None:
    # A drug's name is a word of the program and has a Chinese one; a term of a search stays what it is.
    told = write_query(query_of(Term(text="everolimus")), "pubmed").messages[1]
    assert "everolimus" in say(told, "en")
    assert "everolimus" in say(told, "zh")


def test_two_terms_without_a_text_are_two_faults_and_no_repetition() -> None:
    with pytest.raises(InputError) as caught:
        read_query(BLOCK + "terms = [{note = 'a'}, {note = 'b'}]", "invented.toml")
    assert [message.code for message in caught.value.messages] == ["models.key-missing"] * 2


def test_a_term_made_without_a_file_is_checked_too() -> None:
    with pytest.raises(InputError, match="query-sign"):
        write_query(query_of(Term(text='siro") OR ("limus')), "pubmed")


def test_a_field_that_a_database_lacks_is_named_with_those_it_has() -> None:
    with pytest.raises(InputError) as caught:
        write_query(query_of(Term(text="sirolimus"), field=Field.ABSTRACT), "pubmed")
    (message,) = caught.value.messages
    assert message.code == "chinese.query-field"
    assert (message.values["database"], message.values["field"]) == ("pubmed", "abstract")
    assert "title" in message.values["known"]


def test_a_block_without_words_of_the_databases_language_is_refused() -> None:
    with pytest.raises(InputError, match=r"query-no-terms.*cnki"):
        write_query(query_of(Term(text="sirolimus")), "cnki")


def test_what_cannot_be_split_is_told_with_its_length() -> None:
    with pytest.raises(InputError, match="query-too-long"):
        write_query(query_of(Term(text="sirolimus" * 9)), "pubmed", longest=50)


def test_an_unknown_database_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="wanfang"):
        dialect("google")


BLOCK = 'title = "Invented"\n[[blocks]]\nname = "drug"\n'


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        (BLOCK, "chinese.query-block-empty", 2),
        (BLOCK + "terms = []", "chinese.query-block-empty", 2),
        (BLOCK + "terms = [{text = 'immune \"thrombocytopenia'}]", "chinese.query-quotes", 4),
        (BLOCK + "terms = [{text = '\"sirolimus\"'}]", "chinese.query-sign", 4),
        (BLOCK + "terms = [{text = 'siro*limus'}]", "chinese.query-star-inside", 4),
        (BLOCK + "terms = [{text = 'sir*'}]", "chinese.query-stem-short", 4),
        (BLOCK + "terms = [{text = '西罗莫司*', language = 'zh'}]", "chinese.query-star-chinese", 4),
        (BLOCK + "terms = [{text = '(西罗莫司)', language = 'zh'}]", "chinese.query-sign", 4),
        (BLOCK + "terms = [{text = 'ITP'}, {text = 'itp'}]", "chinese.query-term-twice", 4),
        (BLOCK + "headings = [{text = 'Sirolimus*', vocabulary = 'mesh'}]", "chinese.query-heading-cut", 4),
        (BLOCK + "headings = [{text = 'Sirolimus', vocabulary = 'msh'}]", "models.not-one-of", 4),
        (BLOCK + "field = 'subject'\nterms = [{text = 'sirolimus'}]", "models.not-one-of", 4),
        (BLOCK + "exclude = true\nterms = [{text = 'sirolimus'}]", "chinese.query-no-block", 2),
        (BLOCK + "terms = [{text = 'sirolimus', lang = 'en'}]", "models.unknown-key", 4),
        (
            BLOCK + "terms = [{text = 'a1'}]\n[[blocks]]\nname = 'drug'\nterms = [{text = 'b1'}]",
            "chinese.query-block-twice",
            6,
        ),
        ("title = 'Invented'", "models.key-missing", None),
        ("title = ", "models.not-toml", 1),
    ],
)
def test_a_wrong_query_is_refused_with_its_line(text: str, code: str, line: int | None) -> None:
    with pytest.raises(InputError) as caught:
        read_query(text, "invented.toml")
    message = caught.value.messages[0]
    assert message.code == code
    assert message.place is not None
    assert (message.place.file, message.place.line) == ("invented.toml", line)


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=30), st.sampled_from(("en", "zh", "both")))
def test_any_text_as_a_term_is_refused_or_written_so_that_it_reads_back(text: str, language: str) -> None:
    told = f"{BLOCK}terms = [{{text = {json.dumps(text)}, language = '{language}'}}]\n"
    try:
        query = read_query(told, "invented.toml")
        one = dialect("pubmed" if language == "en" else "cnki")
        parts = write_query(query, one.name).parts
    except SirolensError:
        return
    assert same(parts, query, one)


def application(language: str) -> typer.Typer:
    app = typer.Typer()
    group = typer.Typer()
    review_query.add_to(group, language)
    app.add_typer(group, name="review")
    return app


def test_the_command_prints_all_expressions_in_either_language() -> None:
    for language, word in (("en", "Unverified"), ("zh", "未核实")):
        done = CliRunner().invoke(application(language), ["review", "query", "--language", language])
        assert done.exit_code == 0
        assert done.stdout.count("## ") == len(DATABASES)
        assert "主题:(" in done.stdout
        assert word in done.stderr


def test_the_command_gives_json_and_says_when_one_database_fails(tmp_path: Path) -> None:
    file = tmp_path / "query.toml"
    file.write_text(BLOCK + "terms = [{text = 'sirolimus'}]", encoding="utf-8")
    arguments = ["review", "query", str(file), "-d", "pubmed", "-d", "cnki", "--json"]
    done = CliRunner().invoke(application("en"), arguments)
    assert done.exit_code == 2
    english, chinese = json.loads(done.stdout)
    assert english["expressions"] == ['"sirolimus"[tiab]']
    assert chinese["expressions"] == []
    assert "no term" in chinese["messages"][0]
