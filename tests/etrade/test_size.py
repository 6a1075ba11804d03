"""An answer without a size: what is too long or packed is refused before it fills the memory."""

import gzip
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.domain.broker.outcomes import UnknownOutcome
from shared.domain.broker.tokens import RequestToken
from shared.errors import OutcomeUnknown, Unreadable
from shared.etrade.authority import EtradeAuthority
from shared.etrade.session import MOST_BYTES, Answer
from tests.etrade.loopback import Loopback, Talk, outcome, server
from tests.etrade.test_build import TICKET
from tests.etrade.world import ACCOUNT_KEY, DEADLINE, Reply, world
from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
HEAD = b"HTTP/1.1 200 OK\r\n"
MEGABYTE = 1024 * 1024
TOO_LONG = f"Unreadable: the answer is longer than {MOST_BYTES} bytes"
ENCODED = "Unreadable: the answer has a content encoding that was not asked for"
GROWS_MB = 40
"""Twice the longest answer, and what a first connection loads."""


def saying(head: bytes, *pieces: bytes) -> Talk:
    """Say it all at once."""

    def talk(peer: socket.socket) -> None:
        for piece in (head, *pieces):
            peer.sendall(piece)

    return talk


def endless(head: bytes, piece: bytes) -> Talk:
    """Say the piece for ever."""

    def talk(peer: socket.socket) -> None:
        peer.sendall(head)
        while True:
            peer.sendall(piece)

    return talk


def packed(megabytes: int) -> bytes:
    """Give an answer of so many megabytes of spaces, each of which gzip has made a thousandth of."""
    body = gzip.compress(b" " * MEGABYTE, compresslevel=9) * megabytes
    return HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body


CHUNK = b"10000\r\n" + b" " * 65536 + b"\r\n"
BAD: dict[str, tuple[Talk, str]] = {
    "a byte more": (saying(HEAD + b"Content-Length: %d\r\n\r\n" % (MOST_BYTES + 1), b" " * (MOST_BYTES + 1)), TOO_LONG),
    "no length": (endless(HEAD + b"\r\n", b" " * 65536), TOO_LONG),
    "a length that lies": (endless(HEAD + b"Content-Length: 99999999999\r\n\r\n", b" " * 65536), TOO_LONG),
    "chunks": (endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", CHUNK), TOO_LONG),
    "one chunk": (endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n", b" " * 65536), TOO_LONG),
    "headers": (
        endless(HEAD, b"X: " + b"x" * 4096 + b"\r\n"),
        "OutcomeUnknown: no whole answer from the broker (ConnectionError)",
    ),
    "a gzip bomb": (saying(packed(300)), ENCODED),
}  # fmt: skip


def _met(talk: Talk, how: str) -> tuple[str, int]:
    """Let another process ask, and give how that ended and by how many megabytes the process grew."""
    with server(talk) as port:
        ran = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "tests.etrade.meets", str(port), how],
            cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=True,
        )  # fmt: skip
    ended, grown_mb = json.loads(ran.stdout)
    return ended, grown_mb


@pytest.mark.skipif(sys.platform != "linux", reason="a process tells its greatest memory in /proc")
@pytest.mark.parametrize("kind", BAD)
def test_what_has_no_size_fills_no_memory(kind: str) -> None:
    """A process that meets it refuses it and grows by little more than the longest answer that it would read."""
    talk, expected = BAD[kind]
    ended, grown_mb = _met(talk, "as we read")
    assert ended == expected
    assert grown_mb < GROWS_MB


@pytest.mark.skipif(sys.platform != "linux", reason="a process tells its greatest memory in /proc")
def test_who_unpacks_is_caught() -> None:
    """Seeded mistake: who reads as requests usually does has 60 MB in memory before anything is checked."""
    ended, grown_mb = _met(saying(packed(60)), "unpacking")
    assert ended == TOO_LONG
    assert grown_mb > GROWS_MB


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate", "gzip, identity", " GZIP "])
def test_no_encoding_is_decoded(encoding: str) -> None:
    """Whatever encoding it has, also one that is empty inside, an answer that has one is refused by name."""
    with server(saying(HEAD + b"Content-Encoding: " + encoding.encode() + b"\r\nContent-Length: 0\r\n\r\n")) as port:
        assert outcome(Loopback(port)) == ENCODED


def test_the_longest_answer_is_read() -> None:
    """An answer of exactly the most bytes comes whole, and so does one that says that it is not encoded."""
    head = HEAD + b"Content-Encoding: identity\r\nContent-Length: %d\r\n\r\n" % MOST_BYTES
    with server(saying(head, b" " * MOST_BYTES)) as port:
        answer = outcome(Loopback(port))
    assert isinstance(answer, Answer)
    assert len(answer.body) == MOST_BYTES


def test_what_is_said_beyond_the_length_is_nobodys_answer() -> None:
    """What follows a body's own length is not taken for the answer to the next request of the same adapter."""
    more = HEAD + b"Content-Length: 5\r\n\r\nlater"
    with server(saying(HEAD + b"Content-Length: 2\r\n\r\n{}" + more)) as port:
        shared = Loopback(port)
        assert outcome(shared) == Answer(200, b"{}")
        assert outcome(shared) == Answer(200, b"{}")


LONG: Reply = (200, b" " * (MOST_BYTES + 1))


def test_an_order_whose_answer_is_too_long_is_in_doubt() -> None:
    """A place or a cancel that was answered so may have been done: its outcome is unknown, and it is journalled."""
    made = world(LONG)
    assert isinstance(made.broker().place(ACCOUNT_KEY, TICKET, [1], deadline=DEADLINE), UnknownOutcome)
    assert isinstance(made.broker().cancel(ACCOUNT_KEY, 7), UnknownOutcome)
    assert [line["code"] for line in made.journal.lines if line["event"] == "broker_call"] == ["unreadable"] * 2


def test_a_read_whose_answer_is_too_long_is_not_repeated() -> None:
    """A read that was answered so is Unreadable at once: the same question would get the same answer."""
    made = world(LONG)
    with pytest.raises(Unreadable, match="longer than"):
        made.broker().accounts()
    assert len(made.broker_side.requests) == 1


SIGN_IN: dict[str, Callable[[EtradeAuthority], object]] = {
    "request_token": lambda oauth: oauth.request_token(),
    "access_token": lambda oauth: oauth.access_token(RequestToken(token="invented", secret="invented"), "INVNT9"),
    "renew": lambda oauth: oauth.renew(),
    "revoke": lambda oauth: oauth.revoke(),
}


@pytest.mark.parametrize("call", SIGN_IN)
@pytest.mark.parametrize("kind", ["a gzip bomb", "a byte more"])
def test_the_calls_of_a_sign_in_are_bounded_too(call: str, kind: str) -> None:
    """Each OAuth call refuses such an answer by name; a verifier may be used up by then, so there it is unknown."""
    made, talk = world(), BAD[kind][0]
    with server(talk) as port:
        oauth = EtradeAuthority(
            credentials=lambda: made.credentials, clock=made.clock, chance=made.chance, journal=made.journal,
            caller="a_function", http=Loopback(port),
        )  # fmt: skip
        with pytest.raises(OutcomeUnknown if call == "access_token" else Unreadable, match="the answer"):
            SIGN_IN[call](oauth)
    assert [line["code"] for line in made.journal.lines] == ["unreadable"]
