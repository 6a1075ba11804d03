"""Desks for the owner's hand: folders that a short simulated morning left, and the command line on them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from infra.cli.exits import NOT_RUNNING
from infra.cli.main import app
from infra.one_machine.folder import FolderLock
from infra.one_machine.sqlite_store import SqliteStore
from infra.one_machine.vault import FileVault
from infra.one_machine.world_file import WorldFile
from infra.running.folder import CARD
from infra.running.instant import KeptInstant
from infra.simulated_day.environment import vault_key
from shared.domain.telling.messages import CloseTick
from shared.usecases.base.outbox import pack
from shared.usecases.sign_in import token
from tests.functions.made import Bench, at, write_market
from tests.once import once

CARD_OF = {"cloud": "local", "broker": "simulator", "mode": "live", "market": "made", "config": "demo", "seed": "1"}


def leave_desk(folder: Path) -> Path:
    """Let a morning pass that enters, protects and leaves, and leave its folder as `strategy up` would."""
    bench = Bench(folder, write_market(folder.parent / "market"))
    bench.sign_in_at("07:20")
    bench.world.start_schedules(at("10:07"))
    bench.run("10:07:30")
    bench.world.bus.publish("close-ticks", pack(CloseTick()), attributes={})
    bench.run("10:08")
    bench.close()
    write_card(folder)
    return folder


def left_desk(factory: pytest.TempPathFactory) -> Path:
    """Give a folder as `leave_desk` leaves it, made once for all processes of a run; nobody changes it."""
    return once(factory, "left", lambda folder: leave_desk(folder / "made")) / "made"


def write_card(folder: Path, **changes: str) -> None:
    """Say what desk a folder is of."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).write_text(json.dumps(CARD_OF | changes))


@contextmanager
def running(folder: Path, now: datetime) -> Iterator[None]:
    """Let a folder look like that of a system that runs, at its own instant."""
    KeptInstant(folder).write(now)
    WorldFile(
        cloud="local", push_key="invented", time=str(folder / "time.json"), at=now.isoformat(), operator="owner"
    ).write(folder / "world.json")
    lock = FolderLock(folder)
    try:
        yield
    finally:
        lock.release()


def sign_out(folder: Path) -> None:
    """Let nobody be signed in to a system."""
    store = SqliteStore(folder / "state.db")
    held = token.current(store)
    assert held is not None
    store.commit([held.update(replace(held.value, dies_at=held.value.issued_at))])
    store.close()


def vault_of(folder: Path) -> FileVault:
    """Open a stopped desk's vault."""
    return FileVault(folder / "vault.bin", key=vault_key(1))


def strategy(*words: str, given: str | None = None, **environ: str) -> Result:
    """Run one command in this process."""
    return CliRunner().invoke(app, list(words), input=given, env={"COLUMNS": "200", "NO_COLOR": "1", **environ})


def answer(*words: str, given: str | None = None, **environ: str) -> Any:
    """Run one command that succeeds with --json, also on a desk that does not run, and give what it printed."""
    done = strategy(*words, "--json", given=given, **environ)
    assert done.exit_code in ({0, NOT_RUNNING} if words[0] in {"halt", "reduce", "resume"} else {0}), done.stderr
    return json.loads(done.stdout)


def unopened(shown: str) -> str:
    """Give what a command printed behind the lines with which it opens on a system that does not run."""
    opens = ("Prices: ", "NOT RUNNING: ", "  strategy up ")
    return "".join(line for line in shown.splitlines(keepends=True) if not line.startswith(opens))


def refused(result: Result, *parts: str) -> None:
    """Check that a command refused: exit code 2, one sentence and a remedy with its commands, nothing else.

    What else ended and holds shares may stand before it.
    """
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    named = [line for line in lines if not line.startswith(("  strategy ", "NOT SHOWN HERE: "))]
    sentence, remedy = named
    assert sentence.startswith("Error: ")
    assert remedy.startswith("Remedy: ")
    assert remedy.endswith(":") is lines[-1].startswith("  strategy ")
    for part in parts:
        assert part in result.stderr
