"""The desk's own process: killed, started again, told to end."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from infra.brokersim.market import open_market
from infra.one_machine.sqlite_store import SqliteStore
from infra.operations import systems
from infra.operations.look import overview
from infra.running.broker import KeptSimulator
from infra.running.folder import ROOT, Folder
from infra.running.instant import KeptInstant
from infra.simulated_day.account import account_of
from infra.simulated_day.book import read_book
from infra.simulated_day.hours import hours
from infra.simulated_day.ledger import read_ledger
from infra.simulated_day.machine import simulator_settings
from shared.codec import loads
from shared.domain.telling.wording import count
from tests.patience import PATIENCE_S
from tests.running.desks import SEED, SPEED, members, wait_for, wrong

ORDERLY_S = 60.0  # the functions have 10 s; the rest is for a busy machine


@contextmanager
def _up(folder: Path, *, heard: bool = True) -> Iterator["subprocess.Popen[bytes]"]:
    """Start `strategy up` on a folder, wait until its functions answer, and end it whatever happens.

    Where it is not `heard`, its output is a pipe that is closed after the first line.
    """
    Folder(path=folder).status.unlink(missing_ok=True)
    command = [sys.executable, "-m", "infra.cli.main", "up", "--mode", "live", "--state", str(folder), "--port", "0"]
    command += ["--seed", str(SEED), "--speed", str(SPEED)]
    with _said(folder).open("wb") as said, subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=ROOT, stdout=said if heard else subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:  # fmt: skip
        try:
            if process.stdout is not None:
                assert process.stdout.readline()
                process.stdout.close()
            wait_for(lambda: process.poll() is not None or Folder(path=folder).status.exists())
            assert process.poll() is None, process.stderr and process.stderr.read()
            yield process
        finally:
            process.kill()


def _said(folder: Path) -> Path:
    return folder.with_name("said.txt")


def _groups(folder: Path) -> list[int]:
    status: dict[str, Any] = loads(Folder(path=folder).status.read_bytes())
    return [one["pid"] for one in status["functions"]]


def _wrong(folder: Path) -> list[str]:
    """Compare the broker's books and the desk's, from their files."""
    at, market = KeptInstant(folder).read(), open_market("generated", seed=SEED)
    assert at is not None
    settings = simulator_settings(SEED, hours(market.day))
    simulator = KeptSimulator(
        path=Folder(path=folder).calls, market=market, now=lambda: at, settings=settings, seed=SEED
    )
    with closing(simulator), closing(SqliteStore(Folder(path=folder).store)) as store:
        return wrong(read_ledger(simulator.ledger(account_of("demo"))), store)


def _has_sold(folder: Path) -> bool:
    """Tell whether the running desk has sold what its exit comes for first; then no order is under way for minutes."""
    with closing(SqliteStore(Folder(path=folder).store)) as store:
        return any((fill.symbol, fill.side) == ("MSFT", "SELL") for fill in read_book(store).fills)


def _refuses_a_second(folder: Path, first: "subprocess.Popen[bytes]") -> None:
    """Check that another desk on a folder in use is exit code 2 with the holder's number, and the first one goes on."""
    command = [sys.executable, "-m", "infra.cli.main", "up", "--mode", "live", "--state", str(folder)]
    command += ["--seed", str(SEED)]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)  # noqa: S603
    assert second.returncode == 2
    assert f"already (process {first.pid})" in second.stderr
    assert first.poll() is None


def test_nothing_outlives_a_killed_desk_and_the_next_start_goes_on(desk: Path) -> None:
    """A killed desk's functions end by themselves; the next start goes on and ends on Ctrl-C; a second is refused."""
    with _up(desk) as process:
        _refuses_a_second(desk, process)
        killed = _groups(desk)
        process.kill()
        process.wait()
        wait_for(lambda: not any(members(group) for group in killed))
    assert systems.killed_at(desk) is not None
    stopped_at = KeptInstant(desk).read()
    assert stopped_at is not None
    with _up(desk) as process:
        groups = _groups(desk)
        assert len(groups) == len(killed)
        assert not set(groups) & set(killed)
        wait_for(lambda: _has_sold(desk))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=ORDERLY_S)
        assert (process.returncode, said) == (0, b"")
        wait_for(lambda: not any(members(group) for group in groups))
    ended_at = KeptInstant(desk).read()
    assert ended_at is not None
    assert ended_at > stopped_at
    assert systems.killed_at(desk) is None
    assert _wrong(desk) == []
    with closing(SqliteStore(Folder(path=desk).store)) as store:
        seen = overview(store, at=ended_at, running=False)
    said_last = " ".join(_said(desk).read_text().split())
    assert f"strategy halt --state {desk}" in said_last
    assert "Trades configuration demo, 10 symbols, 100,000 USD of capital" in said_last
    left = f"{count(seen.live_orders, 'open order')} and {count(seen.open_positions, 'position')} stay: "
    assert (left in said_last) is bool(seen.live_orders or seen.open_positions)


def test_a_desk_that_nobody_reads_any_more_trades_on(desk: Path) -> None:
    """When the pipe that the desk prints into is closed it works as before, and ends in order when it is told to."""
    with _up(desk, heard=False) as process:
        wait_for(lambda: _has_sold(desk))
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert (process.wait(timeout=ORDERLY_S), process.stderr.read()) == (0, b"")
