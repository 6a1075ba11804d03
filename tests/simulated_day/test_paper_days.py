"""Days on paper through the whole graph: our book fills, and the simulator hears of no order."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from infra.brokersim.ledger import Ledger
from infra.one_machine.scheduler import Lateness
from infra.simulated_day.hours import Hours
from infra.simulated_day.machine import Machine, Surroundings
from infra.simulated_day.result import DayResult
from infra.simulated_day.run import run_day
from shared.codec import decode, encode, loads
from shared.domain.base.values import cents
from shared.paper.book import PaperBook
from shared.paper.books import BOOK
from shared.ports import Put
from shared.settings import Mode
from shared.topology import TOPOLOGY
from tests.simulated_day.made import SYMBOL, at, market_file
from tests.simulated_day.seeded import BEGUN_LATE, FEWER_LOOKS, PLAIN, SEED

ORDER_CALLS = ("preview", "place", "cancel", "orders", "order", "portfolio")


def play(market: str, runs: Path, around: Surroundings, **environ: str) -> tuple[DayResult, Ledger]:
    """Run a day on paper; gives its result, and the simulator's own ledger of the account."""
    machines: list[Machine] = []

    def ready(machine: Machine) -> None:
        machines.append(machine)
        around.ready(machine)

    result = run_day(
        market_spec=market, config="demo", seed=SEED, speed="max", state=None, on_progress=lambda _: None, runs=runs,
        environ=environ, around=replace(around, mode=Mode.PAPER, ready=ready),
    )  # fmt: skip
    return result, machines[0].simulator.ledger(machines[0].settings.account_id)


def nothing_reached_the_broker(ledger: Ledger) -> None:
    """Check that the simulator was asked for quotes and never about an order, and that its account is untouched."""
    assert {name: ledger["calls"][name] for name in ORDER_CALLS} == dict.fromkeys(ORDER_CALLS, 0)
    assert ledger["calls"]["quotes"] > 0
    assert (ledger["orders"], ledger["fills"], ledger["place_requests"]) == ([], [], [])


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a made market, written once."""
    return str(market_file(tmp_path_factory.mktemp("market")))


@pytest.fixture(scope="module")
def hour(market: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[DayResult, Ledger]:
    """Return the made hour on paper, played once."""
    return play(market, tmp_path_factory.mktemp("hour"), PLAIN)


def test_a_paper_hour_trades_and_nothing_reaches_the_broker(hour: tuple[DayResult, Ledger]) -> None:
    """On paper the last hour of a half-day enters, protects and leaves, and no order call leaves the functions."""
    result, simulator = hour
    nothing_reached_the_broker(simulator)
    assert list(result.summary.violations) == []
    assert not result.crashed
    assert set(result.troubles) <= BEGUN_LATE
    assert [order.price_type for order in result.ledger.orders] == ["LIMIT", "STOP", "LIMIT"]
    entry, leaving = result.ledger.fills
    assert (entry.action, leaving.action, entry.symbol) == ("BUY", "SELL", SYMBOL)
    assert at(12, 50) <= leaving.at < at(13, 0)
    assert {fill.broker_order_id for fill in result.book.fills} == {entry.order_id, leaving.order_id}


def test_settlement_alone_fills_on_paper(hour: tuple[DayResult, Ledger]) -> None:
    """What rests is looked at every two or three seconds of settlement's fifty a minute, and by nobody else."""
    lines = [loads(line) for line in (hour[0].folder / "journal.jsonl").read_bytes().splitlines()]
    assert {line["function"] for line in lines if line["event"] == "paper_fill"} == {"order_settlement"}
    looks = [
        datetime.fromisoformat(line["at"]) for line in lines
        if (line["event"], line.get("endpoint"), line["function"]) == ("broker_call", "quotes", "order_settlement")
    ]  # fmt: skip
    gaps = sorted(after - before for before, after in pairwise(looks))
    minutes = (looks[-1] - looks[0]) // timedelta(minutes=1)
    settling = next(one for one in TOPOLOGY.schedules if one.name == "settle")
    # Between two minutes at most 13 s pass, and as much more as the scheduler is late with the second one.
    latest = max(Lateness(SEED).of(settling, at(12, minute)) for minute in range(60))
    assert gaps[-1] < timedelta(seconds=13) + latest
    assert sum(gap > timedelta(seconds=3.3) for gap in gaps) <= minutes


@pytest.mark.days
def test_a_paper_day_spends_the_capital_that_it_is_given(market: str, tmp_path: Path) -> None:
    """The paper account opens with the capital of a person's environment, not with the broker's cash."""
    result, simulator = play(market, tmp_path, PLAIN, STRATEGY_CAPITAL_USD="5000", **FEWER_LOOKS)
    assert list(result.summary.violations) == []
    assert result.ledger.fills[0].quantity == 4
    assert cents(result.ledger.cash) == 5000 + Decimal(result.summary.realized_pnl)
    assert Decimal(simulator["cash"]) == 100_000


@pytest.mark.days
def test_a_changed_paper_account_is_noticed(market: str, tmp_path: Path) -> None:
    """A paper account that somebody edits behind the book's back no longer agrees with it, and that is a violation."""

    def edit(machine: Machine) -> None:
        store = machine.world.store
        (held,) = (row for row in store.query("paper") if row.path == BOOK)
        book = decode(PaperBook, held.data)
        store.commit([Put(BOOK, encode(replace(book, cash=book.cash + 1)))])

    result, _ = play(
        market,
        tmp_path,
        replace(PLAIN, ready=lambda machine: machine.kernel.spawn(lambda: edit(machine), at=at(16, 6), name="edit")),
        **FEWER_LOOKS,
    )
    (sentence,) = result.summary.violations
    assert sentence.startswith("Book differs")


def from_three(usual: Hours) -> Hours:
    """Begin an hour before the close."""
    begins = usual.closes - timedelta(hours=1)
    return replace(
        usual, starts=begins, signs_in=begins + timedelta(seconds=10), ends=usual.closes + timedelta(minutes=7)
    )


@pytest.mark.days
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("around", "minutes"),
    [(Surroundings(hours=from_three), 59), pytest.param(Surroundings(), 390, marks=pytest.mark.long)],
    ids=["from three", "whole"],
)
def test_a_generated_day_on_paper(tmp_path: Path, around: Surroundings, minutes: int) -> None:
    """A generated day on paper scans every tick, trades both ways, ends flat and violates nothing."""
    result, simulator = play("generated", tmp_path, around)
    nothing_reached_the_broker(simulator)
    assert list(result.summary.violations) == []
    assert not result.crashed, result.troubles
    assert (minutes - 1) * 60 <= result.summary.ticks <= minutes * 60
    assert result.summary.open_positions == 0
    assert {fill.action for fill in result.ledger.fills} == {"BUY", "SELL"}
    assert cents(result.ledger.cash - 100_000) == Decimal(result.summary.realized_pnl)
