"""What a failed answer means: one mapping from E*TRADE's many shapes to the error tree.

A failure comes as JSON, XML or HTML, whatever was asked for; the code is a number, a text or absent; the same
number means different things in different modules; throttling is a 400 without a code; an expired token may
be asleep or dead (etrade-api.md 0, 1.6, 3.5, 4.14, 6). So the raw body is searched for the few texts that are
known, the envelope is read where there is one, and what is left is decided by the status.

Nothing that E*TRADE wrote goes into an error: only our words, the status, the code and the OAuth problem's
name.
"""

import re
from datetime import datetime

from shared.errors import (
    AuthError,
    DeskError,
    KeyRefused,
    Refused,
    Throttled,
    TokenDead,
    TokenIdle,
    Unreadable,
)
from shared.etrade import reading
from shared.etrade.session import Answer
from shared.frozen import frozen


class Unavailable(Unreadable):
    """There is no usable answer now (silence, a reset, a good nonce refused); a read may be asked again."""


class ServerFailure(Unavailable):
    """The broker's server failed (5xx); for an order this says nothing about the outcome."""


@frozen
class Fault:
    """A failed answer as far as it can be read; `message` is the broker's text, cleaned of ids."""

    status: int
    problem: str | None = None
    code: int | None = None
    message: str = ""
    throttled: bool = False

    @property
    def refusal(self) -> bool:
        """Whether the broker understood the call and said no for a reason with a code of its own."""
        return self.status == 400 and self.code is not None and self.problem is None and not self.throttled

    @property
    def label(self) -> int | str | None:
        """The shortest name of the failure, for the journal."""
        return self.problem or ("rate" if self.throttled else self.code)


_PROBLEM = re.compile(rb"oauth_problem=([a-z_]{3,40})")
_RATE = re.compile(rb"exceeded the rate limit", re.IGNORECASE)
_XML_CODE = re.compile(rb"<code>\s*(-?\d{1,9})\s*</code>", re.IGNORECASE)
_XML_MESSAGE = re.compile(rb"<message>(.{0,2000}?)</message>", re.IGNORECASE | re.DOTALL)
_PREFIX = re.compile(r"^\d{3}\|")
_SECRET_LIKE = re.compile(r"[A-Za-z0-9+/=_%-]{20,}|\d{7,}")
_LONGEST_MESSAGE = 300

_KEY_PROBLEMS = frozenset({"consumer_key_unknown", "consumer_key_rejected", "consumer_key_refused"})
_SIGNATURE_PROBLEMS = frozenset({"signature_invalid", "signature_method_rejected"})
_TOKEN_PROBLEMS = frozenset(
    {"token_rejected", "token_revoked", "token_used", "permission_denied", "permission_unknown"}
)
# The server refuses a good request now and then; a fresh signature helps (etrade-api.md 1.3, 7 item 10).
_PASSING_PROBLEMS = frozenset({"nonce_used", "timestamp_refused", "parameter_absent"})


def fault(answer: Answer) -> Fault:
    """Read a failed answer of any shape; never raises."""
    problem = _PROBLEM.search(answer.body)
    code, message = _envelope(answer.body)
    return Fault(
        status=answer.status,
        problem=problem.group(1).decode() if problem else None,
        code=code,
        message=clean(message),
        throttled=answer.status == 429 or (400 <= answer.status < 500 and bool(_RATE.search(answer.body))),
    )


def error(failed: Fault, *, endpoint: str, token_dies_at: datetime | None, now: datetime) -> DeskError:
    """Give the error that a failed read is.

    E*TRADE says token_expired for a token that sleeps and for one that died at midnight: it is TokenIdle
    while the instant of its certain death lies ahead, else TokenDead (etrade-api.md 1.4, 1.6).
    """
    where = f"{endpoint}: status {failed.status}"
    if failed.problem is not None:
        return _auth(failed, f"{where}, {failed.problem}", token_dies_at, now)
    if failed.throttled:
        return Throttled(f"{where}, too many calls")
    match failed.status:
        case 401:
            return TokenDead(f"{where}, the key or the token is not accepted")
        case 403:
            return AuthError(f"{where}, not allowed")
        case 408 | 409:
            return Unavailable(where)
        case status if status >= 500:
            return ServerFailure(where if failed.code is None else f"{where}, code {failed.code}")
        case status if status >= 400:
            return Refused(where if failed.code is None else f"{where}, code {failed.code}", code=failed.code)
    return Unreadable(f"{where} is no answer to this call")


def _auth(failed: Fault, detail: str, token_dies_at: datetime | None, now: datetime) -> DeskError:
    problem = failed.problem
    if problem in _PASSING_PROBLEMS:
        return Unavailable(detail)
    if problem == "token_expired":
        asleep = token_dies_at is not None and now < token_dies_at
        return TokenIdle(detail) if asleep else TokenDead(detail)
    if problem in _TOKEN_PROBLEMS:
        return TokenDead(detail)
    if problem in _KEY_PROBLEMS or problem in _SIGNATURE_PROBLEMS:
        return KeyRefused(detail)
    return Refused(detail, code=failed.code)


def clean(message: str) -> str:
    """Give a broker's text fit to be shown: one line, no `200|` prefix, nothing that could be a key."""
    line = " ".join("".join(char if char.isprintable() else " " for char in message).split())
    return _SECRET_LIKE.sub("...", _PREFIX.sub("", line))[:_LONGEST_MESSAGE]


def _envelope(body: bytes) -> tuple[int | None, str]:
    """Read code and message of an Error envelope, JSON or XML; code 0 says nothing and is None."""
    try:
        node = reading.child(reading.tree(body, "error"), "error")
        return reading.whole(node, "code") or None, reading.text(node, "message") or ""
    except Unreadable:
        code = _XML_CODE.search(body)
        message = _XML_MESSAGE.search(body)
    return (
        (int(code.group(1)) or None) if code else None,
        message.group(1).decode("utf-8", "replace") if message else "",
    )
