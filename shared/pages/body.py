"""The body of a request to the public page: a small form that comes within seconds, or nothing.

What can go wrong: a stranger announces a body and sends a byte a second, from hundreds of connections at once: each
holds a place until it ends; a body of megabytes is read into memory by the framework, which reads whatever a function
left (functions_framework.read_request), and what that leaves the server reads for five seconds more. What this
promises: of a small form all is read within `DEADLINE_S` in all, however its bytes come, and a request of any other
kind is not read at all; then the connection is closed for reading, so that neither framework nor server waits for more.

A time-out of the socket does not do that: each byte renews it. So a timer closes the socket for reading, which ends the
read that waits. Headers come before a function is called: in the cloud Google's front end takes them, and how long it
waits for slow ones was never tried here; on one machine nobody bounds them, and the owner signs in by the command,
which needs no page.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO

from flask import Request

DEADLINE_S = 2.5
FORM = "application/x-www-form-urlencoded"
_SOCKET = "gunicorn.socket"


class Slow(Exception):
    """The body did not come within the deadline, or not whole."""


def take(request: Request, most: int) -> None:
    """Read the body of a small form, of `most` bytes at most, and leave it to be read; of all else leave nothing.

    Raises Slow.
    """
    announced = request.content_length or 0
    is_form = request.method == "POST" and request.mimetype == FORM and 0 < announced <= most
    raw = b""
    if is_form:
        with _by_the_deadline(request):
            raw = request.environ["wsgi.input"].read(announced)
    complete = len(raw) == announced and "HTTP_TRANSFER_ENCODING" not in request.environ
    if not complete:
        _close_for_reading(request)
    # What reads on, the framework too, finds this and no more.
    request.environ |= {"wsgi.input": BytesIO(raw if complete else b""), "wsgi.input_terminated": True}
    if is_form and not complete:
        raise Slow


@contextmanager
def _by_the_deadline(request: Request) -> Iterator[None]:
    """Let what is read inside end by the deadline, where the server gives us its socket: in every process of ours."""
    timer = threading.Timer(DEADLINE_S, _close_for_reading, (request,))
    timer.daemon = True
    if _SOCKET in request.environ:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _close_for_reading(request: Request) -> None:
    """Read no more of this connection; an answer can still be sent."""
    there = request.environ.get(_SOCKET)
    if there is not None:
        with suppress(OSError):
            there.shutdown(socket.SHUT_RD)
