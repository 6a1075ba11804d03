"""Which trace the present work belongs to: one runs from what began it through every message to its end.

A trace travels as a W3C traceparent: a request carries it in its headers, a message in an attribute. The doors say what
they serve, the guard gives it on to every message that a function publishes, and the journals name it in each line.
What can go wrong: Google's front end begins a trace of its own at each push, so the message's own counts first; a tick
of the scheduler brings none at all where there is no front end, so one is made of the message's id: the same for every
delivery. What is not well-formed is no trace, whoever sent it.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

ATTRIBUTE = "traceparent"


class Headers(Protocol):
    """The headers of a request; names in any case."""

    def get(self, name: str, otherwise: str, /) -> str:
        """Give one header."""
        ...


_PARENT = re.compile(r"[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_GOOGLE = re.compile(r"(?P<trace>[0-9a-f]{32})(/(?P<span>\d{1,19}))?(;o=\d)?")
_NOTHING = 32 * "0"
_CURRENT: ContextVar[str] = ContextVar(ATTRIBUTE, default="")


def traceparent() -> str:
    """Give the traceparent of the present work, "" when it has none."""
    return _CURRENT.get()


def trace_id() -> str:
    """Give the 32 hexadecimal digits of the present trace, "" when there is none."""
    return _CURRENT.get()[3:35]


@contextmanager
def serving(headers: Headers) -> Iterator[None]:
    """Work on one request, in the trace that its headers name."""
    before = _CURRENT.set(from_headers(headers))
    try:
        yield
    finally:
        _CURRENT.reset(before)


def follow(attributes: Mapping[str, str], *, message_id: str) -> None:
    """Go on with the request in the trace of its message; without one in the request's, else in a new one."""
    made = hashlib.sha256(message_id.encode()).hexdigest()
    new = f"00-{made[:32]}-{made[32:48]}-01"
    _CURRENT.set(_well_formed(attributes.get(ATTRIBUTE, "")) or _CURRENT.get() or new)


def from_headers(headers: Headers) -> str:
    """Read the traceparent of a request: W3C's header, else Google's X-Cloud-Trace-Context, else ""."""
    found = _GOOGLE.fullmatch(headers.get("X-Cloud-Trace-Context", ""))
    google = f"00-{found['trace']}-{int(found['span'] or 1) or 1:016x}-01" if found else ""
    return _well_formed(headers.get(ATTRIBUTE, "")) or _well_formed(google)


def _well_formed(parent: str) -> str:
    found = _PARENT.fullmatch(parent)
    return parent if found and found["trace"] != _NOTHING else ""
