# SPDX-License-Identifier: Apache-2.0
"""Which assay measured what: the patient's laboratory, a model's cohort, and the range a target was written for.

Assays of sirolimus do not agree, and the gap is as large as a dosing step. `relation` says by what factor one assay
reads against another, and how surely; where no figure was read in a source, it says so and nothing is converted:

    reading_b = reading_a * factor,   log(factor) ~ normal(log(median), log_sd)

All figures are kept against one reference, chromatography with mass spectrometry. The rule of the whole chain
(`chain`): levels and predictions are shown on the scale of the patient's own laboratory, models are brought to it,
and the limits of a target are brought to it; each step that rests on no figure is flagged.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from types import MappingProxyType
from typing import final

from sirolens.dosing.literature import source
from sirolens.message import Message, info, warning
from sirolens.source import Mark, Source

__all__ = [
    "AS_IS",
    "BIAS",
    "UNKNOWN",
    "Bias",
    "Chain",
    "Relation",
    "chain",
    "changes",
    "model_link",
    "relation",
    "target_link",
]

UNKNOWN = "unknown"
_ONE_SCALE = Source(
    title="Chromatographic methods are read as one scale: no bias between them was found in a source", mark=Mark.JUDGE
)
_PROFICIENCY = Source(
    title="Long-term evaluation of analytical methods used in sirolimus therapeutic drug monitoring",
    mark=Mark.SEEN,
    place="proficiency samples: CMIA +21.9 +/- 12.3 % against LC-MS/MS, MEIA -2.3 +/- 11.2 % and drifting",
)
_THREE_SITES = Source(
    title="Multi-site evaluation of a sirolimus CMIA against LC-MS/MS: +14, +25 and +39 % at three sites",
    mark=Mark.SEEN,
    pmid="19563794",
)
_MEIA_SLOPE = Source(
    title="Sirolimus MEIA against LC-MS/MS: slope about +25 %, metabolite cross-reactivity, haematocrit effect",
    mark=Mark.SEEN,
    doi="10.1016/j.clinbiochem.2006.01.017",
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Bias:
    """How one assay reads against mass spectrometry.

    Parameters
    ----------
    assay : str
        Its name in a chart.
    factor : float, optional
        Median of reading / reference; None where the sources disagree too much to convert.
    log_sd : float
        How far log(factor) differs between laboratories and times.
    sources : tuple of Source
        Every source read, also those that disagree.
    """

    assay: str
    factor: float | None
    log_sd: float
    sources: tuple[Source, ...]


# CMIA: 0.123 / 1.219 = 0.10; the three sites scatter by as much around 1.26. MEIA: -2.3 % against about +25 %.
BIAS = MappingProxyType(
    {
        "lc-ms/ms": Bias(assay="lc-ms/ms", factor=1.0, log_sd=0.0, sources=(_ONE_SCALE,)),
        "hplc-uv": Bias(assay="hplc-uv", factor=1.0, log_sd=0.0, sources=(_ONE_SCALE,)),
        "chromatography": Bias(assay="chromatography", factor=1.0, log_sd=0.0, sources=(_ONE_SCALE,)),
        "cmia": Bias(assay="cmia", factor=1.219, log_sd=0.123 / 1.219, sources=(_PROFICIENCY, _THREE_SITES)),
        "meia": Bias(assay="meia", factor=None, log_sd=0.0, sources=(_PROFICIENCY, _MEIA_SLOPE)),
    }
)
"""Every figure read. FPIA, EMIT, ACMIA and ECLIA have none: a regression exists for one analyser (Dimension RxL,
1.20 x - 0.70, PMID 19303402), but a chart names the method, not the analyser."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """The factor from one assay's readings to another's.

    Parameters
    ----------
    factor : float
        Median factor; 1 where nothing is converted.
    log_sd : float
        Uncertainty of log(factor).
    known : bool
        False where no figure relates the two.
    sources : tuple of Source
        What the factor rests on, or what was read but not used.
    """

    factor: float
    log_sd: float
    known: bool
    sources: tuple[Source, ...] = ()

    @property
    def converts(self) -> bool:
        """Whether numbers change."""
        return self.factor != 1.0 or self.log_sd > 0.0


AS_IS = Relation(factor=1.0, log_sd=0.0, known=False)
"""Nothing is converted."""


def relation(from_assay: str, to_assay: str) -> Relation:
    """Relate the readings of two assays.

    Parameters
    ----------
    from_assay, to_assay : str
        Names as in a chart or a model file.

    Returns
    -------
    Relation
        ``factor = bias(to) / bias(from)``; factor 1 and `known` False without a figure for both.

    Examples
    --------
    >>> round(relation("cmia", "lc-ms/ms").factor, 3), relation("emit", "lc-ms/ms").known
    (0.82, False)
    """
    if from_assay == to_assay and from_assay != UNKNOWN:
        return Relation(factor=1.0, log_sd=0.0, known=True)
    found = (BIAS.get(from_assay), BIAS.get(to_assay))
    sources = tuple(dict.fromkeys(one for bias in found if bias for one in bias.sources))
    first, second = found
    if first is None or second is None or first.factor is None or second.factor is None:
        return Relation(factor=1.0, log_sd=0.0, known=False, sources=sources)
    return Relation(
        factor=second.factor / first.factor, log_sd=math.hypot(first.log_sd, second.log_sd), known=True, sources=sources
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The three links: model to laboratory, and target to laboratory.

    Parameters
    ----------
    laboratory : str
        The scale everything is shown on.
    model : Relation
        From the model's cohort to that scale: multiply a prediction by its factor.
    target : Relation
        From the target's own assay to that scale: multiply its limits by its factor.
    messages : tuple of Message
        A flag for every link, converted or not.
    """

    laboratory: str
    model: Relation
    target: Relation
    messages: tuple[Message, ...]


