"""The report of a session of a system says what its trades, its status and its ledger say, at any time."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from infra.one_machine.memory_store import MemoryStore
from infra.one_machine.owners_desk import owners_desk
from infra.one_machine.sqlite_store import SqliteStore
from infra.operations.kept_reports import AFTER, FOLDER, KeptReports
from infra.operations.reported import NO_CAPITAL, System, session_facts
from infra.results.facts import Facts
from infra.results.figures import figures
from infra.results.page import render
from infra.results.plain import plain
from shared.codec import loads
from shared.domain.base import nyse
from shared.domain.base.calendar import TradingSession, session_at, session_of
from shared.domain.broker.brokerage import Balance, LastBalance
from shared.domain.market.sight import LOOKED, Sight
from shared.domain.orders.positions import Fill, Ledger
from shared.domain.orders.versions import Version
from shared.errors import StoreDown
from shared.ports import Delete, Document, Put, Where
from shared.strategies.config import load
from shared.usecases.base.desk import Desk, put, read
from shared.usecases.market.minutes import Minute
from shared.usecases.orders.account import LAST_BALANCE
from tests.operations.desks import answer, refused, running, strategy
from tests.simulated_day.sample import CASH, DAY, HOURS, at, quiet_day

NIGHT = HOURS.closes + timedelta(hours=3)
SYSTEM = System(name="the system in made", configuration="demo", mode="paper", simulated=False)


_LAST = next(day for back in range(9) if session_of(day := nyse.LAST - timedelta(days=back)) is not None)


class At:
    """A clock that stands."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        """Give its instant."""
        return self.time

    def sleep_until(self, until: datetime) -> None:
        """Go there."""
        self.time = max(self.time, until)


def _session() -> TradingSession:
    found = session_of(DAY)
    assert found is not None
    return found


def _stored() -> MemoryStore:
    """Give what a system has stored after a day of two trades and a signal that was denied."""
    store, book = MemoryStore(), quiet_day().book()
    store.commit([put(f"orders/{one.intent_id}", one) for one in book.orders])
    store.commit([put(f"fills/{one.broker_order_id}:{one.cumulative}", one) for one in book.fills])
    store.commit([put(f"ledger/{one.session}", one) for one in book.ledgers])
    store.commit([put(f"signals/{one.signal_id}", one) for one in book.signals])
    store.commit([put(f"audit/{one.chain}:{one.seq}", one) for one in book.events])
    balance = Balance(at=at(10, 0), account_mode="CASH", settled_cash=CASH, cash_buying_power=CASH, account_value=CASH)
    store.commit([put(LAST_BALANCE, LastBalance(balance=balance, capital=CASH))])
    return store


def _desk(store: MemoryStore, now: datetime = NIGHT) -> Desk:
    return owners_desk(At(now), store)


def _facts(store: MemoryStore, now: datetime = NIGHT) -> Facts:
    return session_facts(_desk(store, now), _session(), SYSTEM)


def test_the_report_says_what_trades_and_status_say(played_desk: Path) -> None:
    """Profit, trades and session of the report are those of `strategy trades` and `strategy status`, to the cent."""
    on = ("--state", str(played_desk))
    plain, traded, seen = answer("report", *on), answer("trades", *on), answer("status", *on)
    found = plain["figures"]
    assert found["realized"] == traded["realized"] == seen["realized"]
    assert [one["position_id"] for one in plain["trades"]] == [one["position_id"] for one in traded["trades"]]
    assert plain["span"]["begins"].startswith(seen["session"])
    assert Decimal(found["profit"]) == Decimal(found["realized"]) + Decimal(found["open_profit"])
    assert found["entry_slippage"] is not None
    assert found["hold_pct"] is not None


def test_the_curve_is_made_of_fills_and_own_minutes(played_desk: Path) -> None:
    """There is a point a minute, the first is the capital, the last what the session left, and the report says so."""
    plain = answer("report", "--state", str(played_desk))
    instants = [datetime.fromisoformat(instant) for instant, _, _ in plain["equity"]]
    assert {after - before for before, after in pairwise(instants)} == {timedelta(minutes=1)}
    assert Decimal(plain["equity"][0][1]) == CASH
    assert Decimal(plain["equity"][-1][1]) == CASH + Decimal(plain["figures"]["realized"])
    assert max(Decimal(invested) for _, _, invested in plain["equity"]) > 9_000
    assert "own minute bars" in plain["equity_made"]


def test_a_page_and_json_are_written_into_the_system_s_folder(desk: Path) -> None:
    """The command says where the page is, JSON lies beside it, and asking again replaces both."""
    strategy("report", "--state", str(desk))
    done = strategy("report", "--state", str(desk))
    assert done.exit_code == 0, done.stderr
    page = desk / FOLDER / f"{DAY}.html"
    assert f"Report  {page}" in done.stdout
    assert "return -0.15 %" in done.stdout
    assert "<h2>Trades" in page.read_text(encoding="utf-8")
    assert loads(page.with_suffix(".json").read_bytes()) == answer("report", "--state", str(desk))
    assert sorted(one.name for one in (desk / FOLDER).iterdir()) == [f"{DAY}.html", f"{DAY}.json"]


def test_it_goes_where_it_is_told(desk: Path, tmp_path: Path) -> None:
    """With --out the page lies in that folder, which is made."""
    done = strategy("report", "--state", str(desk), "--out", str(tmp_path / "mine"))
    assert done.exit_code == 0
    assert (tmp_path / "mine" / f"{DAY}.html").is_file()
    assert not (desk / FOLDER).exists()


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("--session", "2013-10-06"), ("does not trade on 2013-10-06",)),
        (("--session", "monday"), ("is no day", "2026-09-30")),
        (("--session", "1913-10-06"), ("calendar covers",)),
        (("--session", str(_LAST)), ("has not begun",)),
    ],
)
def test_a_session_that_cannot_be_meant_is_refused(
    played_desk: Path, words: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    """A day of rest, no day, one outside of the calendar and one to come are each named, with what to say instead."""
    refused(strategy("report", "--state", str(played_desk), *words), *parts)


def test_before_its_first_session_a_system_has_no_report(desk: Path) -> None:
    """In the morning of its first session none is made of the one before, which it never saw; later of its own."""
    with running(desk, at(8, 0)):
        refused(strategy("report", "--state", str(desk)), "has seen no session yet")
        assert not (desk / FOLDER).exists()
    with running(desk, at(10, 9)):
        assert f"{DAY}.html" in strategy("report", "--state", str(desk)).stdout


def test_a_damaged_fill_is_said_first(desk: Path) -> None:
    """A fill that cannot be read is named before the figures, and so is that the ledger says something else."""
    store = SqliteStore(desk / "state.db")
    path = next(one.path for one in store.query("fills") if one.data["side"] == "SELL")
    store.commit([Put(path, {"quantity": "many"})])
    store.close()
    said = answer("report", "--state", str(desk))["said"]
    assert any(path in one for one in said)
    assert any(one.startswith("Different") for one in said)


def test_a_running_session_is_reported_as_far_as_it_came() -> None:
    """At noon the curve ends at noon, and the report says that the session is not over."""
    facts = _facts(_stored(), now=at(12, 0, 30))
    assert facts.ends == at(12, 0, 30)
    assert facts.equity[-1].at == at(12, 0)
    assert any("not over: figures until 12:00:30" in one for one in facts.said)
    assert not any("not over" in one for one in _facts(_stored()).said)


def test_signals_that_bought_nothing_have_their_reasons() -> None:
    """The denied signal is skipped with its first reason, those that bought have their receipts with every step."""
    facts = _facts(_stored())
    assert [(one.symbol, one.code) for one in facts.skipped] == [("BAC", "SPREAD_TOO_WIDE")]
    bought = [one for one in facts.decisions if one.shares]
    assert [len(story.events) for story in bought[0].stories] == [6, 6, 6]
    assert facts.signals == 3


def test_without_a_balance_no_equity_is_made_up() -> None:
    """Before settlement read the balance the capital is not known: no curve, no return, and the trades all the same."""
    store = _stored()
    store.commit([Delete(LAST_BALANCE)])
    facts = _facts(store)
    found = figures(facts)
    assert (facts.equity, facts.equity_made) == ((), NO_CAPITAL)
    assert (found.return_pct, found.profit, found.trades) == (None, None, 2)


def test_a_position_of_the_day_before_counts_from_the_open_on() -> None:
    """What was bought and partly sold the day before is held at the open, and its profit of then is counted once."""
    store = _stored()
    entry = next(read(store, Fill, one.path) for one in store.query("fills") if one.data["side"] == "BUY")
    leave = next(read(store, Fill, one.path) for one in store.query("fills") if one.data["side"] == "SELL")
    assert entry is not None
    assert leave is not None
    early = entry.value.at - timedelta(days=3)
    part = replace(leave.value, quantity=4, cumulative=4, realized=Decimal(8), at=early + timedelta(minutes=1))
    rest = replace(leave.value, quantity=leave.value.quantity - 4, realized=leave.value.realized - 8)
    store.commit([
        put(entry.path, replace(entry.value, at=early)), put(f"{leave.path}:early", part), put(leave.path, rest),
        put("ledger/early", Ledger(session=early.date(), realized=Decimal(8))),
    ])  # fmt: skip
    facts = _facts(store)
    assert facts.starting_equity == CASH + 8
    first = facts.equity[0]
    assert first.invested == part.price * (entry.value.quantity - 4)
    assert facts.equity[-1].equity - facts.starting_equity == figures(facts).realized - 8


def test_a_system_writes_its_report_once_after_the_close(tmp_path: Path) -> None:
    """Not at the close, when fills may still be booked, but some minutes later, once, with the session's figures."""
    clock = At(HOURS.closes)
    reports = KeptReports(desk=owners_desk(clock, _stored()), system=SYSTEM, state=tmp_path)
    assert reports.due() is None
    clock.time = HOURS.closes + AFTER
    session = reports.due()
    assert session is not None
    page = reports.write(session)
    assert (page, reports.due()) == (tmp_path / FOLDER / f"{DAY}.html", None)
    assert loads(page.with_suffix(".json").read_bytes())["figures"]["trades"] == 2
    clock.time = HOURS.closes + timedelta(days=1, minutes=20)
    assert reports.due() == session_at(clock.time)


