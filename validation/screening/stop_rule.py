# SPDX-License-Identifier: Apache-2.0
"""Simulated reviews: how often the stop rule leaves a review below its target recall, and what it saves."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
from scipy.stats import beta

from sirolens.evidence.screening.stopping import StopAnswer, StopPlan, error_probability, open_sample, stop

REVIEWS = 2_000
TARGET = Fraction("0.95")
DRY = 100  # records without a relevant one after which a reviewer thinks of stopping


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One simulated review at the moment at which the sample is opened."""

    relevant: frozenset[str]
    unscreened: tuple[str, ...]

    @property
    def found(self) -> int:
        """Relevant records found before."""
        return len(self.relevant - set(self.unscreened))


def ids(records: int) -> list[str]:
    return [f"r-{number:05d}" for number in range(records)]


def drawn(stream: random.Random) -> tuple[list[str], list[str]]:
    """Return the ids of a review of 1,000 to 4,000 records and the 2 to 8 % that are relevant."""
    everything = ids(stream.randint(1_000, 4_000))
    return everything, stream.sample(everything, max(20, int(len(everything) * stream.uniform(0.02, 0.08))))


def after(order: list[str], relevant: set[str], screened: int) -> Review:
    return Review(relevant=frozenset(relevant), unscreened=tuple(order[screened:]))


def when_dry(order: list[str], relevant: set[str]) -> int:
    """Return how many are screened when the last hundred held nothing relevant."""
    since = 0
    for number, name in enumerate(order, 1):
        since = 0 if name in relevant else since + 1
        if since == DRY:
            return number
    return len(order) - 1


def by_random(stream: random.Random) -> Review:
    everything, relevant = drawn(stream)
    stream.shuffle(everything)
    return after(everything, set(relevant), int(len(everything) * stream.uniform(0.5, 0.98)))


def by_score(stream: random.Random, signal: Callable[[str, bool], float]) -> Review:
    everything, relevant = drawn(stream)
    hits = set(relevant)
    order = sorted(everything, key=lambda name: -(stream.gauss(0, 1) + signal(name, name in hits)))
    return after(order, hits, when_dry(order, hits))


def good(stream: random.Random) -> Review:
    return by_score(stream, lambda _, relevant: 3.0 * relevant)


def bilingual(stream: random.Random) -> Review:
    """The ranking knows English words only: the 2 to 35 % Chinese records come last, in no order."""
    tongue = random.Random(stream.random())
    share = tongue.uniform(0.02, 0.35)
    chinese: dict[str, bool] = {}

    def signal(name: str, relevant: bool) -> float:
        is_chinese = chinese.setdefault(name, tongue.random() < share)
        return -6.0 if is_chinese else 3.0 * relevant

    return by_score(stream, signal)


@cache
def worst_missed(unscreened: int, found: int) -> int:
    """Return how many missed records make the rule err most often."""
    sample = open_sample(StopPlan(seed="probe"), ids(unscreened), found)
    return max(range(1, found // 2), key=lambda missed: error_probability(sample, missed))


def tail(stream: random.Random) -> Review:
    """The ranking hides just so many relevant records at its end, and the sample is opened just then, as errs most."""
    everything = ids(stream.choice((1_000, 2_000, 4_000)))
    half, found = len(everything) // 2, stream.choice((60, 100, 150, 213))
    missed = worst_missed(half, found)
    hits = set(stream.sample(everything, found + missed))
    hidden = set(stream.sample(sorted(hits), missed))
    rest = stream.sample(sorted(set(everything) - hits), half - missed)
    return Review(relevant=frozenset(hits), unscreened=tuple(sorted(hidden | set(rest))))


RANKINGS: dict[str, Callable[[random.Random], Review]] = {
    "random": by_random,
    "good": good,
    "adversarial tail": tail,
    "bilingual": bilingual,
}


def simulated(kind: str, number: int) -> tuple[bool, bool, float, float]:
    """Return whether a stop was possible, whether it came, the recall at the end, the share of records left unread."""
    review = RANKINGS[kind](random.Random(f"{kind}:{number}"))
    sample = open_sample(StopPlan(seed=f"review {kind} {number}"), review.unscreened, review.found)
    truth = {name: name in review.relevant for name in sample.order}
    for look in sample.looks:
        verdict = stop(sample, {name: truth[name] for name in sample.order[:look]})
        if verdict.answer is StopAnswer.MAY_STOP:
            recall = 1 - len(review.relevant & set(verdict.rest)) / len(review.relevant)
            return True, True, recall, len(verdict.rest) / len(review.unscreened)
    return sample.attainable, False, 1.0, 0.0


def main(reviews: int = REVIEWS, rankings: tuple[str, ...] = tuple(RANKINGS)) -> None:
    """Print the table of the README."""
    head = ("ranking", "reviews", "stop possible", "stopped", "below the target", "upper 95 % bound", "mean recall")
    print("| " + " | ".join((*head, "left unread where stopped")) + " |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in rankings:
        with ThreadPoolExecutor(2) as pool:
            rows = np.array(list(pool.map(lambda number, kind=kind: simulated(kind, number), range(reviews))))
        possible, stopped, recall, left = rows.T
        errors = int((recall < float(TARGET)).sum())
        bound = beta.ppf(0.95, errors + 1, reviews - errors)
        saved = left[stopped == 1].mean() if stopped.any() else 0.0
        print(
            f"| {kind} | {reviews:,} | {possible.mean():.0%} | {stopped.mean():.0%} | {errors / reviews:.4f} "
            f"| {bound:.4f} | {recall.mean():.3f} | {saved:.0%} of the unscreened |",
            flush=True,
        )


if __name__ == "__main__":
    main()
