"""What the owner asks of settlement by command: written, waited for, answered, and refused where nobody would do it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from infra.cli import answers
from infra.one_machine.clock import KernelClock, SeededChance
from infra.one_machine.sqlite_store import SqliteStore
from infra.operations import asking, look
from infra.operations.profiles import Hand
from infra.simulated_day.problems import UserError
from shared.codec import decode
from shared.domain.control.asks import Ask, AskKind
from shared.domain.orders.orders import Kind, Order, State
from shared.gcp.no_bus import NoBus
from shared.usecases.base.desk import Desk, put, read
from shared.usecases.settling import asks
from shared.usecases.sign_in import token
from tests.doors.fakes import Lines
from tests.functions.made import SYMBOL, Bench, at, late, write_market
from tests.operations.desks import answer, refused, strategy

HELD_BY = "10:01:20"


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a market that climbs for long enough."""
    return write_market(tmp_path_factory.mktemp("market"))


@pytest.fixture
def bench(tmp_path: Path, market: Path) -> Iterator[Bench]:
    """Give a machine that holds shares with a stop at the broker."""
    made = late(tmp_path / "desk", market)
    made.world.start_schedules(at("10:09"))
    made.run(HELD_BY)
    yield made
    made.close()


def _hand(bench: Bench, *, running: bool = True) -> Hand:
    desk = Desk(
        actor="owner", clock=KernelClock(bench.kernel), chance=SeededChance(seed=1, name="owner"),
        store=bench.world.store, bus=NoBus(), journal=Lines(),
    )  # fmt: skip
    return Hand(
        name="desk", desk=desk, open_vault=lambda: bench.world.vault, sign_in=None, operator="owner", running=running,
        mode="live",
    )  # fmt: skip


def _asked(bench: Bench, wish: Ask, *, wait_s: float = 90.0) -> tuple[Ask, list[str]]:
    """Ask, and let the machine run while the owner waits."""
    told: list[str] = []
    given = asking.ask(
        _hand(bench), wish, wait_s=wait_s, tell=told.append,
        rest=lambda seconds: bench.kernel.run(bench.kernel.now() + timedelta(seconds=seconds)),
    )  # fmt: skip
    return given, told


def _orders(bench: Bench) -> list[Order]:
    return look.orders(bench.world.store, every=True, unread=[])


def test_an_account_that_holds_all_is_reconciled_within_a_minute(bench: Bench) -> None:
    """A running desk answers a reconcile at its next look, with its own rights, and says that all is there."""
    given, told = _asked(bench, asking.wish_of(_hand(bench), AskKind.RECONCILE))
    assert (given.waiting, given.done, given.shares) == (False, True, 0)
    assert given.answer == "the account holds all that the book does"
    assert told == ["Asked; the system looks within a minute."]


def test_what_is_asked_while_nobody_is_signed_in_is_not_said_to_be_looked_at(bench: Bench) -> None:
    """Without a sign-in no system looks: who asks reads what it waits for, and for how long it may."""
    held, told = token.current(bench.world.store), list[str]()
    assert held is not None
    bench.world.store.commit([held.update(replace(held.value, dies_at=held.value.issued_at))])
    hand = _hand(bench)
    asking.ask(
        hand, asking.wish_of(hand, AskKind.RECONCILE), wait_s=1, tell=told.append, rest=lambda _seconds: None
    )  # fmt: skip
    (said,) = told
    assert said.startswith("Asked. NOBODY IS SIGNED IN: nothing is done before `strategy login`, and nothing after")


def test_shares_that_left_are_shown_and_booked_when_that_is_confirmed(bench: Bench) -> None:
    """What left the account is shown first, and booked half a minute later once that is confirmed."""
    bench.run("10:02:10")
    held = look.positions(bench.world.store, unread=[])[0].quantity
    bench.machine.simulator.withdraw(SYMBOL, 1, bench.machine.settings.account_id)
    shown, _ = _asked(bench, asking.wish_of(_hand(bench), AskKind.RECONCILE))
    assert (shown.shares, shown.lines[0].split(" since ")[0]) == (1, f"{SYMBOL}: 1 of {held} shares are missing")
    booked, told = _asked(bench, asking.confirmed(_hand(bench), shown))
    assert (booked.done, booked.answer) == (True, "booked as taken out: 1 share")
    assert any("a second look" in line for line in told)
    position = look.positions(bench.world.store, unread=[])[0]
    assert (position.quantity, position.unpriced) == (held - 1, 1)


