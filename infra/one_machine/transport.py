"""Carries the broker client's HTTP calls to a simulator in this process, in simulated time."""

from collections.abc import Mapping
from io import BytesIO
from wsgiref.types import WSGIApplication

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError as LostConnection
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3.exceptions import ProtocolError

from infra.one_machine.kernel import Kernel
from infra.one_machine.timed import Latency
from infra.one_machine.wsgi import exchange, reason_of


class WsgiAdapter(BaseAdapter):
    """A requests adapter in front of a WSGI application; `latency` is drawn for each way, None where it takes no time.

    An exception of class `dropped` from the application is a connection that broke before the answer: it
    becomes requests' ConnectionError, and nobody knows whether it had done the work. No time-outs.
    """

    def __init__(
        self, app: WSGIApplication, *, kernel: Kernel, latency: Latency | None, dropped: type[Exception]
    ) -> None:
        super().__init__()
        self._app = app
        self._kernel = kernel
        self._latency = latency
        self._dropped = dropped

    def send(  # noqa: PLR0917 - the signature is requests'
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: object = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """Carry one request and its answer; raises requests' ConnectionError when the connection broke."""
        del stream, timeout, verify, cert, proxies
        url, headers = request.url or "", request.headers
        scheme, _, rest = url.partition("://")
        host, slash, target = rest.partition("/")
        self._travel()
        try:
            status, fields, body = exchange(
                self._app,
                method=request.method or "GET",
                target=slash + target or "/",
                headers=headers,
                body=_bytes(request.body),
                scheme=scheme,
                host=headers.get("Host") or host,
            )
        except self._dropped as drop:
            reset = ConnectionResetError(104, "Connection reset by peer")
            raise LostConnection(ProtocolError("Connection aborted.", reset), request=request) from drop
        self._travel()
        return self._response(request, status, fields, body)

    def close(self) -> None:
        """Nothing is held open."""

    def _travel(self) -> None:
        if self._latency is not None:
            self._kernel.sleep(self._latency.draw())

    def _response(self, request: PreparedRequest, status: int, fields: list[tuple[str, str]], body: bytes) -> Response:
        response = Response()
        response.status_code = status
        response.reason = reason_of(status)
        response.headers = CaseInsensitiveDict(fields)
        response.encoding = get_encoding_from_headers(response.headers)
        response.url = request.url or ""
        response.request = request
        response.raw = BytesIO(body)
        return response


def _bytes(body: object) -> bytes:
    match body:
        case None:
            return b""
        case str():
            return body.encode()
        case bytes():
            return body
        case _:
            raise TypeError(f"a body of {type(body).__name__} cannot be sent")
