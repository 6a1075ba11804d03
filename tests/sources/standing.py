"""A server on loopback that stands for a source: TLS as the real one, and a proxy that leads its names there."""

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from infra.one_machine.loopback import LOOPBACK
from tests.sources.market import NOW, SYMBOL, Market

PIECES, APART_S = 80, 0.05
"""What is slow comes whole after 4 s; a source that is asked so gets `SHORT_S` for it."""
SHORT_S = 0.8


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as the server got it."""

    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Said:
    """One answer; `slow` comes a piece at a time."""

    status: int = 200
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    slow: bool = False


@dataclass(kw_only=True)
class Standing:
    """What stands for a source of one share at an instant; `fault` says how it fails, `asked` keeps each request."""

    market: Market
    symbol: str = SYMBOL
    now: datetime = NOW
    fault: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)


def said(value: Any, status: int = 200, **more: Any) -> Said:
    """Answer JSON."""
    return Said(status=status, body=json.dumps(value).encode(), **more)


class _Quiet(ThreadingHTTPServer):
    """A server of which a visitor may hang up at any time."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of it."""


@contextmanager
def served(answer: Callable[[Asked], Said], certificate: Path) -> Iterator[int]:
    """Serve HTTPS on a free port of loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            whole = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(whole.query).items()}
            got = Asked(host=self.headers["Host"], path=whole.path, query=query, headers=dict(self.headers))
            with contextlib.suppress(OSError):
                self._say(answer(got))

        def _say(self, one: Said) -> None:
            self.send_response(one.status)
            for name, value in {"Content-Type": "application/json", **one.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(one.body)))
            self.end_headers()
            size = -(-len(one.body) // PIECES) if one.slow else len(one.body) or 1
            for at in range(0, len(one.body), size):
                time.sleep(APART_S if one.slow else 0)
                self.wfile.write(one.body[at : at + size])

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with _Quiet((LOOPBACK, 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        worker = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        worker.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            worker.join()


@contextmanager
def proxied(port: int) -> Iterator[str]:
    """Serve a proxy on loopback that leads every CONNECT, whatever its name, to one port; give its address."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        gone = threading.Event()

        def accept() -> None:
            with contextlib.suppress(OSError):
                while not gone.is_set():
                    peer, _ = listener.accept()
                    threading.Thread(target=_led, args=(peer, port), daemon=True).start()

        worker = threading.Thread(target=accept)
        worker.start()
        try:
            yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        finally:
            gone.set()
            socket.create_connection(listener.getsockname()).close()
            worker.join()


def _led(peer: socket.socket, port: int) -> None:
    with peer, contextlib.suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = peer.recv(4096)
            if not piece:
                return
            head += piece
        with socket.create_connection((LOOPBACK, port)) as there:
            peer.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_carried, args=(there, peer), daemon=True)
            back.start()
            _carried(peer, there)
            back.join()


def _carried(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
