"""What the owner sees in money: each price with its age, an old one never as a figure, no sum that lacks a part."""

import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from infra.cli import money_words, redrawn, watching
from infra.cli.status_words import status_lines
from infra.cli.whose import account
from infra.one_machine.memory_store import MemoryStore
from infra.operations import look, wealth
from infra.operations.look import Overview, overview
from infra.operations.wealth import Priced
from shared.domain.broker.brokerage import Balance, LastBalance
from shared.domain.market.fallback import FallbackQuote
from shared.domain.market.quotes import Quote, QuoteStatus
from shared.domain.orders.orders import Kind, State
from shared.domain.orders.positions import Ledger
from shared.ports import Put
from shared.usecases.base.desk import put
from shared.usecases.orders.account import LAST_BALANCE
from tests.domain.made import order, position
from tests.operations.desks import answer, refused, strategy

NOON = datetime(2013, 10, 7, 16, 0, tzinfo=UTC)
HELD = replace(position(), symbol="IBM", quantity=10, average_cost=Decimal("50.00"), is_open=True, opened_at=NOON)
BALANCE = Balance(
    at=NOON - timedelta(seconds=20), account_mode="CASH", settled_cash=Decimal(900), cash_buying_power=Decimal(950),
    account_value=Decimal(2_000),
)  # fmt: skip


def _quote(symbol: str = "IBM", *, ago: float = 5, source: str = "etrade") -> Quote:
    at = NOON - timedelta(seconds=ago)
    return Quote(
        symbol=symbol, bid=Decimal("51.00"), bid_size=1, ask=Decimal("51.02"), ask_size=1, last=Decimal("51.01"),
        day_volume=1, previous_close=None, at=at, received_at=at, status=QuoteStatus.REALTIME, source=source,
    )  # fmt: skip


def _store(*quotes: Quote, held: Sequence[str] = ("IBM",)) -> MemoryStore:
    store = MemoryStore()
    stop = replace(
        order(), symbol="IBM", kind=Kind.PROTECT, state=State.WORKING, stop_price=Decimal("49.50"), live=True
    )  # fmt: skip
    store.commit([
        *(put(f"positions/{name}", replace(HELD, symbol=name, position_id=name)) for name in held),
        *(put(f"quotes/{one.symbol}", one) for one in quotes),
        put("orders/stop", stop),
        put("ledger/2013-10-04", Ledger(session=NOON.date() - timedelta(days=3), realized=Decimal(-40))),
        put("ledger/2013-10-07", Ledger(session=NOON.date(), realized=Decimal("12.50"))),
        put(LAST_BALANCE, LastBalance(balance=BALANCE, capital=Decimal(1_000))),
    ])  # fmt: skip
    return store


def _seen(store: MemoryStore) -> Overview:
    return overview(store, at=NOON, running=True, name="desk")


def test_what_is_held_is_valued_at_the_last_price_with_its_age() -> None:
    """Value, open profit, distance to the stop that works, the day, equity and exposure are what the figures give."""
    seen = _seen(_store(_quote()))
    (one,) = seen.owned
    assert one.price is not None
    assert (one.price.kind, one.price.last, one.price.age_s) == (Priced.FRESH, Decimal("51.01"), 5)
    assert (one.value, one.open_profit, one.open_percent) == (Decimal("510.10"), Decimal("10.10"), Decimal("2.02"))
    assert (one.stop, one.stop_distance, one.stop_percent) == (Decimal("49.50"), Decimal("1.51"), Decimal("2.96"))
    money = seen.wealth
    assert (money.realized_today, money.day_profit) == (Decimal("12.50"), Decimal("22.60"))
    assert money.equity == Decimal(1_000) - 40 + Decimal("12.50") + Decimal("10.10")
    assert money.exposure_pct == Decimal("51.91")
    words = dict(status_lines(seen))
    assert str(words["Day's profit"]).startswith("+22.60 USD")
    for part in ("900.00 USD settled, to buy with", "2,000.00 USD account value", "20 s ago", "cash"):
        assert part in str(words["Cash"])


