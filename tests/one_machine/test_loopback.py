"""A port that is held until a server of ours listens on it."""

import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from infra.one_machine.loopback import LOOPBACK, held_port
from shared.errors import ConfigError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a held port be bound again")
# More often than the system has ports to give.
ASKED = 65_536


def test_a_held_port_is_given_to_nobody_else() -> None:
    """Who asks the system for any port, again and again, never gets one that is held."""
    with held_port() as port:
        given = set()
        for _ in range(ASKED):
            with socket.socket() as other:
                other.bind((LOOPBACK, 0))
                given.add(other.getsockname()[1])
        assert len(given) > 1_000
        assert port not in given


def test_a_server_takes_a_held_port_again_and_again() -> None:
    """A held port refuses connections until a server listens on it, and after that server's end the next one can."""
    with held_port() as port:
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((LOOPBACK, port), timeout=1)
            with ThreadingHTTPServer((LOOPBACK, port), BaseHTTPRequestHandler):
                socket.create_connection((LOOPBACK, port), timeout=1).close()


def test_a_port_of_another_server_is_refused() -> None:
    """A port that somebody listens on cannot be held, and the error says what to choose instead."""
    with (
        socket.create_server((LOOPBACK, 0)) as other,
        pytest.raises(ConfigError, match="choose another one"),
        held_port(other.getsockname()[1]),
    ):
        pass


def test_a_port_that_was_let_go_can_be_held() -> None:
    """After the end of its holding a port is as free as any other."""
    with held_port() as port:
        pass
    with held_port(port) as again:
        assert again == port
