"""A made day for each kind of violation: a fault that is seeded into the running graph appears in the summary."""

from decimal import Decimal
from pathlib import Path

import pytest

from infra.simulated_day.environment import STARTING_CASH
from infra.simulated_day.machine import Surroundings
from infra.simulated_day.result import DayResult
from infra.simulated_day.run import run_day
from shared.codec import loads
from tests.simulated_day.made import SYMBOL, at, market_file
from tests.simulated_day.seeded import BEGUN_LATE, FAULTS, FEWER_LOOKS, PLAIN, SEED

BOOK, OPEN, UNPROTECTED = "Book differs", "Position open after the close", "Position unprotected"
THROTTLE, TWICE, CHAIN, ACCESS = "Throttle answer", "Second place", "Broken audit chain", "Undeclared access"
KINDS = (BOOK, OPEN, UNPROTECTED, THROTTLE, TWICE, CHAIN, ACCESS)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a made market, written once."""
    return market_file(tmp_path_factory.mktemp("market"))


def play(market: Path, runs: Path, around: Surroundings, **environ: str) -> DayResult:
    """Run the made day as `strategy day` does."""
    return run_day(
        market_spec=str(market),
        config="demo",
        seed=SEED,
        speed="max",
        state=None,
        on_progress=lambda _: None,
        runs=runs,
        environ={**FEWER_LOOKS, **environ},
        around=around,
    )


def kinds(result: DayResult) -> set[str]:
    """Give the kinds of violation of a day; a sentence of no known kind stands for itself."""
    sentences = result.summary.violations
    return {next((kind for kind in KINDS if sentence.startswith(kind)), sentence) for sentence in sentences}


def flat_and_clean(result: DayResult) -> None:
    """Check a day without a fault: it entered, left before the early close, agrees to the cent, told nothing else."""
    assert list(result.summary.violations) == []
    assert not result.crashed
    assert set(result.troubles) <= BEGUN_LATE
    entry, leaving = result.ledger.fills
    assert (entry.action, leaving.action, entry.symbol) == ("BUY", "SELL", SYMBOL)
    assert at(12, 50) <= leaving.at < at(13, 0)
    assert result.ledger.cash - STARTING_CASH == Decimal(result.summary.realized_pnl)


def test_without_a_fault_nothing_appears(market: Path, tmp_path: Path) -> None:
    """The last hour of a half-day enters, protects, leaves before the early close, and violates nothing."""
    result = play(market, tmp_path, PLAIN)
    flat_and_clean(result)
    assert [order.price_type for order in result.ledger.orders] == ["LIMIT", "STOP", "LIMIT"]


@pytest.mark.days
def test_what_the_owner_trades_beside_the_system_is_no_violation(market: Path, tmp_path: Path) -> None:
    """Shares that the owner buys and sells by hand in a symbol of ours are the owner's: the books agree without."""
    result = play(market, tmp_path, FAULTS["trade_by_hand"]())
    assert list(result.summary.violations) == []
    assert not result.crashed
    assert [fill.quantity for fill in result.ledger.fills].count(10) == 2


@pytest.mark.days
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("edited_fill", BOOK),
        ("lost_schedule", OPEN),
        ("refused_stop", UNPROTECTED),
        ("throttle", THROTTLE),
        ("second_place", TWICE),
        ("edited_event", CHAIN),
        ("lost_right", ACCESS),
    ],
)
def test_a_seeded_fault_appears(market: Path, tmp_path: Path, fault: str, kind: str) -> None:
    """A fault that is seeded into a running day is named by its sentence, and no other kind with it."""
    result = play(market, tmp_path, FAULTS[fault]())
    assert kinds(result) == {kind}
    written = loads((result.folder / "summary.json").read_bytes())
    assert written["violations"] == list(result.summary.violations)


@pytest.mark.days
def test_a_halt_that_names_exits_keeps_the_stop(market: Path, tmp_path: Path) -> None:
    """When the owner halts exits, too, the position stays open at the close, and stays behind its stop."""
    result = play(market, tmp_path, FAULTS["halted_exit"]())
    assert kinds(result) == {OPEN}


@pytest.mark.days
def test_a_persons_own_settings_count(market: Path, tmp_path: Path) -> None:
    """Capital and rate limit of a person's environment decide how much is bought and how often is looked."""
    result = play(market, tmp_path, PLAIN, STRATEGY_CAPITAL_USD="5000", ETRADE_RATE_LIMIT="40", ETRADE_BURST_LIMIT="1")
    assert list(result.summary.violations) == []
    assert result.ledger.fills[0].quantity == 4
    assert result.summary.ticks < 50 * 31


@pytest.mark.days
@pytest.mark.timeout(1200)
def test_a_whole_half_day_runs_clean(half_day: DayResult) -> None:
    """A half-day from its first schedule to its last enters, ends flat at 13:00 and looks at each second."""
    flat_and_clean(half_day)
    assert 209 * 60 <= half_day.summary.ticks <= 210 * 60
