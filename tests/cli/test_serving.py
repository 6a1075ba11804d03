"""`strategy brokersim` as its own process."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def serving(*words: str) -> Iterator[subprocess.Popen[str]]:
    """Start the simulator and end it whatever happens."""
    command = [sys.executable, "-m", "infra.cli.main", "brokersim", *words]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def line(process: subprocess.Popen[str]) -> str:
    """Read the next line that the process prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_it_prints_its_address_and_a_pair_and_ends_on_a_signal() -> None:
    """Without keys it makes a pair, serves on loopback until it is told to end, and ends with exit code 0."""
    with serving("--port", "0") as process:
        address = line(process)
        assert address.startswith("http://127.0.0.1:")
        assert [line(process).startswith("consumer"), line(process).startswith("consumer")] == [True, True]
        assert requests.get(f"{address}/v1/accounts/list.json", timeout=PATIENCE_S).status_code == 401
        process.terminate()
        assert process.wait(timeout=PATIENCE_S) == 0


def test_a_taken_port_is_refused() -> None:
    """A port that is in use gives exit code 2 and a remedy."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with serving("--port", str(taken.getsockname()[1])) as process:
            assert process.wait(timeout=PATIENCE_S) == 2
            assert process.stderr is not None
            assert "cannot be used" in process.stderr.read()
