"""The smoke test sees a stack that is deaf, and one that is open where it must be closed."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from infra.one_machine.loopback import LOOPBACK, held_port
from infra.tools.locks import ROOT
from infra.tools.smoke import faults


@contextmanager
def answering(*statuses: int) -> Iterator[str]:
    """Serve /health on loopback with one status after the other, the last one again and again."""
    left = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response((left.pop(0) if len(left) > 1 else left[0]) if self.path == "/health" else 500)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def outputs(public: Mapping[str, bool], addresses: Mapping[str, str], **states: str) -> dict[str, Any]:
    """Give the outputs of a stack whose functions are all active, but those that are given another state."""
    return {
        "addresses": addresses,
        "public": public,
        "states": dict.fromkeys(addresses, "ACTIVE") | states,
        "databases": "desk-1",
        "archives": {},
    }


def _named(found: Iterable[str]) -> list[str]:
    return [one.partition(":")[0] for one in found]


@pytest.mark.parametrize(
    ("is_open", "page_says", "inner_says", "named"),
    [(True, (200,), (403,), []), (True, (200,), (404,), []), (True, (503, 200), (403,), []),
     (True, (503,), (403,), ["page"]), (True, (200,), (200,), ["inner"]), (True, (403,), (200,), ["inner", "page"]),
     (True, (404,), (404,), ["page"]), (False, (403,), (404,), []), (False, (404,), (404,), ["page"]),
     (False, (200,), (404,), ["page"])],
)  # fmt: skip
def test_open_answers_and_closed_refuses(
    is_open: bool, page_says: tuple[int, ...], inner_says: tuple[int, ...], named: list[str]
) -> None:
    """An open page must answer, perhaps not at once, a closed one be there, and the others refuse a stranger."""
    with answering(*page_says) as page, answering(*inner_says) as inner:
        found = list(faults(outputs({"page": is_open}, {"page": page, "inner": inner}), pause_s=0))
    assert _named(found) == named


@pytest.mark.parametrize("state", ["FAILED", "DEPLOYING", "UNKNOWN"])
def test_a_function_that_google_does_not_serve_is_a_fault(state: str) -> None:
    """A closed function looks from outside like none at all, so Google's word for it is asked."""
    with answering(200) as page, answering(404) as inner:
        whole = outputs({"page": True}, {"page": page, "inner": inner}, inner=state)
        assert list(faults(whole, pause_s=0)) == [f"inner: Google calls it {state}, not ACTIVE"]
        del whole["states"]["inner"]
        assert _named(faults(whole, pause_s=0)) == ["inner"]


def test_a_stack_of_nothing_is_a_fault() -> None:
    """A stack without outputs, without functions or without a page that could be asked does not pass."""
    with answering(404) as inner:
        for nothing in ({}, outputs({}, {}), outputs({}, {"inner": inner})):
            assert list(faults(nothing, pause_s=0))


def test_an_address_without_a_server_is_a_fault() -> None:
    """A function that nobody can reach is named with what went wrong."""
    with held_port() as port:
        gone = outputs({"page": True}, {"page": f"http://{LOOPBACK}:{port}"})
        assert next(faults(gone, pause_s=0)).startswith("page: answers ")


@pytest.mark.parametrize(
    ("is_open", "code", "told"),
    [(True, 0, "page: answers\n0 others: ACTIVE by Google's word"), (False, 1, "page: answers 200, not 401 or 403")],
)
def test_the_command_reads_the_outputs_of_a_stack(is_open: bool, code: int, told: str) -> None:
    """Outputs on standard input give exit code 0 and what was seen, or 1 with a line for what is wrong."""
    with answering(200) as page:
        ran = subprocess.run(
            [sys.executable, "-m", "infra.tools.smoke", "0"],
            input=json.dumps(outputs({"page": is_open}, {"page": page})),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == code, ran.stderr
    assert (ran.stderr if code else ran.stdout).startswith(told)


def test_a_stack_without_outputs_is_said_to_have_none() -> None:
    """A stack that does not exist, of which Pulumi prints nothing, is one sentence and a failure."""
    ran = subprocess.run(
        [sys.executable, "-m", "infra.tools.smoke"], input="", cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "The stack has no outputs: does it exist, and was it ever brought up?\n"
