# SPDX-License-Identifier: Apache-2.0
"""Asks a public service politely: paced, patient with its faults, and silent about the user's key.

The only doors of this package to the network are the two clients that use this file. A request is sent again after
what passes (too many requests, a fault or a pause of the service, a broken line, an answer cut off), each time after a
longer wait, or after the one the service asks for. Redirections are not followed: they could carry the key elsewhere.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.message import Message as Headers
from email.utils import parsedate_to_datetime
from typing import IO, Final, final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from sirolens.errors import InputError, SirolensError
from sirolens.message import Message, error, info

__all__ = ["Pace", "PassingError", "RefusedError", "Service", "ask"]

PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which the same request may well succeed."""

LONGEST_WAIT_S: Final = 300.0
"""A service that asks for a longer pause is left alone, and the user told."""


@final
class PassingError(Exception):
    """An answer that cannot be used, though the same request may succeed; `why` says what was wrong with it."""

    def __init__(self, why: Message, wait_s: float | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.wait_s = wait_s


@final
class RefusedError(SirolensError):
    """The service said no, and will say so again."""


@final
class Pace:
    """Keeps requests apart, so that no second sees more of them than the service allows.

    Parameters
    ----------
    per_second : float
    clock : callable
        Seconds that never go back.
    sleep : callable
        Waits for so many seconds.

    Examples
    --------
    >>> now = [0.0]
    >>> pace = Pace(4, clock=lambda: now[0], sleep=lambda s: now.__setitem__(0, now[0] + s))
    >>> for _ in range(5): pace.wait()
    >>> now[0] >= 1.0
    True
    """

    __slots__ = ("_clock", "_next", "_sleep", "_step_s")

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        # A hundredth longer, because the network lets requests bunch up a little on their way.
        self._step_s = 1.01 / per_second
        self._clock, self._sleep = clock, sleep
        self._next = float("-inf")

    def wait(self) -> None:
        """Wait until the next request may leave."""
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._step_s

    def pause(self, seconds: float) -> None:
        """Wait for so long, beside the pace."""
        self._sleep(seconds)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where a service is and how it is asked.

    Parameters
    ----------
    name : str
        For messages.
    base : str
        Its address, beginning with https; a plain one only on this machine.
    pace : Pace
    headers : mapping
        Sent with every request; may hold the key.
    secrets : tuple of str
        Never shown.
    timeout_s : float
        How long the line may be silent.
    attempts : int
    """

    name: str
    base: str
    pace: Pace
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    timeout_s: float = 60.0
    attempts: int = 6

    def __post_init__(self) -> None:
        parts = urlsplit(self.base)
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise InputError(error("retrieval.not-https", service=self.name))

    def hide(self, text: str) -> str:
        """Return a text with every secret blacked out."""
        for secret in self.secrets:
            if secret:
                text = text.replace(secret, "***")
        return text


@final
class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage | Headers, newurl: str
    ) -> None:
        """Refuse: the caller sees the status."""


def ask(
    service: Service,
    path: str,
    fields: Mapping[str, str],
    *,
    check: Callable[[str], None],
    refusal: Callable[[int, str], Message],
    post: bool,
) -> str:
    """Ask until there is an answer that can be used.

    Parameters
    ----------
    service : Service
    path : str
        Below the service's address.
    fields : mapping
        Sent in the body (``post``) or behind the address.
    check : callable
        Looks at an answer: raises `PassingError` to have it asked again, any other error to give up.
    refusal : callable
        From status and text of an answer that says no to the message for the user, or raises as `check` does.
    post : bool

    Raises
    ------
    RefusedError
        The service said no.
    SirolensError
        ``retrieval.no-answer``: all attempts failed; the last reason is told.
    """
    opener = build_opener(_NoRedirect)
    why: Message = info("retrieval.unreachable", why="")
    for attempt in range(service.attempts):
        service.pace.wait()
        try:
            text = _sent(opener, service, path, fields, refusal, post)
            check(text)
            return text
        except PassingError as fault:
            why = fault.why
            wait_s = 2.0**attempt if fault.wait_s is None else fault.wait_s
            if wait_s > LONGEST_WAIT_S:
                raise RefusedError(error("retrieval.long-pause", service=service.name, wait_s=round(wait_s))) from None
            if attempt + 1 < service.attempts:
                service.pace.pause(wait_s)
    raise SirolensError(error("retrieval.no-answer", service=service.name, times=service.attempts, why=why)) from None


def _sent(
    opener: OpenerDirector,
    service: Service,
    path: str,
    fields: Mapping[str, str],
    refusal: Callable[[int, str], Message],
    post: bool,
) -> str:
    """Send one request and return the answer's text."""
    body = urlencode(fields)
    address = f"{service.base.rstrip('/')}/{path}"
    request = Request(
        address if post else f"{address}?{body}",
        data=body.encode("ascii") if post else None,
        headers=dict(service.headers),
        method="POST" if post else "GET",
    )
    try:
        with opener.open(request, timeout=service.timeout_s) as answer:
            return _decoded(answer.read())
    except HTTPError as fault:
        with fault:
            text = service.hide(_text_of(fault))
            if fault.code in PASSING:
                raise PassingError(info("retrieval.status", status=fault.code), _asked_wait(fault.headers)) from None
            raise RefusedError(refusal(fault.code, text)) from None
    except TimeoutError:
        raise PassingError(info("retrieval.timed-out", wait_s=service.timeout_s)) from None
    except URLError as fault:
        if isinstance(fault.reason, TimeoutError):
            raise PassingError(info("retrieval.timed-out", wait_s=service.timeout_s)) from None
        raise PassingError(info("retrieval.unreachable", why=service.hide(str(fault.reason)))) from None
    except (http.client.HTTPException, OSError):
        raise PassingError(info("retrieval.cut-answer")) from None


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise PassingError(info("retrieval.cut-answer")) from None


def _text_of(fault: HTTPError) -> str:
    try:
        return fault.read(100_000).decode("utf-8", errors="replace")
    except (OSError, http.client.HTTPException):
        return ""


def _asked_wait(headers: Headers) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, as a number or as a date beside the answer's own date."""
    asked = headers.get("Retry-After")
    if asked is None:
        return None
    if asked.strip().isdigit():
        return float(asked)
    try:
        until, now = parsedate_to_datetime(asked), parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    both = [one if one.tzinfo else one.replace(tzinfo=UTC) for one in (until, now)]
    return max(0.0, (both[0] - both[1]).total_seconds())