def model_link(
    model: str, model_name: str, laboratory: str, *, convert: bool = True
) -> tuple[Relation, tuple[Message, ...]]:
    """Relate a model's cohort to the patient's laboratory, with the flag it needs.

    An unknown laboratory is one flag of its own, not one for every model.

    >>> link, flags = model_link("chromatography", "Jiao 2009", "cmia")
    >>> round(link.factor, 3), [flag.code for flag in flags]
    (1.219, ['assay.model-converted'])
    """
    found = relation(model, laboratory)
    if laboratory == UNKNOWN:
        return found, (info("assay.laboratory-unknown", source=source("assay-notice")),)
    if found.converts and convert:
        return found, (_converted("assay.model-converted", found, laboratory, model, model=model_name),)
    if found.converts or not found.known:
        return AS_IS, (_unrelated("assay.model-unrelated", laboratory, model, model=model_name),)
    return found, ()


def target_link(target: str, laboratory: str, *, convert: bool = True) -> tuple[Relation, tuple[Message, ...]]:
    """Relate the assay a target range was written for to the patient's laboratory, with the flag it needs.

    >>> target_link("fpia", "cmia")[0].factor
    1.0
    """
    found = relation(target, laboratory)
    if found.converts and convert:
        return found, (_converted("assay.target-converted", found, laboratory, target),)
    if found.converts or not found.known:
        return AS_IS, (_unrelated("assay.target-unrelated", laboratory, target),)
    return found, ()


def chain(*, laboratory: str, model: str, model_name: str, target: str = UNKNOWN, convert: bool = True) -> Chain:
    """Relate a model's cohort and a target to the patient's laboratory.

    Parameters
    ----------
    laboratory, model, target : str
        The three assays.
    model_name : str
        For the messages.
    convert : bool
        False leaves every number as it is and only flags.

    Examples
    --------
    >>> links = chain(laboratory="cmia", model="hplc-uv", model_name="Jiao 2009")
    >>> round(links.model.factor, 3), [message.code for message in links.messages]
    (1.219, ['assay.model-converted', 'assay.target-unrelated'])
    """
    to_model, of_model = model_link(model, model_name, laboratory, convert=convert)
    to_target, of_target = target_link(target, laboratory, convert=convert)
    return Chain(laboratory=laboratory, model=to_model, target=to_target, messages=(*of_model, *of_target))


def _converted(code: str, link: Relation, laboratory: str, other: str, model: str = "") -> Message:
    return info(
        code,
        source=link.sources[0] if link.sources else None,
        laboratory_assay=laboratory,
        other_assay=other,
        factor=link.factor,
        spread_percent=100.0 * link.log_sd,
        model=model,
    )


def _unrelated(code: str, laboratory: str, other: str, model: str = "") -> Message:
    return info(code, source=source("assay-notice"), laboratory_assay=laboratory, other_assay=other, model=model)


def changes(measured: Iterable[tuple[datetime, str]]) -> tuple[Message, ...]:
    """Flag every change of assay between consecutive levels.

    Parameters
    ----------
    measured : iterable of (datetime, str)
        Sampling time and assay of each level, in order of time.

    Examples
    --------
    >>> from datetime import UTC
    >>> first, second = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    >>> changes([(first, "cmia"), (second, "lc-ms/ms")])[0].values["to_assay"]
    'lc-ms/ms'
    """
    flagged = []
    ordered = list(measured)
    for (_, before), (at, after) in pairwise(ordered):
        if before != after:
            link = relation(before, after)
            code = "assay.changed" if link.known else "assay.changed-unrelated"
            flagged.append(
                warning(
                    code, source=source("assay-notice"), at=at, from_assay=before, to_assay=after, factor=link.factor
                )
            )
    return tuple(flagged)
