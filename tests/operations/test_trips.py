"""Every round trip is listed, and their sum is what the status says, whatever became of the shares."""

import csv
from dataclasses import replace
from decimal import Decimal
from functools import cache
from io import StringIO
from pathlib import Path

import pytest

from infra.one_machine.memory_store import MemoryStore
from infra.one_machine.sqlite_store import SqliteStore
from infra.operations.look import overview
from infra.operations.trips import Trips, trips
from infra.results.facts import Trade
from infra.results.plain import plain
from infra.results.words import price
from infra.simulated_day.folder import BACK_TEST, Card
from infra.simulated_day.folder import DAY as DAY_RUN
from infra.simulated_day.hours import clock
from shared.codec import decode, dumps, encode
from shared.domain.base.values import Side
from shared.domain.orders.book import repriced
from shared.domain.orders.positions import Fill, Ledger
from shared.ports import Put
from shared.usecases.base.desk import put, read
from tests.operations.desks import answer, refused, strategy, unopened
from tests.simulated_day.sample import DAY, quiet_day, result_of
from tests.usecases.bench import CONFIG as BASE
from tests.usecases.bench import START, SYMBOL, WATCHED, Bench

BOUGHT_AGAIN_S = 400
CONFIG = replace(BASE, limits=replace(BASE.limits, symbol_cooldown_minutes=2))
"""So that a symbol is bought twice before the last entries of the day."""


@cache
def _day() -> Bench:
    """Play a whole session's end: one symbol twice, a partial exit, a sale by hand, shares that were moved away."""
    bench = Bench(config=CONFIG)
    exchange = bench.exchange
    exchange.guards_shares = True
    for slot, symbol in enumerate(WATCHED, start=1):
        exchange.set_price(symbol, "99.99", "100.01")
        bench.send(bench.signal(slot, symbol))
    bench.at(70, lambda: exchange.sell_by_hand("MSFT", 60, "100.50"))
    bench.at(75, lambda: exchange.transfer_out("ORCL", 9))
    bench.at(130, lambda: exchange.set_price(SYMBOL, "98.50", "98.52"))

    def again() -> None:
        bench.store.commit([put(f"quotes/{symbol}", exchange.quote(symbol)) for symbol in WATCHED])
        bench.send(bench.signal(9, SYMBOL, decision_price=Decimal("98.51")))

    def partly() -> None:
        (stop,) = exchange.live(SYMBOL, Side.SELL)
        exchange.fill(stop.order_id, 30, Decimal("97.40"))

    bench.at(BOUGHT_AGAIN_S, again)
    bench.at(BOUGHT_AGAIN_S + 90, partly)
    bench.run_until_quiet()
    return bench


def _realized(store: MemoryStore) -> Decimal:
    return overview(store, at=START, running=False).realized


def test_the_sum_of_the_round_trips_is_what_the_status_says() -> None:
    """Two in one symbol, a partial exit, a sale by hand and unpriced shares: all are there, to the cent and share."""
    store = _day().store
    found = trips(store)
    assert sorted(one.symbol for one in found.trades) == ["IBM", "IBM", "MSFT", "ORCL"]
    assert not any(one.held for one in found.trades)
    assert found.realized == _realized(store) == sum(one.realized for one in found.trades)
    assert all(one.agrees for one in found.sessions)
    first, again = (one for one in found.trades if one.symbol == SYMBOL)
    (by_hand,), (moved,) = ([one for one in found.trades if one.symbol == name] for name in ("MSFT", "ORCL"))
    assert first.realized < 0
    assert "taken out by hand" in by_hand.exit_reason
    assert (moved.unpriced, found.unpriced) == (9, 9)
    assert len(again.exit_reason.split(", ")) == 2
    assert again.percent is not None
    assert again.entered_at > first.entered_at


def test_positions_alone_would_lose_one() -> None:
    """The book keeps one position for each symbol: a list made of them has another sum, which this test would see."""
    bench = _day()
    assert len(bench.positions()) == 3
    assert sum(one.realized for one in bench.positions()) != _realized(bench.store)


def test_a_difference_from_the_ledger_is_told(desk: Path) -> None:
    """A ledger that says something else than the fills is named with both amounts, and nothing is made equal."""
    store = SqliteStore(desk / "state.db")
    held = read(store, Ledger, f"ledger/{DAY}")
    assert held is not None
    store.commit([put(held.path, replace(held.value, realized=held.value.realized + 1))])
    store.close()
    told = strategy("trades", "--state", str(desk)).stderr
    assert "DIFFERENT" in told
    assert f"{held.value.realized + 1:+,.2f} USD" in told