def test_a_store_that_does_not_answer_is_tried_again(tmp_path: Path) -> None:
    """A report that could not be written is still due."""

    class Down(MemoryStore):
        """A store that answers no query."""

        def query(
            self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
        ) -> list[Document]:
            """Refuse."""
            raise StoreDown("gone")

    reports = KeptReports(desk=owners_desk(At(NIGHT), Down()), system=SYSTEM, state=tmp_path)
    session = reports.due()
    assert session is not None
    with pytest.raises(StoreDown):
        reports.write(session)
    assert reports.due() == session


def test_it_says_whose_prices_and_money_these_are() -> None:
    """On paper at E*TRADE's quotes and at the simulator the report says so before every figure."""
    assert _facts(_stored()).said[0].startswith("Paper: orders are filled in the system's own book")
    assert replace(SYSTEM, mode="live", simulated=True).said.startswith("Simulated broker")
    assert replace(SYSTEM, mode=None).said == ""


def _seen(store: MemoryStore, since: datetime, minutes: int, *, number: int = 0, seconds: str = LOOKED * 60) -> None:
    """Write so many minutes down as scanned with a version of the configuration."""
    for begins in (since + one * timedelta(minutes=1) for one in range(minutes)):
        sight = Sight(begins=begins, symbols=1, usable=1, faults=(), unseen={}, seconds=seconds)
        until = begins + timedelta(minutes=1)
        store.commit([
            put(f"minutes/{begins:%Y%m%dT%H%M}", Minute(holder="one", until=until, sight=sight)),
            Put(f"receipts/{begins:%Y%m%dT%H%M}", {
                "session": str(DAY), "minute": begins.isoformat(), "configuration": number, "symbols": {},
            }),
        ])  # fmt: skip