def test_a_margin_account_shows_no_debt_that_is_none() -> None:
    """What purchases of today took from settled cash is no debt there: what may be spent is said, and no minus."""
    balance = replace(BALANCE, account_mode="MARGIN", settled_cash=Decimal(-94_248), cash_buying_power=Decimal(100_460))
    said = money_words.cash(LastBalance(balance=balance, capital=Decimal(1_000)), 20, "the paper account's")
    assert said.startswith("100,460.00 USD to buy with, what sales of today brought included, 2,000.00 USD account")
    assert "-" not in said.partition("read at")[0]


def test_a_paper_account_says_what_its_shares_count_at() -> None:
    """Its value beside the equity differs where no price is fresh, and says so; another account's is the broker's."""
    last = LastBalance(balance=BALANCE, capital=Decimal(1_000))
    at_cost = "2,000.00 USD account value, shares without a fresh price at their cost ("
    assert at_cost in money_words.cash(last, 20, account("simulator", "paper"))
    assert "at their cost" not in money_words.cash(last, 20, account("production", "live"))


def _as_if_old_counted(
    quote: Quote | None, _other: FallbackQuote | None, at: datetime
) -> wealth.Price:  # the mistake: any price is taken
    assert quote is not None
    return wealth.Price(kind=Priced.FRESH, last=quote.last, at=quote.at, age_s=(at - quote.at).total_seconds())


def _old_is_no_figure() -> None:
    seen = _seen(_store(_quote(ago=181)))
    (one,) = seen.owned
    assert one.price is not None
    assert (one.price.kind, one.price.last, one.value, one.open_profit) == (Priced.OLD, None, None, None)
    assert (seen.wealth.day_profit, seen.wealth.equity, seen.wealth.value) == (None, None, None)
    words = dict(status_lines(seen))
    assert "51.01" not in " ".join(map(str, words.values()))
    assert "NO PRICE since 2013-10-07 11:56:59 New York, 3 min ago" in str(words["Held"])
    assert "no fresh price of IBM" in str(words["Day's profit"])
    assert "+12.50 USD of it are realised" in str(words["Day's profit"])


def test_an_old_price_is_no_figure() -> None:
    """A price of more than three minutes is told with its instant and age, and no sum is made of it."""
    _old_is_no_figure()


def test_a_price_that_is_taken_however_old_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above sees a look that takes any price for the market's."""
    monkeypatch.setattr(wealth, "_price", _as_if_old_counted)
    with pytest.raises(AssertionError):
        _old_is_no_figure()


def test_one_without_a_price_is_in_no_sum_and_named() -> None:
    """With two held and one price the sums are not known, and nor is the total of the table, which says of which."""
    seen = _seen(_store(_quote(), held=("IBM", "AIG")))
    assert seen.wealth.unknown == ("AIG",)
    assert (seen.wealth.open_profit, seen.wealth.equity) == (None, None)
    assert money_words.total(seen.owned) == "Together: not known, no fresh price of AIG."
    assert "open profit not known" in money_words.short(seen.wealth)


def test_a_price_from_elsewhere_is_marked_and_counts_in_nothing() -> None:
    """It stands beside its symbol with its source and a mark; value and profit are not known."""
    store = _store(_quote(ago=400))
    asked = NOON - timedelta(seconds=10)
    other = FallbackQuote(
        symbol="IBM", last=Decimal("51.20"), at=asked, source="yahoo", asked_at=asked,
        since=NOON - timedelta(seconds=300),
    )  # fmt: skip
    store.commit([put("fallback_quotes/IBM", other)])
    seen = _seen(store)
    (one,) = seen.owned
    assert one.price is not None
    assert (one.price.kind, one.price.last, one.value) == (Priced.ELSEWHERE, Decimal("51.20"), None)
    assert "51.20*" in money_words.row(one, NOON)
    assert seen.wealth.day_profit is None
    assert "NOT TRADED ON" in str(dict(status_lines(seen))["Held"])