def test_a_row_that_cannot_be_read_hides_no_other() -> None:
    """One damaged fill is named, the other round trips are there, and the sum is not called equal."""
    store = MemoryStore()
    for row in ("orders", "fills", "taken", "ledger"):
        store.commit([Put(one.path, one.data) for one in _day().store.query(row)])
    path = next(one.path for one in store.query("fills") if one.data["symbol"] == "MSFT")
    store.commit([Put(path, {"quantity": "many"})])
    found = trips(store)
    assert found.unread == (path,)
    assert {one.symbol for one in found.trades} >= {"IBM", "ORCL"}


def test_many_that_cannot_be_read_are_one_line(desk: Path) -> None:
    """Five of them are named and the others counted, so that what was traded is still seen."""
    store = SqliteStore(desk / "state.db")
    store.commit([Put(f"fills/bad{number}", {"quantity": "many"}) for number in range(8)])
    store.close()
    shown = strategy("trades", "--state", str(desk))
    assert shown.stderr.count("cannot be read") == 1
    assert "fills/bad4 and 3 more" in shown.stderr
    assert "AIG" in shown.stdout


def test_a_price_that_came_late_moves_no_instant(desk: Path) -> None:
    """A fill that was booked at a guess and priced later is left at its own instant, with the price that came."""
    store = SqliteStore(desk / "state.db")
    before = trips(store)
    row = next(one for one in store.query("fills") if one.data["side"] == "SELL")
    held = read(store, Fill, row.path)
    assert held is not None
    guess = replace(held.value, provisional=True)
    back, priced, change = repriced(guess, guess.price + 1, at=guess.at.replace(hour=23))
    priced = replace(priced, realized=priced.realized + change)
    store.commit([put(row.path, guess), put(f"{row.path}:back", back), put(f"{row.path}:priced", priced)])
    (one,) = trips(store).trades
    (was,) = before.trades
    store.close()
    assert (one.left_at, one.exit_price) == (was.left_at, (was.exit_price or 0) + 1)
    assert one.realized == was.realized + was.shares


@pytest.mark.parametrize(
    ("amount", "said"),
    [("27.83", "27.83"), ("27.829994904459", "27.83"), ("1028.4671999", "1,028.4672"), ("28.4", "28.40"), (None, "")],
)
def test_an_average_has_the_places_that_explain_the_profit(amount: str | None, said: str) -> None:
    """A price of whole cents stands so, an average of several fills with four places, and no rest of a division."""
    assert price(None if amount is None else Decimal(amount)) == said


def test_a_system_s_round_trips_as_table_json_and_csv(played_desk: Path) -> None:
    """The three say the same, and the table says the sum of the status."""
    on = ("--state", str(played_desk))
    plain, seen = answer("trades", *on), answer("status", *on)
    (one,) = plain["trades"]
    assert plain["realized"] == seen["realized"] == one["realized"]
    assert one["fees"] is None
    (row,) = csv.DictReader(StringIO(strategy("trades", "--csv", *on).stdout))
    assert (row["symbol"], row["profit_before_fees_usd"], row["shares"]) == ("AIG", one["realized"], str(one["shares"]))
    assert (row["price_in"], row["price_out"]) == tuple(
        f"{Decimal(one[at]):.4f}" for at in ("entry_price", "exit_price")
    )
    shown = strategy("trades", *on, COLUMNS="80").stdout
    assert f"{Decimal(seen['realized']):+,.2f} USD realised, before fees" in shown
    assert all(len(line) <= 80 for line in unopened(shown).splitlines())
    assert WHOSE in shown
    assert one["exit_reason"] == "rsi"
    assert "RSI too low" in " ".join(shown.split())
    refused(strategy("trades", "--csv", "--json", *on), "JSON and CSV")


WHOSE = "Prices: simulated market; money: simulated.\n"
"""What heads the figures of a system, and not those of a run."""


