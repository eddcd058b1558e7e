# SPDX-License-Identifier: Apache-2.0
"""What people decided always stands, what was one stays one, and nothing joins a contradiction."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.dedup.test_deduplicate import RECORDS, named
from tests.evidence.dedup_records import TITLE, clusters, record

from sirolens.evidence.dedup.deduplicate import Decision, Verdict, deduplicate

OTHER = {"title": "Danazol in an invented town", "authors": "Poe E", "pages": "70-75"}


def apart(*members: str) -> Decision:
    return Decision(members=members, verdict=Verdict.KEPT_APART)


def together(*members: str) -> Decision:
    return Decision(members=members, verdict=Verdict.MERGED)


def test_a_person_merges_what_no_rule_would() -> None:
    found = deduplicate([record("a"), record("b", **OTHER)], decided=[together("a", "b")])
    assert clusters(found) == {frozenset("ab")}
    assert found.merged[0].joins[0].rule == "decided"


def test_a_person_keeps_apart_what_rules_would_merge() -> None:
    found = deduplicate([record("a", pmid="99000001"), record("b", pmid="99000001")], decided=[apart("a", "b")])
    assert clusters(found) == {frozenset("a"), frozenset("b")}
    assert found.asks == ()


def test_a_third_record_does_not_bring_together_what_was_kept_apart() -> None:
    records = [record(name) for name in "abc"]
    found = deduplicate(records, decided=[apart("a", "b")])
    assert not any({"a", "b"} <= set(cluster.members) for cluster in found.clusters)
    assert len(found.clusters) == 2


def test_the_last_word_counts_and_a_merge_can_be_taken_back() -> None:
    records = [record("a"), record("b", **OTHER)]
    back = Decision(members=("a", "b"), verdict=Verdict.UNMERGED)
    assert len(deduplicate(records, decided=[together("a", "b"), back]).clusters) == 2
    assert len(deduplicate(records, decided=[back, together("a", "b")]).clusters) == 1


def test_a_part_of_a_cluster_is_taken_out_whole() -> None:
    split = Decision(members=("a", "b"), others=("c", "d"), verdict=Verdict.UNMERGED)
    found = deduplicate([record(name) for name in "abcd"], decided=[split])
    assert clusters(found) == {frozenset("ab"), frozenset("cd")}


def test_decisions_that_contradict_each_other_stay_apart_and_it_is_said() -> None:
    records = [record("a"), record("b", **OTHER), record("c", title="Vincristine in a third town", pages="90-91")]
    found = deduplicate(records, decided=[together("a", "b"), together("b", "c"), apart("a", "c")])
    assert not any({"a", "c"} <= set(cluster.members) for cluster in found.clusters)
    assert [message.code for message in found.messages] == ["dedup.decisions-contradict"]


def test_known_clusters_stay_and_a_split_is_said() -> None:
    records = [record("a"), record("b", **OTHER), record("c")]
    kept = deduplicate(records, known=[("a", "b", "gone")])
    assert clusters(kept) == {frozenset("abc")}
    assert {join.rule for join in kept.merged[0].joins} == {"known", "same-title-and-place"}
    split = deduplicate(records, known=[("a", "b")], decided=[apart("a", "b")])
    assert not any({"a", "b"} <= set(cluster.members) for cluster in split.clusters)
    assert [message.code for message in split.messages] == ["dedup.known-split"]


def test_a_chain_through_a_vague_record_is_asked_not_joined() -> None:
    vague = record("b", pages="", volume="", issue="", title="Sirolimus for relapsed immune thrombocytopenia")
    first = record("a", pmid="99000001", title="Sirolimus for relapsed immune thrombocytopenia", pages="11-12")
    second = record(
        "c", pmid="99000002", title="Sirolimus for relapsed immune thrombocytopenia", pages="90-95", issue="4"
    )
    found = deduplicate([first, vague, second])
    assert not any({"a", "c"} <= set(cluster.members) for cluster in found.clusters)
    assert "dedup.ask-chain" in {ask.why.code for ask in found.asks}


@given(drawn=RECORDS, data=st.data())
@settings(deadline=None, max_examples=120)
def test_whatever_is_decided_stands(drawn: list[dict[str, object]], data: st.DataObject) -> None:
    records = named(drawn)
    pairs = list(combinations([one.id for one in records], 2))
    chosen = data.draw(st.lists(st.tuples(st.sampled_from(pairs), st.sampled_from(list(Verdict))), max_size=8))
    found = deduplicate(records, decided=[Decision(members=pair, verdict=verdict) for pair, verdict in chosen])
    contradicting = any(message.code == "dedup.decisions-contradict" for message in found.messages)
    for pair, verdict in dict(chosen).items():
        one = found.representative[pair[0]] == found.representative[pair[1]]
        if verdict is Verdict.MERGED:
            assert one or contradicting
        else:
            assert not one
    for ask in found.asks:
        assert dict(chosen).get((ask.first, ask.second)) is None


@given(drawn=RECORDS, cut=st.integers(1, 8))
@settings(deadline=None, max_examples=120)
def test_records_that_come_later_never_split_what_was_one(drawn: list[dict[str, object]], cut: int) -> None:
    records = named(drawn)
    before = deduplicate(records[:cut])
    after = deduplicate(records, known=[cluster.members for cluster in before.clusters])
    for cluster in before.clusters:
        assert len({after.representative[one] for one in cluster.members}) == 1
    assert after.messages == ()


def test_a_decided_pair_is_not_asked_again() -> None:
    unsure = record("b", pmid="99000002")
    first = record("a", pmid="99000001")
    assert [ask.why.code for ask in deduplicate([first, unsure]).asks] == ["dedup.ask-two-pmids"]
    assert deduplicate([first, unsure], decided=[apart("a", "b")]).asks == ()
    assert deduplicate([first, unsure], decided=[together("a", "b")]).asks == ()
    assert first.title == TITLE
