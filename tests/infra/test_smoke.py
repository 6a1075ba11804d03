"""The smoke test sees a stack that is deaf, and one that is open where it must be closed."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

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


@pytest.mark.parametrize(
    ("open_one", "closed_one", "named"),
    [((200,), (403,), []), ((200,), (404,), []), ((503, 200), (403,), []), ((503,), (403,), ["page"]),
     ((200,), (200,), ["inner"]), ((403,), (200,), ["inner", "page"])],
)  # fmt: skip
def test_open_answers_and_closed_refuses(
    open_one: tuple[int, ...], closed_one: tuple[int, ...], named: list[str]
) -> None:
    """The open function must answer, perhaps not at once, and the others must refuse a stranger."""
    with answering(*open_one) as page, answering(*closed_one) as inner:
        found = list(faults({"page": page, "inner": inner}, ["page"], pause_s=0))
    assert [one.partition(":")[0] for one in found] == named


def test_an_address_without_a_server_is_a_fault() -> None:
    """A function that nobody can reach is named with what went wrong."""
    with answering(200) as gone:
        pass
    assert next(faults({"page": gone}, ["page"], pause_s=0)).startswith("page: answers ")


def test_the_command_reads_the_outputs_of_a_stack() -> None:
    """Outputs on standard input give exit code 0 when all is well, and 1 with a line when it is not."""
    with answering(200) as page:
        for is_open, code in ((["page"], 0), ([], 1)):
            outputs = json.dumps({"addresses": {"page": page}, "open": is_open, "database": "desk-1", "archives": {}})
            ran = subprocess.run(
                [sys.executable, "-m", "infra.tools.smoke", "0"],
                input=outputs,
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            assert ran.returncode == code, ran.stderr
            assert ("page: answers 200" in ran.stderr) == bool(code)
