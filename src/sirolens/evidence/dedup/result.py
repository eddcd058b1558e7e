# SPDX-License-Identifier: Apache-2.0
"""What deduplication gives back: clusters with the reason of every join, pairs to ask about, links and flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import final

from sirolens.message import Message

__all__ = ["Ask", "Cluster", "Decision", "Duplicates", "Flag", "FlagKind", "Join", "Link", "LinkKind", "Verdict"]


class Verdict(StrEnum):
    """What a person decided about records."""

    MERGED = "merged"  # they are one report
    KEPT_APART = "kept-apart"  # they are not
    UNMERGED = "unmerged"  # a merge is taken back: from now on they are not


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision of a person; a later one about the same two records replaces it.

    Parameters
    ----------
    members : tuple of str
        Ids of records. Without `others` the verdict holds between any two of them.
    verdict : Verdict
    others : tuple of str
        When given, the verdict holds between each member and each of these (a part taken out of a cluster).

    Examples
    --------
    >>> Decision(members=("r-1", "r-2"), verdict=Verdict.KEPT_APART).verdict.value
    'kept-apart'
    """

    members: tuple[str, ...]
    verdict: Verdict
    others: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Two records taken for one report, and why.

    Parameters
    ----------
    first, second : str
        Ids, `first` before `second` in order of characters.
    rule : str
        Name of the rule: the part of the message's code after the point.
    why : Message
        The reason shown to the reviewer; its values are the evidence.
    """

    first: str
    second: str
    rule: str
    why: Message


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Two records that may be one report; a person decides.

    Parameters
    ----------
    first, second : str
        Ids in order of characters.
    why : Message
        What speaks for it and what is in doubt.
    """

    first: str
    second: str
    why: Message


class LinkKind(StrEnum):
    """How two reports that are not duplicates belong together."""

    ABSTRACT = "abstract"  # a meeting abstract and a paper, or two abstracts, of the same title and authors
    PREPRINT = "preprint"  # a preprint and the paper
    ERRATUM = "erratum"
    RETRACTION = "retraction"  # the notice and what it withdraws
    COMMENT = "comment"  # comment or reply
    SERIES = "series"  # Part I, Part II
    UPDATE = "update"  # a later version of the same review
    REGISTRATION = "registration"  # a register's entry and a report of it
    SAME_TRIAL = "same-trial"  # two reports with one registration number: their patients overlap
    SAME_TITLE = "same-title"  # title and authors agree, the place does not


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Two reports that belong together and stay two.

    Parameters
    ----------
    first, second : str
        Ids in order of characters; records of two different clusters.
    kind : LinkKind
    why : Message
    """

    first: str
    second: str
    kind: LinkKind
    why: Message


class FlagKind(StrEnum):
    """What hangs over a record."""

    RETRACTED = "retracted"
    RETRACTION_NOTICE = "retraction-notice"
    CONCERN = "concern"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A record that was retracted, is a notice of retraction, or stands under an expression of concern.

    Parameters
    ----------
    record : str
        Its id.
    kind : FlagKind
    why : Message
    """

    record: str
    kind: FlagKind
    why: Message


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Records of one report.

    Parameters
    ----------
    representative : str
        The record that tells most (identifiers, abstract, complete place), by a fixed rule.
    members : tuple of str
        All ids, the representative's too, in order of characters.
    joins : tuple of Join
        One less than members: the joins that made the cluster.

    Examples
    --------
    >>> Cluster(representative="r-1", members=("r-1",)).joins
    ()
    """

    representative: str
    members: tuple[str, ...]
    joins: tuple[Join, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """The outcome of `sirolens.evidence.dedup.deduplicate.deduplicate`.

    Parameters
    ----------
    clusters : tuple of Cluster
        Every record is in exactly one; those of one record are here too. In order of their first member.
    asks : tuple of Ask
    links : tuple of Link
    flags : tuple of Flag
    messages : tuple of Message
        What else has to be said: a known cluster that is split, decisions that contradict each other.
    """

    clusters: tuple[Cluster, ...]
    asks: tuple[Ask, ...] = ()
    links: tuple[Link, ...] = ()
    flags: tuple[Flag, ...] = ()
    messages: tuple[Message, ...] = ()

    @property
    def merged(self) -> tuple[Cluster, ...]:
        """The clusters of two records or more."""
        return tuple(cluster for cluster in self.clusters if len(cluster.members) > 1)

    @property
    def removed(self) -> int:
        """How many records are duplicates: records less clusters."""
        return sum(len(cluster.members) - 1 for cluster in self.clusters)

    @property
    def representative(self) -> Mapping[str, str]:
        """Record id -> id of its cluster's representative."""
        return {member: cluster.representative for cluster in self.clusters for member in cluster.members}