def test_a_stop_is_refused_before_anything_is_asked(bench: Bench) -> None:
    """A protective stop is named as one with the command that sells, found by E*TRADE's number, too."""
    (stop,) = [one for one in _orders(bench) if one.kind in (Kind.PROTECT, Kind.MOVE) and one.state is State.WORKING]
    for name in (stop.intent_id[:8].lower(), str(stop.broker_order_id)):
        with pytest.raises(UserError, match=f"`strategy close {SYMBOL}`"):
            asking.order_to_cancel(_hand(bench), name)
    assert not bench.world.store.query("asks")


def test_what_is_not_in_doubt_is_refused_by_the_desk(bench: Bench) -> None:
    """A resolve of an order that is clear comes back refused, with its state."""
    entry = next(one for one in _orders(bench) if one.kind is Kind.ENTRY and one.state is State.FILLED)
    given, _ = _asked(bench, asking.doubt(_hand(bench), entry, 1))
    assert (given.done, given.answer) == (False, f"{entry.intent_id} is filled: nothing of it is in doubt")
    with pytest.raises(UserError, match="nothing of it is in doubt"):
        answers._show(given, json=False)


def test_who_waits_in_vain_is_told_and_the_wish_ends_by_itself(bench: Bench) -> None:
    """Without an answer status shows the wish as worked by nobody, and after ten minutes it is not done any more."""
    hand = _hand(bench)
    wish = replace(asking.wish_of(hand, AskKind.RECONCILE), at=hand.desk.clock.now() - timedelta(minutes=4))
    given = asking.ask(hand, wish, wait_s=1, tell=lambda _line: None, rest=lambda _seconds: None)
    assert given.waiting
    seen = look.overview(hand.desk.store, at=hand.desk.clock.now(), running=True, name="desk")
    assert seen.asked[0].startswith("reconcile since 2013-10-07 ")
    assert seen.asked[0].endswith("NOT DONE YET")
    late = replace(wish, at=wish.at - timedelta(minutes=7))
    hand.desk.store.commit([put(asks.path(wish.ask_id), late)])
    bench.run("10:02:30")
    held = read(bench.world.store, Ask, asks.path(wish.ask_id))
    assert held is not None
    assert held.value.answer == "no function handled it for 10 minutes: repeat the command"


@pytest.mark.parametrize(
    ("clock", "running", "why"), [("08:59", True, "from 9:00 to 16:59"), ("10:00", False, "not run")]
)
def test_nothing_is_asked_of_a_desk_that_does_not_look(clock: str, running: bool, why: str, tmp_path: Path) -> None:
    """A desk that does not run, or that looks at no wish at this hour, is asked for nothing."""
    bench = Bench(tmp_path / "desk", write_market(tmp_path / "market"), start=clock)
    try:
        hand = _hand(bench, running=running)
        with pytest.raises(UserError, match=why):
            asking.ask(hand, asking.wish_of(hand, AskKind.RECONCILE), wait_s=1, tell=lambda _line: None)
        assert not bench.world.store.query("asks")
    finally:
        bench.close()


def test_the_commands_refuse_in_one_sentence(desk: Path) -> None:
    """An unknown order, a stop, two ways or none to resolve, and a desk that does not run are refused with a remedy."""
    on = ("--state", str(desk))
    entry = next(one for one in answer("orders", "--all", *on) if one["kind"] == "entry")["intent_id"]
    refused(strategy("cancel", "IXXXX", *on), "no order is called IXXXX")
    refused(strategy("resolve", entry, *on), "say --is BROKER_ORDER, or --none")
    refused(strategy("resolve", entry, "--is", "5", "--none", *on), "say --is BROKER_ORDER, or --none")
    refused(strategy("resolve", entry, "--none", *on), "does not run", "strategy up")
    refused(strategy("reconcile", *on), "does not run")
    store = SqliteStore(desk / "state.db")
    try:
        assert not store.query("asks")
    finally:
        store.close()


def test_an_answer_reads_as_sentences_or_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """An answer is a sentence with a line for each thing, or the document itself."""
    told = Ask(
        ask_id="A1", kind=AskKind.RECONCILE, at=at("10:00"), waiting=False, done=True, answer="the account holds less",
        lines=("IBM: 1 of 2 shares are missing",), shares=1, answered_at=at("10:01"),
    )  # fmt: skip
    answers._show(told, json=False)
    assert capsys.readouterr().out == "The account holds less.\nIBM: 1 of 2 shares are missing.\n"
    answers._show(told, json=True)
    assert decode(Ask, json.loads(capsys.readouterr().out)) == told
