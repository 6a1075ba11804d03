"""The in-process transport: what the application sees, what the client gets, and time."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from wsgiref.types import StartResponse
from wsgiref.validate import validator

import pytest
import requests

from infra.one_machine.clock import SeededChance
from infra.one_machine.kernel import Kernel
from infra.one_machine.timed import Latency
from infra.one_machine.transport import WsgiAdapter
from infra.one_machine.wsgi import exchange

START = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)


class HungUpError(Exception):
    """The application hangs up."""


class _Application:
    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.body = b""
        self.closed = 0

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
        self.seen.append(environ)
        self.body = environ["wsgi.input"].read()
        if environ["PATH_INFO"] == "/drop":
            raise HungUpError
        headers = [
            ("Content-Type", "application/json;charset=utf-8"),
            ("X-Two", "1"),
            ("Location", "/elsewhere"),
        ]
        start_response("429 Too Many Requests", headers)
        return self._chunks()

    def _chunks(self) -> Iterator[bytes]:
        try:
            yield b'{"a":'
            yield '"ä"}'.encode()
        finally:
            self.closed += 1


class _Wire:
    """A kernel, an application behind it, and a session in front."""

    def __init__(self) -> None:
        self.kernel = Kernel(start=START, seed=1)
        self.application = _Application()
        latency = Latency(SeededChance(seed=1, name="wire"), 0.02, 0.06)
        self.session = requests.Session()
        adapter = WsgiAdapter(self.application, kernel=self.kernel, latency=latency, dropped=HungUpError)
        self.session.mount("https://", adapter)

    def call(self, act: Callable[[requests.Session], requests.Response]) -> requests.Response:
        return self.kernel.call(lambda: act(self.session), name="client")


def test_the_application_sees_the_request_that_was_prepared() -> None:
    """Method, path, query, headers and body arrive as they were signed."""
    wire = _Wire()
    wire.call(
        lambda session: session.post(
            "https://api.etrade.com/v1/acc%20ounts/x.json?count=2&symbol=A%2FB",
            data='{"ä": 1}'.encode(),
            headers={"Authorization": "OAuth x", "Content-Type": "application/json", "consumer-Key": "k"},
            allow_redirects=False,
        )
    )
    (environ,) = wire.application.seen
    expected = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/v1/acc ounts/x.json",
        "QUERY_STRING": "count=2&symbol=A%2FB",
        "REQUEST_URI": "/v1/acc%20ounts/x.json?count=2&symbol=A%2FB",
        "HTTP_HOST": "api.etrade.com",
        "SERVER_NAME": "api.etrade.com",
        "SERVER_PORT": "443",
        "wsgi.url_scheme": "https",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": "9",
        "HTTP_AUTHORIZATION": "OAuth x",
        "HTTP_CONSUMER_KEY": "k",
    }
    assert {key: environ[key] for key in expected} == expected
    assert wire.application.body == '{"ä": 1}'.encode()


def test_the_client_gets_a_whole_response() -> None:
    """Status, reason, headers, encoding and body are those of the application, which is closed."""
    wire = _Wire()
    response = wire.call(lambda session: session.get("https://api.etrade.com/v1?x=1", allow_redirects=False))
    assert (response.status_code, response.reason, response.headers["x-two"]) == (
        429,
        "Too Many Requests",
        "1",
    )
    assert (response.json(), response.text, response.url) == (
        {"a": "ä"},
        '{"a":"ä"}',
        "https://api.etrade.com/v1?x=1",
    )
    assert wire.application.closed == 1
    response.close()


def test_a_call_takes_time_both_ways() -> None:
    """A call yields before and after the application, some 40 to 120 ms in all."""
    wire = _Wire()
    wire.call(lambda session: session.get("https://api.etrade.com/", allow_redirects=False))
    assert 0.04 <= (wire.kernel.now() - START).total_seconds() <= 0.12


def test_a_dropped_connection_is_a_connection_error() -> None:
    """An application that hangs up looks like a reset of the connection, with no answer time."""
    wire = _Wire()
    with pytest.raises(requests.exceptions.ConnectionError, match="Connection aborted") as caught:
        wire.call(lambda session: session.get("https://api.etrade.com/drop"))
    assert caught.value.request is not None
    assert (wire.kernel.now() - START).total_seconds() <= 0.06


def test_a_body_that_is_no_bytes_is_refused() -> None:
    """A streamed body is refused loudly and not sent empty."""
    wire = _Wire()
    with pytest.raises(TypeError, match="BytesIO"):
        wire.call(lambda session: session.post("https://api.etrade.com/", data=io.BytesIO(b"x")))


def test_the_environment_is_valid_wsgi() -> None:
    """The request that is built by hand passes the standard library's WSGI validator."""

    def hello(_environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"hello"]

    answer = exchange(validator(hello), method="GET", target="/a?b=c", headers={"Content-Type": "x/y"}, body=b"")
    assert answer.body == b"hello"
