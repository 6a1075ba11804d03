"""A stranger with a production key trades on paper: E*TRADE's host and the sources of history are stand-ins alone."""

import base64
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from infra.brokersim.simulator import CASH_ACCOUNT_KEY
from infra.one_machine.sqlite_store import SqliteStore
from infra.one_machine.world_file import WorldFile
from infra.running.folder import Folder
from infra.simulated_day.book import Book, read_book
from shared.domain.orders.orders import Kind
from tests.patience import PATIENCE_S
from tests.running.desks import new_york, wait_for, with_archives
from tests.running.production import CALLS, KEY, SECRET, watched
from tests.sources.alpaca_standing import KEY_ID
from tests.sources.alpaca_standing import SECRET as ALPACA_SECRET

ROOT = Path(__file__).resolve().parents[2]
READY = "Ctrl-C ends it"
SPEED = 20.0
ORDERED = ("/orders/place", "/orders/cancel")


class Home:
    """A stranger's folder, keys and commands."""

    def __init__(self, folder: Path, unpacked: Path) -> None:
        self.state = with_archives(folder / "state" / "production-paper", unpacked)
        self.environ = {
            **{name: os.environ[name] for name in ("HOME", "LANG", "PATH", "TMPDIR") if name in os.environ},
            "PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1",
            "STRATEGY_VAULT_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "ETRADE_CONSUMER_KEY": KEY, "ETRADE_CONSUMER_SECRET": SECRET, "ETRADE_ACCOUNT_ID": CASH_ACCOUNT_KEY,
            "STRATEGY_WATCH_LIST": ",".join(watched()), "STRATEGY_CAPITAL_USD": "100000", "STRATEGY_CONFIG": "demo",
        }  # fmt: skip

    @contextmanager
    def up(self, begins: str, speed: float) -> Iterator[None]:
        """Run the system from an instant on, and end it as Ctrl-C does."""
        log = self.state.with_name("up.log")
        words = [sys.executable, "-m", "tests.running.production", str(self.state), begins, str(speed)]
        with log.open("w") as out:
            child = subprocess.Popen(  # noqa: S603 - our own program
                words, cwd=self.state.parent.parent, env=self.environ, stdout=out, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        try:
            wait_for(lambda: READY in log.read_text() or child.poll() is not None)
            assert child.poll() is None, log.read_text()
            yield
        finally:
            child.send_signal(signal.SIGINT)
            assert child.wait(PATIENCE_S) == 0, log.read_text()

    def strategy(self, *words: str, given: str = "", **environ: str) -> str:
        """Run one command that succeeds."""
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "infra.cli.main", *words, "--state", str(self.state)],
            cwd=self.state.parent.parent, env={**self.environ, **environ}, input=given, capture_output=True, text=True,
            check=False, timeout=PATIENCE_S,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def answer(self, *words: str, **environ: str) -> Any:
        """Run one command with --json."""
        return json.loads(self.strategy(*words, "--json", **environ))

    def sign_in(self) -> None:
        """Follow a new link in a browser."""
        stand_in = WorldFile.read(Folder(path=self.state).world).broker
        browser = self.state.with_name("browser")
        browser.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tests.running.owner_browser {stand_in} "$1"\n')
        browser.chmod(0o700)
        assert self.answer("login", "--link", BROWSER=f"{browser} %s")["state"] == "fresh"

    def book(self) -> Book:
        """Read the book."""
        with closing(SqliteStore(Folder(path=self.state).store)) as store:
            return read_book(store)

    def sources(self) -> dict[int, set[str]]:
        """Give where the daily bars of the watched symbols came from, by their place: even, odd."""
        found: dict[int, set[str]] = {0: set(), 1: set()}
        with closing(SqliteStore(Folder(path=self.state).store)) as store:
            for place, symbol in enumerate(watched()):
                document = store.get(f"history/{symbol}")
                assert document is not None, symbol
                found[place % 2].add(str(document.data["series"]["source"]))
        return found

    def logs(self) -> list[Path]:
        """List the logs of the functions."""
        return list((self.state / "logs").glob("*.jsonl"))

    def calls(self) -> list[Mapping[str, Any]]:
        """Give what the stand-in was asked, but for quotes."""
        return [json.loads(line) for line in self.state.with_name(CALLS).read_text().splitlines()]


def _at(home: Home) -> datetime:
    return datetime.fromisoformat(home.answer("status")["at"])


def _sold(book: Book) -> set[str]:
    return {fill.symbol for fill in book.fills if fill.side == "SELL"}


@pytest.mark.days
@pytest.mark.timeout(900)
def test_a_stranger_signs_in_probes_warms_enters_protects_and_exits_on_paper(tmp_path: Path, unpacked: Path) -> None:
    """From keys in the environment to a sold position on paper and its report, with commands alone; no order leaves."""
    home = Home(tmp_path, unpacked)
    with home.up("06:40", SPEED):
        home.strategy("secrets", "set", "alpaca-key", given=f"{KEY_ID}\n{ALPACA_SECRET}\n")
        home.sign_in()
        found = home.answer("probe", "--minutes", "0.5", "--out", str(tmp_path / "probe"))
        known = {fact["name"] for fact in found["facts"] if fact["verdict"] == "known"}
        assert {"Account list", "Balance", "Day trader status"} <= known
        wait_for(lambda: _at(home) >= new_york(7, 2))
        assert home.sources() == {0: {"alpaca"}, 1: {"yahoo"}}
    with home.up("09:20", SPEED):
        wait_for(lambda: _sold(home.book()))
        assert home.answer("status")["mode"] == "paper"
        assert home.answer("report")["said"][0].startswith("Paper: orders are filled in the system's own book")
    assert home.answer("report")["figures"]["realized"] == home.answer("trades")["realized"]
    book = home.book()
    (symbol, *_) = _sold(book)
    kinds = {order.kind for order in book.orders if order.symbol == symbol and order.placed_at is not None}
    assert kinds >= {Kind.ENTRY, Kind.PROTECT}
    assert [call["PATH_INFO"] for call in home.calls() if any(one in call["PATH_INFO"] for one in ORDERED)] == []
    assert [path.name for path in home.logs() if '"severity":"CRITICAL"' in path.read_text()] == []
