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

from infra.day import audit
from infra.day.book import read_book
from infra.day.environment import STARTING_CASH
from infra.day.result import DayResult
from infra.day.run import run_day
from infra.day.state import opened
from infra.day.summary import VARYING
from infra.day.violations import violations
from infra.local.sqlite_store import SqliteStore
from shared.codec import loads
from shared.ports import Put
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.days, pytest.mark.timeout(600)]
RECORDED = ("2013-10-07", "2013-10-08", "2013-10-09")
ROOT = Path(__file__).resolve().parents[2]
MEASURED = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
RSS_MB = 512


def told(config: str, name: str) -> tuple[int, Decimal]:
    """Give the fills and the result that tests/README.md states for a recorded day."""
    (row,) = re.findall(rf"^\| recorded days, `{config}`: fills and result \| ([^|]+) \|", MEASURED, re.MULTILINE)
    fills, result = row.split("; ")[RECORDED.index(name)].split(", ")
    return int(fills), Decimal(result.replace("$", ""))


def play(market: Path | str, runs: Path, *, config: str = "demo") -> DayResult:
    """Run one day as fast as the machine can."""
    return run_day(
        market_spec=str(market),
        config=config,
        seed=1,
        speed="max",
        state=None,
        on_progress=lambda _: None,
        runs=runs,
    )


@pytest.fixture(scope="module")
def quiet(market_data: Path, tmp_path_factory: pytest.TempPathFactory) -> DayResult:
    """Return the first recorded day, run once for every test that only looks at it."""
    return play(market_data / "2013-10-07.csv.gz", tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_day_trades_and_ends_flat(market_data: Path, tmp_path: Path, name: str) -> None:
    """With the demo configuration a recorded day enters and leaves, violates nothing, and ends as is told."""
    result = play(market_data / f"{name}.csv.gz", tmp_path)
    assert (len(result.ledger.fills), Decimal(result.summary.realized_pnl)) == told("demo", name)
    assert list(result.summary.violations) == []
    assert result.summary.open_positions == 0
    assert {fill.action for fill in result.ledger.fills} == {"BUY", "SELL"}
    assert sum(fill.quantity if fill.action == "BUY" else -fill.quantity for fill in result.ledger.fills) == 0
    assert result.ledger.cash - STARTING_CASH == Decimal(result.summary.realized_pnl)
    assert not result.crashed, result.troubles


@pytest.mark.parametrize("name", RECORDED)
def test_the_defaults_run_clean(market_data: Path, tmp_path: Path, name: str) -> None:
    """With the default configuration a recorded day violates nothing and ends as is told."""
    result = play(market_data / f"{name}.csv.gz", tmp_path, config="default")
    assert (len(result.ledger.fills), Decimal(result.summary.realized_pnl)) == told("default", name)
    assert list(result.summary.violations) == []
    assert not result.crashed, result.troubles


def test_a_recorded_day_keeps_the_budget(quiet: DayResult) -> None:
    """A recorded day looks at 95 % of its 23,400 seconds, with late ticks and a lost one, within 512 MB."""
    assert quiet.timing.looks.seconds == 23_400
    assert quiet.timing.looks.looked >= 0.95 * 23_400
    assert quiet.summary.ticks >= quiet.timing.looks.looked
    assert quiet.summary.unseen_s <= 8
    assert quiet.timing.quote_age is not None
    assert quiet.timing.quote_age.p99 <= 1.5
    assert quiet.summary.peak_rss_mb <= RSS_MB


def test_orders_and_stops_are_fast(quiet: DayResult) -> None:
    """A signal is at most 4 s old when placed, 3 s more for each ahead, 2 s for a fill of those; stops work in 10 s."""
    for ahead, ages in quiet.timing.signal_age.items():
        # One second more than on the fast network: the calls before the place take half of it, a slow one the rest.
        # A fill of one ahead makes the holdings old, and asking for them again takes two turns at Accounts.
        assert ages.p99 <= 4 + 3 * ahead + (2 if ahead else 0)
    assert quiet.timing.stop_delay is not None
    assert quiet.timing.stop_delay.p99 <= 10


def test_equal_seeds_give_equal_days(market_data: Path, tmp_path: Path) -> None:
    """Two processes with different hash seeds write the same audit trail and the same figures."""
    found = []
    for hash_seed in ("1", "4242"):
        folder, figures = tmp_path / f"run{hash_seed}", tmp_path / f"{hash_seed}.json"
        market = str(market_data / "2013-10-07.csv.gz")
        words = ["day", "--market", market, "--state", str(folder), "--json", str(figures)]
        command(*words, hash_seed=hash_seed, check=True)
        plain = loads(figures.read_bytes())
        kept = {name: value for name, value in plain.items() if name not in VARYING}
        found.append(((folder / audit.FILE).read_bytes(), kept))
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_can_be_read_and_repeated(market_data: Path, tmp_path: Path, kind: signal.Signals) -> None:
    """A run that is interrupted leaves a readable trail, and the same command starts cleanly after it."""
    folder, market = tmp_path / "day", str(market_data / "2013-10-07.csv.gz")
    words = ["day", "--market", market, "--state", str(folder)]
    with subprocess.Popen(argv(*words), cwd=ROOT) as process:  # noqa: S603 - our own command
        until_started(folder)
        process.send_signal(kind)
        code = process.wait(timeout=PATIENCE_S)
    assert code == (130 if kind is signal.SIGINT else -signal.SIGKILL)
    assert command("audit", "export", "--state", str(folder)).returncode == 0
    assert command("audit", "verify", "--state", str(folder)).returncode == 0
    assert command(*words).returncode == 0
    assert (tmp_path / "day.interrupted-1" / "state.db").exists()


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


def command(*words: str, hash_seed: str = "0", check: bool = False) -> subprocess.CompletedProcess[bytes]:
    """Run one command in a new process."""
    environ = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(  # noqa: S603 - our own command
        argv(*words), cwd=ROOT, capture_output=True, check=check, env=environ
    )


def until_started(folder: Path) -> None:
    """Wait until a run has placed an order, of which its audit trail tells."""
    deadline, journal = time.monotonic() + 100, folder / "journal.jsonl"
    while time.monotonic() < deadline:
        if journal.exists() and '"endpoint":"place"' in journal.read_text(encoding="utf-8", errors="replace"):
            return
        time.sleep(0.05)
    pytest.fail("the run did not get under way")
