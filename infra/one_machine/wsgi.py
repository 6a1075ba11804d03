"""One HTTP exchange with a WSGI application in this process, without a socket or a client library."""

import sys
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

Write = Callable[[bytes], object]

_REASONS = {status.value: status.phrase for status in HTTPStatus}
_PLAIN = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class Answer(NamedTuple):
    """A whole HTTP answer; a named tuple, so that it unpacks."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def exchange(
    app: WSGIApplication,
    *,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    scheme: str = "https",
    host: str = "localhost",
) -> Answer:
    """Send one request, `target` being path and query, and read the answer; what the app raises is raised."""
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1") if "%" in path else path,
        "QUERY_STRING": query,
        "REQUEST_URI": target,
        "SERVER_NAME": host.partition(":")[0],
        "SERVER_PORT": host.partition(":")[2] or ("443" if scheme == "https" else "80"),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": host,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        key = name.lower()
        environ[_PLAIN.get(key) or "HTTP_" + key.upper().replace("-", "_")] = value
    return _run(app, environ)


def reason_of(status: int) -> str:
    """Give the standard phrase of a status, or nothing."""
    return _REASONS.get(status, "")


def _run(app: WSGIApplication, environ: dict[str, Any]) -> Answer:
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None, /) -> Write:
        started[:] = [(status, headers)]
        return written.append

    chunks: Iterable[bytes] = app(environ, start_response)
    try:
        written.extend(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    status, headers = started[0]
    return Answer(int(status[:3]), headers, b"".join(written))
