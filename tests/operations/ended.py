"""Systems that ended with shares held: killed, or stopped."""

import subprocess
import sys
from pathlib import Path

from infra.one_machine.sqlite_store import SqliteStore
from infra.running import registry
from infra.running.plan import Plan
from shared.ports import Put
from tests.architecture.files import ROOT

_HOLD = """
import sys
from pathlib import Path
from infra.one_machine.folder import FolderLock
from infra.running.plan import Plan
from infra.running.registry import register
state = Path(sys.argv[1])
plan = Plan(state=state, environ={}, **({"broker": sys.argv[2]} if sys.argv[2:] else {}))
lock, entry = FolderLock(state), register(plan, state)
print("held", flush=True)
sys.stdin.read()
"""


def kill_one(state: Path, *given: str) -> None:
    """Let a process hold a desk's folder as `strategy up` does, and kill it."""
    words = [sys.executable, "-c", _HOLD, str(state), *given]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as held:  # noqa: S603 - ours
        assert held.stdout is not None
        assert held.stdout.readline() == b"held\n"
        (found,) = registry.running()
        assert (found.pid, found.state) == (held.pid, state)
        held.kill()


def hold(folder: Path, quantity: int, stopped: int) -> None:
    """Write a position of the desk's symbol into its book again, and a stop that works over some of it."""
    store = SqliteStore(folder / "state.db")
    (row,) = store.query("positions")
    store.commit([Put(row.path, {**row.data, "quantity": quantity, "is_open": True, "closing": True})])
    (stop,) = [one for one in store.query("orders") if one.data["kind"] == "protect"]
    store.commit([Put(stop.path, {**stop.data, "quantity": stopped, "filled": 0, "live": True, "state": "WORKING"})])
    store.close()


def stop_one(state: Path, **given: str) -> None:
    """Note what `strategy up` notes as it ends in order."""
    store = SqliteStore(state / "state.db")
    registry.note_held(Plan(state=state, environ={}, **given), state, store)  # type: ignore[arg-type]
    store.close()
