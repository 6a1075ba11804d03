"""Whole market days through the whole graph: the recorded ones, and the promises that hold for every run."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from infra.one_machine.sqlite_store import SqliteStore
from infra.simulated_day import audit
from infra.simulated_day.book import read_book
from infra.simulated_day.environment import STARTING_CASH
from infra.simulated_day.result import DayResult
from infra.simulated_day.state import opened
from infra.simulated_day.violations import violations
from shared.codec import loads
from shared.ports import Put
from tests.patience import PATIENCE_S
from tests.simulated_day.conftest import RSS_MB, Recorded, kept

pytestmark = [pytest.mark.days, pytest.mark.timeout(1200)]
RECORDED = ("2013-10-07", "2013-10-08", "2013-10-09")
ROOT = Path(__file__).resolve().parents[2]
MEASURED = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")


def told(config: str, name: str) -> tuple[int, Decimal]:
    """Give the fills and the result that tests/README.md states for a recorded day."""
    (row,) = re.findall(rf"^\| recorded days, `{config}`: fills and result \| ([^|]+) \|", MEASURED, re.MULTILINE)
    fills, result = row.split("; ")[RECORDED.index(name)].split(", ")
    return int(fills), Decimal(result.replace("$", ""))


@pytest.fixture
def quiet(recorded: Recorded) -> DayResult:
    """Return the first recorded day, which these tests only look at."""
    return recorded(RECORDED[0])


@pytest.mark.works(75)
@pytest.mark.parametrize("name", [RECORDED[0], *(pytest.param(one, marks=pytest.mark.long) for one in RECORDED[1:])])
def test_a_recorded_day_trades_and_ends_flat(recorded: Recorded, name: str) -> None:
    """With the demo configuration a recorded day enters and leaves, violates nothing, and ends as is told."""
    result = recorded(name)
    assert (len(result.ledger.fills), Decimal(result.summary.realized_pnl)) == told("demo", name)
    assert list(result.summary.violations) == []
    assert result.summary.open_positions == 0
    assert {fill.action for fill in result.ledger.fills} == {"BUY", "SELL"}
    assert sum(fill.quantity if fill.action == "BUY" else -fill.quantity for fill in result.ledger.fills) == 0
    assert result.ledger.cash - STARTING_CASH == Decimal(result.summary.realized_pnl)
    assert not result.crashed, result.troubles


@pytest.mark.works(85)
@pytest.mark.parametrize("name", [*(pytest.param(one, marks=pytest.mark.long) for one in RECORDED[:2]), RECORDED[2]])
def test_the_defaults_run_clean(recorded: Recorded, name: str) -> None:
    """With the default configuration a recorded day violates nothing and ends as is told."""
    result = recorded(name, "default")
    assert (len(result.ledger.fills), Decimal(result.summary.realized_pnl)) == told("default", name)
    assert list(result.summary.violations) == []
    assert not result.crashed, result.troubles


def test_a_recorded_day_keeps_the_budget(quiet: DayResult) -> None:
    """A recorded day looks at 95 % of its 23,400 seconds, with late ticks and a lost one."""
    assert quiet.timing.looks.seconds == 23_400
    assert quiet.timing.looks.looked >= 0.95 * 23_400
    assert quiet.summary.ticks >= quiet.timing.looks.looked
    assert quiet.summary.unseen_s <= 8
    assert quiet.timing.quote_age is not None
    assert quiet.timing.quote_age.p99 <= 1.5


def test_orders_and_stops_are_fast(quiet: DayResult) -> None:
    """A signal is at most 4 s old when placed, 3 s more for each ahead, 2 s for a fill of those; stops work in 10 s."""
    for ahead, ages in quiet.timing.signal_age.items():
        # One second more than on the fast network: the calls before the place take half of it, a slow one the rest.
        # A fill of one ahead makes the holdings old, and asking for them again takes two turns at Accounts.
        assert ages.p99 <= 4 + 3 * ahead + (2 if ahead else 0)
    assert quiet.timing.stop_delay is not None
    assert quiet.timing.stop_delay.p99 <= 10


@pytest.mark.long
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_ended_early_can_be_read_and_repeated(
    quiet: DayResult, market_data: Path, tmp_path: Path, kind: signal.Signals
) -> None:
    """A run that ends early can be read; the same command then gives the undisturbed day, within 512 MB of its own."""
    folder, figures, market = tmp_path / "day", tmp_path / "figures.json", str(market_data / f"{RECORDED[0]}.csv.gz")
    words = ["day", "--market", market, "--state", str(folder), "--json", str(figures)]
    with subprocess.Popen(argv(*words), cwd=ROOT, env=environment()) as process:  # noqa: S603 - our own command
        until_started(folder)
        process.send_signal(kind)
        code = process.wait(timeout=PATIENCE_S)
    assert code == (130 if kind is signal.SIGINT else -signal.SIGKILL)
    assert command("audit", "export", "--state", str(folder)).returncode == 0
    assert command("audit", "verify", "--state", str(folder)).returncode == 0
    assert command(*words).returncode == 0
    assert (tmp_path / "day.interrupted-1" / "state.db").exists()
    assert (folder / audit.FILE).read_bytes() == (quiet.folder / audit.FILE).read_bytes()
    again = loads(figures.read_bytes())
    assert kept(again) == kept(quiet.summary.plain())
    assert again["peak_rss_mb"] <= RSS_MB


@pytest.mark.parametrize(
    ("collection", "change", "sentence"),
    [
        ("fills", {"quantity": 1}, "Book differs"),
        ("audit", {"cause": "another"}, "Broken audit chain"),
        ("positions", {"is_open": True}, "Position open after the close"),
    ],
)
def test_a_changed_book_is_noticed(
    quiet: DayResult, tmp_path: Path, collection: str, change: dict[str, object], sentence: str
) -> None:
    """A document of a real day that is changed behind the system's back becomes a violation."""
    folder = Path(shutil.copytree(quiet.folder, tmp_path / "copy"))
    store = SqliteStore(folder / "state.db")
    first = store.query(collection)[0]
    store.commit([Put(first.path, {**first.data, **change})])
    store.close()
    with opened(folder) as documents:
        book = read_book(documents)
    found = violations(ledger=quiet.ledger, book=book, undeclared=(), starting_cash=STARTING_CASH, hours=quiet.hours)
    assert any(one.startswith(sentence) for one in found)


def argv(*words: str) -> list[str]:
    """Give the command line as a new process would be started with it."""
    return [sys.executable, "-m", "infra.cli.main", *words]


def command(*words: str) -> subprocess.CompletedProcess[bytes]:
    """Run one command in a new process."""
    return subprocess.run(  # noqa: S603 - our own command
        argv(*words), cwd=ROOT, capture_output=True, check=False, env=environment()
    )


def environment() -> dict[str, str]:
    """Give this process's environment with a hash seed of its own."""
    return {**os.environ, "PYTHONHASHSEED": "4242"}


def until_started(folder: Path) -> None:
    """Wait until a run has placed an order, of which its audit trail tells."""
    deadline, journal = time.monotonic() + PATIENCE_S, folder / "journal.jsonl"
    while time.monotonic() < deadline:
        if journal.exists() and '"endpoint":"place"' in journal.read_text(encoding="utf-8", errors="replace"):
            return
        time.sleep(0.05)
    pytest.fail("the run did not get under way")