def test_the_head_says_what_the_day_was() -> None:
    """Each configuration has since when it counted, what was not watched is named, and the account says its kind."""
    store = _stored()
    _seen(store, at(9, 53), 67)
    _seen(store, at(11, 0), 1, seconds=LOOKED * 30)
    _seen(store, at(11, 20), 212)
    _seen(store, at(14, 52), 68, number=1)
    facts = _facts(store)
    assert facts.configuration == "demo since 09:53:00, version 1 since 14:52:00"
    unwatched = "not 09:30:00 to 09:53:00, 11:00:30 to 11:20:00"
    assert facts.watched == f"watched 20,850 of 23,400 s (89.1 %), {unwatched}"
    assert facts.said[1].startswith("Traded in a cash account: what is sold settles on a later day")
    page = render(facts, figures(facts))
    for part in (facts.configuration, facts.watched, facts.said[1]):
        assert part in page
        assert part in str(plain(facts, figures(facts)))


def test_one_configuration_of_the_whole_day_has_no_instant() -> None:
    """A day that was scanned with one version names that alone, also where the day began before its first signal."""
    store = _stored()
    _seen(store, at(9, 30), 390, number=2)
    facts = _facts(store)
    assert (facts.configuration, facts.watched) == ("version 2", "watched 23,400 of 23,400 s (100.0 %)")
    assert _facts(_stored()).watched == ""


