"""How long `strategy up` takes until it is ready: every function answers, the owner may sign in.

    python -m tests.benchmarks.ready [--starts N]

It is measured from outside, from the command to the line that names the sign-in page. The two clouds take turns, so
that what else the machine does falls on both. A folder's first start unpacks the archives; the next finds them there.
"""

import argparse
import statistics
import subprocess
import sys
import time
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from tests.architecture.files import ROOT

TARGETS_S = {"local": 10, "emulators": 25}
_READY = "Sign in"
_END_S = 60


def main() -> None:
    """Start and print."""
    asked = argparse.ArgumentParser(prog="ready")
    asked.add_argument("--starts", type=int, default=5)
    given = asked.parse_args()
    laid = Table(title=f"`strategy up` to ready, {given.starts} folders each, s", title_justify="left")
    for name in ("", "first start", "start again", "slowest", "target"):
        laid.add_column(name, justify="right" if name else "left")
    for cloud, starts in measure(given.starts).items():
        firsts, agains = zip(*starts, strict=True)
        figures = (statistics.median(firsts), statistics.median(agains), max(*firsts, *agains))
        laid.add_row(cloud, *(f"{seconds:.1f}" for seconds in figures), f"<= {TARGETS_S[cloud]}")
    Console().print(laid)


def measure(starts: int) -> dict[str, list[tuple[float, float]]]:
    """Give the seconds of a folder's first start and of its second, for each cloud."""
    found: dict[str, list[tuple[float, float]]] = {cloud: [] for cloud in TARGETS_S}
    for _ in range(starts):
        for cloud, times in found.items():
            with TemporaryDirectory(prefix="desk-") as folder:
                times.append((_start(cloud, folder), _start(cloud, folder)))
    return found


def _start(cloud: str, folder: str) -> float:
    command = [sys.executable, "-u", "-m", "infra.cli.main", "up", "--cloud", cloud, "--state", folder, "--port", "0"]
    began = time.monotonic()
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as desk:
        try:
            said = []
            for line in desk.stdout or ():
                said.append(line)
                if line.startswith(_READY):
                    return time.monotonic() - began
            raise RuntimeError(f"the desk did not become ready: {''.join(said)}")
        finally:
            desk.terminate()
            desk.communicate(timeout=_END_S)


if __name__ == "__main__":
    main()
