"""Which trace a request belongs to, from the headers that Google's front end and other callers send."""

import re

from flask import has_request_context, request

_PARENT = re.compile(r"[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_GOOGLE = re.compile(r"(?P<trace>[0-9a-f]{32})(/\d+)?(;o=\d)?")
_NOTHING = 32 * "0"


def trace_id() -> str:
    """Give the 32 hexadecimal digits of the present request's trace, "" outside a request or when it names none."""
    if not has_request_context():
        return ""
    return trace_of(request.headers.get("traceparent", ""), request.headers.get("X-Cloud-Trace-Context", ""))


def traceparent() -> str:
    """Give the present request's W3C traceparent as it came, "" when it has none."""
    given = request.headers.get("traceparent", "") if has_request_context() else ""
    return given if trace_of(given, "") else ""


def trace_of(parent: str, google: str) -> str:
    """Read the trace from a W3C traceparent, else from an X-Cloud-Trace-Context; "" when neither is well-formed."""
    found = _PARENT.fullmatch(parent) or _GOOGLE.fullmatch(google)
    trace = found["trace"] if found else ""
    return "" if trace == _NOTHING else trace
