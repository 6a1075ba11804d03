"""A process that asks a port of loopback once and says what came of it and by how much it grew: run by test_size.py."""

import json
import re
import sys
from pathlib import Path

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from tests.etrade.loopback import Loopback, outcome
from tests.etrade.world import response
from tests.patience import PATIENCE_S


class Unpacking(HTTPAdapter):
    """requests as it is usually used: it reads the whole answer and unpacks it."""

    def send(self, request: PreparedRequest, *_: object, **__: object) -> Response:
        """Ask, and hand out what was unpacked."""
        answer = super().send(request, timeout=PATIENCE_S)
        return response(request, answer.status_code, answer.content)


def _greatest_kb() -> int:
    """Give this process's greatest memory; what getrusage says has the parent's from before it became this one."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found.group(1)) if found else 0


def main(port: str, how: str) -> None:
    """Write the outcome, and by how many megabytes the process grew in asking."""
    before = _greatest_kb()
    ended = outcome(Loopback(int(port), real=Unpacking(max_retries=0) if how == "unpacking" else None))
    sys.stdout.write(json.dumps([str(ended), (_greatest_kb() - before) // 1024]))


if __name__ == "__main__":
    main(*sys.argv[1:])
