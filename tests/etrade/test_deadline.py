"""An answer without an end: whatever drips a piece at a time, one instant ends the exchange."""

import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from requests.adapters import HTTPAdapter

from infra.one_machine.loopback import held_port
from shared.deadline import DeadlineAdapter
from shared.etrade.session import Answer
from tests.certificates import certificate as loopback_certificate
from tests.etrade.loopback import Loopback, Talk, outcome, server
from tests.patience import PATIENCE_S

PIECES, APART_S, SHORT_S = 75, 0.02, 0.3
"""What drips goes on for 1.5 s, five times the deadline, and then ends well: whoever waits gets a good answer."""
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def dripping(head: bytes, pieces: Sequence[bytes], end: bytes) -> Talk:
    """Say `head` at once, each piece after a moment, then `end`."""

    def talk(peer: socket.socket) -> None:
        peer.sendall(head)
        for piece in pieces:
            time.sleep(APART_S)
            peer.sendall(piece)
        peer.sendall(end)

    return talk


DRIPS = {
    "status line": dripping(b"HTTP/1.1 200 ", [b"O"] * PIECES, b"\r\nContent-Length: 0\r\n\r\n"),
    "header": dripping(HEAD + b"X: ", [b"x"] * PIECES, b"\r\nContent-Length: 0\r\n\r\n"),
    "go on": dripping(b"", [b"HTTP/1.1 100 Continue\r\n\r\n"] * PIECES, HEAD + b"Content-Length: 0\r\n\r\n"),
    "body": dripping(HEAD + b"Content-Length: %d\r\n\r\n" % PIECES, [b" "] * PIECES, b""),
    "body to the end": dripping(HEAD + b"\r\n", [b" "] * PIECES, b""),
    "chunks": dripping(CHUNKED, [b"1\r\n \r\n"] * PIECES, b"0\r\n\r\n"),
    "chunk's size": dripping(CHUNKED + b"1;", [b"x"] * PIECES, b"\r\n \r\n0\r\n\r\n"),
    "trailer": dripping(CHUNKED + b"0\r\nX: ", [b"x"] * PIECES, b"\r\n\r\n"),
}


@pytest.mark.parametrize("where", DRIPS)
def test_what_drips_ends_at_the_deadline(where: str) -> None:
    """A piece at a time, in whatever part of the answer, is waited for until the deadline and no longer."""
    with server(DRIPS[where]) as port:
        ended = outcome(Loopback(port), within_s=SHORT_S)
    assert str(ended).startswith("OutcomeUnknown"), ended


@pytest.mark.parametrize("where", ["header", "body", "chunks"])
def test_a_time_out_of_each_read_waits_for_it(where: str) -> None:
    """Seeded mistake: requests' own adapter, whose time-out counts from piece to piece, waits for every one of them."""
    with server(DRIPS[where]) as port:
        ended = outcome(Loopback(port, real=HTTPAdapter(max_retries=0)), within_s=SHORT_S * 30)
    assert isinstance(ended, Answer)
    assert ended.status == 200


def test_a_handshake_that_drips_ends_at_the_deadline() -> None:
    """A TLS handshake of which a byte comes at a time is unknown at the deadline: it is not waited for."""
    hello = dripping(b"\x16\x03\x03\x40\x00", [b"\x02"] * PIECES, b"")
    with server(hello) as port:
        ended = outcome(Loopback(port, "https"), within_s=SHORT_S)
    assert ended == "OutcomeUnknown: no whole answer from the broker (ReadTimeout)"


def _over_tls(certificate: Path, talk: Talk) -> AbstractContextManager[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as safe:
            safe.recv(65536)
            talk(safe)

    return server(serve, reads=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a certificate of loopback."""
    return loopback_certificate(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize("where", ["header", "body", "chunks"])
def test_what_drips_over_tls_ends_too(where: str, certificate: Path) -> None:
    """Over a verified TLS connection the deadline is the same."""
    with _over_tls(certificate, DRIPS[where]) as port:
        ended = outcome(Loopback(port, "https", verify=str(certificate)), within_s=2 * SHORT_S)
    assert str(ended).startswith("OutcomeUnknown"), ended


def test_a_whole_answer_comes_over_tls(certificate: Path) -> None:
    """Over TLS a good answer is whole, from who has the certificate; another certificate is not believed."""
    with _over_tls(certificate, lambda peer: peer.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")) as port:
        assert outcome(Loopback(port, "https", verify=str(certificate))) == Answer(200, b"{}")
        refused = outcome(Loopback(port, "https"))
    assert refused == "OutcomeUnknown: no whole answer from the broker (SSLError)"


def test_the_deadline_is_of_one_exchange_and_one_thread() -> None:
    """While one thread's exchange is over its time, another one's goes on on the same adapter."""
    begun, ended = threading.Event(), list[object]()

    def talk(peer: socket.socket) -> None:
        begun.wait(PATIENCE_S)
        peer.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")

    with server(talk) as port:
        shared = Loopback(port, real=DeadlineAdapter(connections=2))
        waiting = threading.Thread(target=lambda: ended.append(outcome(shared)))
        waiting.start()
        assert str(outcome(shared, within_s=SHORT_S)).startswith("OutcomeUnknown")
        begun.set()
        waiting.join(PATIENCE_S)
    assert ended == [Answer(200, b"{}")]


def test_a_name_that_is_not_answered_for_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up of a name that takes longer than the deadline is left to itself, and nothing was sent."""
    free = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [free.wait(PATIENCE_S)][:0])
    assert str(outcome(DeadlineAdapter(connections=1), within_s=SHORT_S)).startswith("NotSent")
    free.set()


def test_all_addresses_share_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with many addresses that do not answer costs the connect time-out once, not once for each."""
    tried: list[object] = []

    def silent(_: socket.socket, address: object) -> None:
        tried.append(address)
        time.sleep(SHORT_S)
        raise TimeoutError

    many = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))] * 1_000
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: many)
    monkeypatch.setattr(socket.socket, "connect", silent)
    assert outcome(DeadlineAdapter(connections=1), within_s=4 * SHORT_S) == (
        "NotSent: no connection to the broker (ConnectTimeout)"
    )
    assert 1 <= len(tried) <= 4


def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name whose first address refuses is reached at its next one."""
    answer = HEAD + b"Content-Length: 0\r\n\r\n"
    with held_port() as closed, server(lambda peer: peer.sendall(answer)) as port:
        both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", one)) for one in (closed, port)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
        assert outcome(Loopback(port)) == Answer(200, b"")


def test_the_time_of_an_exchange_ends_with_it() -> None:
    """Each exchange of a thread has its own time: one that was used up is nobody else's."""
    with server(lambda peer: peer.sendall(HEAD + b"Content-Length: 0\r\n\r\n")) as port:
        assert str(outcome(Loopback(port), within_s=1e-9)).startswith("NotSent")
        assert outcome(Loopback(port)) == Answer(200, b"")