@pytest.mark.parametrize("kind", [DAY_RUN, BACK_TEST])
def test_the_trades_of_a_run_are_those_of_its_report(run: Path, kind: str) -> None:
    """Instants, reasons and profits after fees are those of the report, which knows when the broker filled."""
    result = result_of(quiet_day(), run)
    paid = tuple(replace(one, fees=Decimal("0.35")) for one in result.facts.trades)
    (run / "report.json").write_bytes(dumps(plain(replace(result.facts, trades=paid), result.figures)))
    (run / "run.json").write_bytes(
        dumps(encode(Card(market="made", config="demo", seed=1, status="finished", kind=kind)))
    )
    on = ("--state", str(run))
    found = answer("trades", *on)
    assert [decode(Trade, one) for one in found["trades"]] == list(paid)
    assert Decimal(found["realized"]) == sum(one.net for one in paid)
    shown = strategy("trades", *on).stdout
    assert clock(paid[0].entered_at) in shown
    assert f"{sum(one.net for one in paid):+,.2f} USD realised, after fees" in shown
    (row, _) = csv.DictReader(StringIO(strategy("trades", "--csv", *on).stdout))
    before, after = Decimal(row["profit_before_fees_usd"]), Decimal(row["profit_after_fees_usd"])
    assert before - Decimal("0.35") == after == paid[0].net
    assert answer("report", *on)["title"] == result.facts.title


def test_a_back_test_s_folder_says_what_it_does_not_keep(tmp_path: Path) -> None:
    """Its orders, receipts and positions are asked for in vain, with the command that shows its trades."""
    card = Card(market="made", config="demo", seed=1, status="finished", kind=BACK_TEST)
    (tmp_path / "run.json").write_bytes(dumps(encode(card)))
    for words in (("orders",), ("positions",), ("why", "IBM"), ("explain", "X"), ("notices",)):
        refused(strategy(*words, "--state", str(tmp_path)), "holds a back-test", "strategy trades --state")
    (tmp_path / "01").mkdir()
    (tmp_path / "01" / "report.json").write_text("{}")
    refused(strategy("trades", "--state", str(tmp_path)), "holds several results: 01")


def test_a_day_s_folder_is_looked_at_as_a_system_is(desk: Path) -> None:
    """Orders, positions, an order's story, a verdict and notices of a run are those that the same folder has as one."""
    on = ("--state", str(desk))
    asked = (("orders", "--all"), ("positions", "--all"), ("why", "AIG", "--at", "2013-10-07T10:06:30"), ("notices",))
    before = [unopened(strategy(*words, *on).stdout) for words in asked]
    (desk / "desk.json").unlink()
    card = Card(market="made", config="demo", seed=1, status="finished")
    (desk / "run.json").write_bytes(dumps(encode(card)))
    assert [strategy(*words, *on).stdout for words in asked] == before
    (first, *_) = answer("orders", "--all", *on)
    assert first["intent_id"] in strategy("explain", first["intent_id"], *on).stdout
    assert "AIG at 2013-10-07 10:0" in strategy("why", "AIG", *on).stdout
    refused(strategy("report", *on), "left no report")


def test_some_of_them_have_a_sum_of_their_own() -> None:
    """By symbol, in any case, and the last ones: the sum is theirs alone, and the sessions stay whole."""
    whole = trips(_day().store)
    twice = whole.only(symbol="ibm", last=None)
    assert [one.symbol for one in twice.trades] == ["IBM", "IBM"]
    assert twice.realized == sum(one.realized for one in twice.trades) != whole.realized
    assert whole.only(symbol="IBM", last=1).trades == twice.trades[-1:]
    assert whole.only(symbol="NONE", last=None).trades == ()
    assert twice.sessions == whole.sessions


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Give the folder of a run of `day`, as far as its store and its card go."""
    folder = tmp_path / "0001"
    folder.mkdir()
    (folder / "run.json").write_bytes(dumps(encode(Card(market="made", config="demo", seed=1, status="finished"))))
    store, book = SqliteStore(folder / "state.db"), quiet_day().book()
    store.commit([put(f"orders/{one.intent_id}", one) for one in book.orders])
    store.commit([put(f"fills/{one.broker_order_id}:{one.cumulative}", one) for one in book.fills])
    store.commit([put(f"ledger/{one.session}", one) for one in book.ledgers])
    store.close()
    return folder


def test_a_run_of_a_day_has_its_round_trips_too(run: Path) -> None:
    """The folder of a finished `demo` or `day` is read as a system's is, with the sum of its ledger."""
    found: Trips = answer("trades", "--state", str(run))
    assert [one["symbol"] for one in found["trades"]] == ["IBM", "AIG"]  # type: ignore[index]
    assert strategy("trades", "--state", str(run)).stderr == ""
