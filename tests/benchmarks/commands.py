"""What each of the owner's commands costs of CPU, from its start to its end.

    python -m tests.benchmarks.commands [--runs N] [--beside CHECKOUT]

They run one after the other on the folder that a short simulated morning left, where nothing runs: so a command that
asks the broker has loaded what it asks with, and ends before it asks. CPU is user and system time of the process and
what it started, which a machine that is not idle makes longer, too. `--beside` takes turns with another checkout, whose
commands run on a folder of their own.
"""

import argparse
import os
import statistics
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from infra.one_machine.sqlite_store import SqliteStore
from infra.one_machine.vault import KEY_BYTES, KEY_VARIABLE
from infra.operations import look
from infra.running.folder import Folder
from infra.running.registry import VARIABLE
from tests.architecture.files import ROOT
from tests.operations.desks import leave_desk

MOST_S = 0.7
COMMANDS = (
    "--help", "halt --help", "status", "positions", "orders --all", "trades", "explain ORDER", "why AIG", "rank",
    "notices", "report", "history AIG", "quote AIG", "balance", "accounts", "token", "config show", "dead-letters",
    "doctor --no-notice", "cancel ORDER", "close AIG", "reduce", "halt", "resume --reason seen", "topology",
)  # fmt: skip
_WITHOUT_A_SYSTEM = ("--help", "halt --help", "topology")


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(prog="commands")
    asked.add_argument("--runs", type=int, default=5)
    asked.add_argument("--beside", type=Path, default=None)
    given = asked.parse_args()
    checkouts = {"here": ROOT} | ({} if given.beside is None else {"beside": given.beside.resolve()})
    laid = Table(title=f"CPU, s; asked {MOST_S}", title_justify="left")
    for name in ("strategy", *checkouts):
        laid.add_column(name, justify="left" if name == "strategy" else "right")
    for command, took in measure(checkouts, given.runs).items():
        laid.add_row(command, *(f"{seconds:.2f}" for seconds in took.values()))
    Console().print(laid)


def measure(checkouts: Mapping[str, Path], runs: int) -> dict[str, dict[str, float]]:
    """Give the median seconds of each command in each checkout, which take turns."""
    found: dict[str, dict[str, float]] = {}
    with TemporaryDirectory(prefix="desk-") as made:
        desks = {name: leave_desk(Path(made) / name / "made") for name in checkouts}
        order = _an_order(desks["here"])
        for command in COMMANDS:
            took: dict[str, list[float]] = {name: [] for name in checkouts}
            for _ in range(runs):
                for name, checkout in checkouts.items():
                    words = command.replace("ORDER", order).split()
                    state = () if command in _WITHOUT_A_SYSTEM else ("--state", str(desks[name]))
                    took[name].append(cpu_s(checkout, (*words, *state), Path(made) / "running"))
            found[command] = {name: statistics.median(seconds) for name, seconds in took.items()}
    return found


def cpu_s(checkout: Path, words: tuple[str, ...], registry: Path) -> float:
    """Give the seconds of CPU of one command, whatever it answers."""
    environ = {**os.environ, VARIABLE: str(registry), KEY_VARIABLE: urlsafe_b64encode(bytes(KEY_BYTES)).decode()}
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "infra.cli.main", *words], cwd=checkout, env=environ,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


def _an_order(desk: Path) -> str:
    store = SqliteStore(Folder(path=desk).store, durable=True)
    try:
        return look.orders(store, every=True, unread=[])[0].intent_id
    finally:
        store.close()


if __name__ == "__main__":
    main()