def test_what_is_not_the_broker_s_own_quote_is_no_price() -> None:
    """A quote of another source than the broker counts as little as an old one."""
    (one,) = _seen(_store(_quote(source="elsewhere"))).owned
    assert one.value is None


def test_a_position_that_cannot_be_read_leaves_no_sum() -> None:
    """A damaged position is named, and nothing sums up without it; a damaged balance is not a figure either."""
    store = _store(_quote())
    store.commit([Put("positions/BAD", {"is_open": True})])
    assert (_seen(store).wealth.value, _seen(store).wealth.day_profit) == (None, None)
    store = _store(_quote())
    store.commit([Put(LAST_BALANCE, {"capital": "much"})])
    seen = _seen(store)
    assert LAST_BALANCE in seen.unreadable
    assert seen.wealth.equity is None
    assert "not known" in str(dict(status_lines(seen))["Cash"])


def test_what_cannot_be_read_is_named_once() -> None:
    """A look reads the orders and the quotes of what is held once, so a damaged one is named once."""
    store = _store(_quote())
    store.commit([Put("orders/damaged", {"live": True}), Put("quotes/ODD", {"symbol": "ODD"})])
    assert sorted(_seen(store).unreadable) == ["orders/damaged", "quotes/ODD"]


def test_without_a_stop_at_the_broker_that_is_said() -> None:
    """A level that the book wants is no stop that works."""
    store = _store(_quote())
    held = look.orders(store, every=True, unread=[])[0]
    store.commit([put("orders/stop", replace(held, state=State.UNKNOWN))])
    (one,) = _seen(store).owned
    assert one.stop is None
    assert "NO STOP at the broker" in money_words.held(one)


def test_settlement_notes_the_balance_of_its_look(played_desk: Path) -> None:
    """A system that ran has the last balance with its instant, and nobody asked the broker for it."""
    found = answer("status", "--state", str(played_desk))["wealth"]["last"]
    assert (found["balance"]["account_mode"], found["capital"]) == ("MARGIN", "100000")
    assert datetime.fromisoformat(found["balance"]["at"]) > NOON - timedelta(hours=2)


def test_all_positions_and_all_round_trips_are_the_same(played_desk: Path) -> None:
    """`positions --all` lists each position that ever was, and its profits add up to those of `trades`."""
    on = ("--state", str(played_desk))
    every, trips = answer("positions", "--all", *on), answer("trades", *on)
    assert [one["symbol"] for one in every] == [one["symbol"] for one in trips["trades"]]
    assert sum(Decimal(one["realized"]) for one in every) == Decimal(trips["realized"])


class Rounds:
    """Waits that do not wait, and end the watching after so many."""

    def __init__(self, count: int) -> None:
        self.pauses: list[float] = []
        self._count = count

    def __call__(self, seconds: float) -> bool:
        """Count a pause."""
        self.pauses.append(seconds)
        return len(self.pauses) >= self._count


def _watch(rounds: Rounds, console: Console, *, json: bool = False) -> None:
    store = _store(_quote())
    redrawn.watch(
        lambda: [_seen(store)], rounds, console, every_s=watching.EVERY_S, json=json,
        drawn=lambda found, _: watching.drawn(found), plain=watching.plain,
    )  # fmt: skip


def test_a_command_on_a_watched_screen_stands_in_one_line() -> None:
    """What runs alone and was not named is reached by commands without a name, which 80 columns do not break."""
    found = [overview(_store(_quote()), at=NOON, running=True, name="desk", on=f"--state /{'long' * 20}")]
    lines = {}
    for named in (False, True):
        console = Console(file=(written := io.StringIO()), width=80)
        console.print(watching.drawn(found, named=named))
        lines[named] = [line.rstrip() for line in written.getvalue().splitlines()]
    assert any(line.endswith(" strategy close --all") for line in lines[False])
    assert any("strategy close --all --state" in line for line in lines[True])


