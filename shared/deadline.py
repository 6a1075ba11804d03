"""The network below a call: however slowly the other side answers, one instant ends the whole exchange.

What can go wrong: a time-out of a socket counts from byte to byte, so whoever sends a byte a second, in the TLS
handshake, in the headers or in the body, is waited for without end; a host has many addresses and each is given the
whole time-out; a look-up of a name has none at all. What this promises: inside `within(seconds)` each operation of a
socket gets what is left until that instant and no more, the connection with all its addresses gets the connect
time-out once, and a look-up that takes longer is left to itself (nothing was sent then). There is no watcher that could
shut a connection which somebody else has taken over meanwhile: the sockets themselves keep the time.

The instant belongs to the thread or greenlet that asks, as do the sockets that it works with until its answer is read.
Another transport, such as a simulator's, has no sockets and is not concerned.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Thread
from time import monotonic
from typing import Any, cast

from requests import Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from shared.errors import Unreadable

_LONGEST_S = 60.0
_PIECE = 64 * 1024
_ENDS: ContextVar[float | None] = ContextVar("ends", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give all socket work of this thread or greenlet, inside, so many seconds in all; then it is a TimeoutError."""
    before = _ENDS.set(monotonic() + seconds)
    try:
        yield
    finally:
        _ENDS.reset(before)


def _ends() -> float:
    """Give the instant of the monotonic clock that ends what this thread or greenlet does now."""
    ends = _ENDS.get()
    return monotonic() + _LONGEST_S if ends is None else ends


def _left() -> float:
    """Give the seconds that are left; raises TimeoutError when none are."""
    left = _ends() - monotonic()
    if left <= 0:
        raise TimeoutError("the exchange took too long")
    return left


def whole_body(response: Response, *, most: int) -> bytes:
    """Read a body as it comes; raises Unreadable for one of more than `most` bytes or encoded, and hangs up."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        response.close()
        raise Unreadable("the answer has a content encoding that was not asked for")
    pieces: list[bytes] = []
    size = 0
    for piece in response.iter_content(_PIECE):
        size += len(piece)
        if size > most:
            response.close()
            raise Unreadable(f"the answer is longer than {most} bytes")
        pieces.append(piece)
    return b"".join(pieces)


class _TimedSocket(socket.socket):
    """A socket of which each operation ends with the exchange."""

    def recv_into(self, *args: Any) -> int:
        self.settimeout(_left())
        return super().recv_into(*args)

    def sendall(self, *args: Any) -> None:
        self.settimeout(_left())
        super().sendall(*args)


class _TimedTlsSocket(ssl.SSLSocket):
    """The same with TLS, handshake included."""

    def do_handshake(self, block: bool = False) -> None:
        self.settimeout(_left())
        super().do_handshake(block)

    def recv_into(self, *args: Any) -> int:
        self.settimeout(_left())
        return super().recv_into(*args)

    def send(self, *args: Any) -> int:
        self.settimeout(_left())
        return super().send(*args)


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)


class _Tls(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class DeadlineAdapter(HTTPAdapter):
    """requests' pooled adapter without a retry, on sockets that obey `within`."""

    def __init__(self, *, connections: int) -> None:
        super().__init__(pool_connections=2, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of the two schemes; requests itself still decides what certificates are believed."""
        context = create_urllib3_context()
        context.sslsocket_class = _TimedTlsSocket
        super().init_poolmanager(*args, ssl_context=context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}


def _connected(connection: HTTPConnection) -> socket.socket:
    """Connect to the first address that takes it, all of them together within the connect time-out."""
    ends = min(monotonic() + cast("float", connection.timeout), _ends())
    failure: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in _addresses(connection, ends):
        left = ends - monotonic()
        if left <= 0:
            failure = TimeoutError()
            break
        try:
            return _to(address, _TimedSocket(family, kind, protocol), connection, left)
        except OSError as problem:
            failure = problem
    if isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(connection, "not connected in time") from failure
    raise NewConnectionError(connection, "not connected") from failure


def _to(address: Any, made: socket.socket, connection: HTTPConnection, seconds: float) -> socket.socket:
    try:
        for option in connection.socket_options or ():
            made.setsockopt(*option)
        made.settimeout(seconds)
        made.connect(address)
    except OSError:
        made.close()
        raise
    return made


def _addresses(connection: HTTPConnection, ends: float) -> list[Any]:
    """Look the name up; one that takes longer than until `ends` is not found."""
    found: list[Any] = []
    problems: list[socket.gaierror] = []

    def look_up() -> None:
        try:
            name = connection.host.strip("[]")
            found.extend(socket.getaddrinfo(name, connection.port, type=socket.SOCK_STREAM))
        except socket.gaierror as problem:
            problems.append(problem)

    worker = Thread(target=look_up, daemon=True)
    worker.start()
    worker.join(max(ends - monotonic(), 0.0))
    if not found:
        raise NameResolutionError(connection.host, connection, (problems or [socket.gaierror("no answer in time")])[0])
    return list(found)