@pytest.mark.parametrize(
    ("mode", "simulated", "said"),
    [("live", True, "not modelled"), ("paper", False, "not modelled"), ("live", False, "not known")],
)
def test_fees_have_one_word_where_nobody_takes_any(mode: str, simulated: bool, said: str) -> None:
    """The simulator and the paper account take no fees, as on a simulated day; those of E*TRADE are not known."""
    assert replace(SYSTEM, mode=mode, simulated=simulated).fees_unknown == said


def test_a_margin_account_is_called_one() -> None:
    """The account has the kind that the broker says, with the rule that counted, and none where it says none."""
    again = "Traded in a margin account without leverage: what is sold is spent again at once"
    for mode, kind in (("MARGIN", f"{again}; day-trade rule off."), ("", "")):
        store, balance = _stored(), Balance(
            at=at(10, 0), account_mode=mode, settled_cash=CASH, cash_buying_power=CASH, account_value=CASH
        )  # fmt: skip
        store.commit([put(LAST_BALANCE, LastBalance(balance=balance, capital=CASH))])
        assert bool([one for one in _facts(store).said if one.startswith("Traded in")]) is bool(kind)
        assert any(one.startswith(kind) for one in _facts(store).said)
        unknown = session_facts(_desk(store), _session(), replace(SYSTEM, mode=None)).said
        assert ([one for one in unknown if one.startswith("Traded in")] == [f"{again}."]) is bool(kind)


def test_the_rule_of_day_trades_is_that_of_the_version_that_counted() -> None:
    """Where a version counted last its rule is said, and none where the version cannot be read."""
    store = _stored()
    margin = Balance(
        at=at(10, 0), account_mode="MARGIN", settled_cash=CASH, cash_buying_power=CASH, account_value=CASH
    )  # fmt: skip
    store.commit([put(LAST_BALANCE, LastBalance(balance=margin, capital=CASH))])
    _seen(store, at(9, 30), 1, number=1)
    assert "at once." in " ".join(_facts(store).said)
    version = Version(number=1, config=load("default"), note="mine", at=at(9, 0))
    store.commit([put("configs/000001", version)])
    assert f"day-trade rule {version.config.account.day_trade_rule}." in " ".join(_facts(store).said)