def test_watching_in_a_pipe_is_a_line_a_look(capsys: pytest.CaptureFixture[str]) -> None:
    """Each look is a plain line with the day's money, and two seconds lie between two of them."""
    rounds = Rounds(3)
    _watch(rounds, Console(file=io.StringIO()))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "+22.60 USD today" in lines[0]
    assert "\x1b" not in lines[0]
    assert rounds.pauses == [watching.EVERY_S] * 3
    _watch(Rounds(1), Console(file=io.StringIO()), json=True)
    (seen,) = json.loads(capsys.readouterr().out)
    assert seen["wealth"]["day_profit"] == "22.60"


def test_watching_on_a_terminal_draws_in_place() -> None:
    """On a terminal what was there is covered by what is there now."""
    screen = io.StringIO()
    _watch(Rounds(2), Console(file=screen, force_terminal=True, width=80))
    assert screen.getvalue().count("\x1b[1A") >= 5
    assert "Ctrl-C ends this" in screen.getvalue()


def _on_a_terminal(seen: Overview, columns: int, lines: int) -> list[str]:
    """Give what a terminal of this size shows of a status that is watched."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=columns, height=lines, no_color=True)
    redrawn.watch(
        lambda: [seen], Rounds(1), console, every_s=1, json=False, drawn=lambda found, _: watching.drawn(found),
        plain=watching.plain,
    )  # fmt: skip
    return [line.rstrip() for line in re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", screen.getvalue()).splitlines()]


def test_watching_shows_what_matters_on_a_small_terminal() -> None:
    """In 24 lines of 80 stand the day, the state, how to stop, what failed, and each of ten positions in its line."""
    names = tuple(f"ZX{letter}" for letter in "ABCDEFGHIJ")
    store = _store(*(_quote(name) for name in names), held=names)
    store.commit([Put("dead_letters/one", {"at": NOON.isoformat(), "body": ""})])
    seen = replace(overview(store, at=NOON, running=True, name="desk", on="--state desk"), signed_in=True)
    shown = [line for line in _on_a_terminal(seen, 80, 24) if line][:24]
    for part in ("Day's profit", "Trading state", "strategy halt --state desk", "Failed messages  1 since", "Ctrl-C"):
        assert len([line for line in shown if part in line]) == 1, part
    for name in names:
        (line,) = [line for line in shown if f"10 {name} " in line]
        assert line.endswith("10 " + name + " +10.10 USD, last 51.01 (5 s), NO STOP at the broker")
    assert all(len(line) <= 80 for line in shown)


def test_watching_asks_what_can_be_answered(played_desk: Path) -> None:
    """What names no system, and what asks for two things at once, is refused before anything is shown."""
    refused(strategy("status", "--watch", "--seen", "--state", str(played_desk)), "--watch and --seen")
    refused(strategy("status", "--watch", "--state", str(played_desk / "none")), "does not exist")


def test_the_pause_in_the_cloud_is_longer() -> None:
    """A look in the cloud is billed: its pause is longer than at home, and neither is below a second."""
    assert watching.CLOUD_EVERY_S > watching.EVERY_S >= 1


def test_orders_are_found_by_symbol_state_and_number(played_desk: Path) -> None:
    """They stand in their order, the newest last, with the price that they filled at and ids of eight letters."""
    on = ("--state", str(played_desk))
    every = answer("orders", "--all", *on)
    assert [one["intent_id"] for one in answer("orders", "--all", "--last", "2", *on)] == [
        one["intent_id"] for one in every[-2:]
    ]
    assert [one["state"] for one in answer("orders", "--all", "--state-is", "filled", *on)] == ["FILLED", "FILLED"]
    assert answer("orders", "--all", "--symbol", "NONE", *on) == []
    assert len(answer("orders", "--all", "--symbol", "aig", *on)) == len(every) == 3
    refused(strategy("orders", "--state-is", "DONE", *on), "no state 'DONE'", "filled, cancelled")
    shown = strategy("orders", "--all", *on).stdout
    entry = every[0]
    assert entry["intent_id"] not in shown
    assert f"{Decimal(entry['average_price']):,.2f}" in shown
    (line,) = [line for line in shown.splitlines() if line.startswith(entry["intent_id"][:8])]
    assert answer("explain", line.split()[0], *on)["order"]["intent_id"] == entry["intent_id"]
