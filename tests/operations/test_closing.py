"""The owner sells what is held: on the way of every exit, whatever was halted, and never in a second way."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.cli.closing import tell
from infra.one_machine.clock import KernelClock, SeededChance
from infra.operations import closing
from infra.operations.closing import Closing
from infra.operations.profiles import Hand
from infra.simulated_day.problems import UserError
from shared.codec import decode
from shared.domain.base.values import Venue
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Kind
from shared.domain.orders.positions import Position
from shared.gcp.no_bus import NoBus
from shared.ports import Put, Store, Write
from shared.usecases.base.desk import Desk, put
from shared.usecases.control import control
from tests.domain.made import NOON, position
from tests.doors.fakes import HandClock, Hands, Lines, ListVault, MoodyStore
from tests.functions.made import SYMBOL, Bench, at, late, write_market
from tests.operations.desks import refused, running, sign_out, strategy, write_card

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
    assert _position(made).is_open
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


def _position(bench: Bench) -> Position:
    document = bench.world.store.get(f"positions/{SYMBOL}")
    assert document is not None
    return decode(Position, document.data)


def _exits(bench: Bench) -> list[tuple[str, str]]:
    rows = bench.documents("orders").values()
    return [(row["reason"], row["state"]) for row in rows if row["kind"] == Kind.EXIT]


@pytest.mark.parametrize("state", [TradingState.REDUCE_ONLY, TradingState.HALTED])
def test_what_is_closed_is_sold_within_a_minute(bench: Bench, state: TradingState) -> None:
    """A close sells all that is held as an exit of reason `owner`, also after a halt, and no stop stays."""
    hand = _hand(bench)
    control.command(hand.desk, state, loosen=True, reason="a look")
    before = _position(bench)
    (asked,) = closing.close(hand, SYMBOL.lower(), unread=[])
    assert (asked.quantity, asked.already) == (before.quantity, False)
    assert _position(bench) == replace(before, closing=True)
    (again,) = closing.close(hand, None, unread=[])
    assert again.already
    bench.world.run(bench.kernel.now() + timedelta(seconds=70))
    assert not _position(bench).is_open
    assert _exits(bench) == [("owner", "FILLED")]
    assert bench.machine.ledger().positions.get(SYMBOL, 0) == 0
    assert [order for order in bench.machine.ledger().orders if order.status == "OPEN"] == []
    assert [row for row in bench.documents("outbox").values() if row["topic"] == "exits"] == []


def test_who_closes_reads_that_it_may_be_bought_again(capsys: pytest.CaptureFixture[str]) -> None:
    """A sale does not keep the system from buying the symbol once more, and the output says what does."""
    tell([Closing(symbol="IBM", quantity=40)])
    said = capsys.readouterr().out
    assert "may buy the symbol again after its cool-down: `strategy reduce` keeps it from buying" in said
    assert "its stop at the broker is cancelled" in said


def test_who_closes_on_paper_reads_of_the_paper_account(capsys: pytest.CaptureFixture[str]) -> None:
    """What is held on paper has its stop there, and its sale says so."""
    hand = _made(position(venue=Venue.PAPER))
    tell(closing.close(hand, "IBM", unread=[]))
    said = capsys.readouterr().out
    assert "its stop in the paper account is cancelled" in said
    assert "broker" not in said


def _made(position: Position | None, **changes: Any) -> Hand:
    """Give the owner's hand on a book of one position."""
    store = MoodyStore()
    desk = Hands(store=store, clock=HandClock(NOON)).desk("owner")
    if position is not None:
        store.commit([put("positions/IBM", position)])
    given: dict[str, Any] = {"running": True, "mode": "live", "sign_in": None, "operator": "owner"}
    return Hand(name="desk", desk=desk, open_vault=ListVault, **(given | changes))


def test_what_cannot_be_sold_is_refused() -> None:
    """What is not held, a system that does not run, a halt that blocks exits, and a closed market are each told."""
    blocked, early = _made(position()), _made(position())
    control.command(blocked.desk, TradingState.HALTED, exits_too=True, reason="stand still")
    early.desk.clock.sleep_until(at("16:00"))
    refusals: list[tuple[Hand, str | None, str]] = [
        (_made(None), None, "nothing is held"),
        (_made(position(is_open=False)), "IBM", "IBM is not held"),
        (_made(position(), running=False), "IBM", "does not run"),
        (blocked, None, "blocks exits too"),
        (early, "IBM", "market is closed"),
    ]
    for hand, symbol, why in refusals:
        with pytest.raises(UserError, match=why):
            closing.close(hand, symbol, unread=[])
        assert [row.data["closing"] for row in hand.desk.store.query("positions")] in ([], [False])


@pytest.mark.parametrize(("mode", "sent_there"), [("live", True), ("paper", False)])
def test_nobody_is_sent_to_etrade_to_sell_what_is_on_paper(mode: str, sent_there: bool) -> None:
    """Where a sale is refused the remedy names E*TRADE's own page only for what is held there."""
    with pytest.raises(UserError) as refusal:
        closing.close(_made(position(), running=False, mode=mode), "IBM", unread=[])
    assert ("E*TRADE's own page" in refusal.value.remedy) is sent_there


def test_one_that_fails_stops_no_other() -> None:
    """Of two positions the one that somebody else keeps writing is told as not asked for, and the other is sold."""
    hand = _made(position())
    hand.desk.store.commit([put("positions/AIG", position(symbol="AIG", position_id="P2"))])
    busy = replace(hand, desk=replace(hand.desk, store=_Contested(hand.desk.store, "positions/AIG")))
    results = {one.symbol: one for one in closing.close(busy, None, unread=[])}
    assert (results["IBM"].problem, closing.failed(results.values())) == (None, True)
    assert "nothing was asked for" in (results["AIG"].problem or "")


class _Contested:
    """A Store in which somebody else writes one document before every commit that touches it."""

    def __init__(self, store: Store, path: str) -> None:
        self._store, self._path = store, path
        self.get, self.query = store.get, store.query

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Write, or come too late."""
        document = self._store.get(self._path)
        if document is not None and self._path in {write.path for write in writes}:
            self._store.commit([Put(self._path, document.data)])
        return self._store.commit(writes)


@contextmanager
def _run_as_seen(bench: Bench) -> Iterator[Path]:
    """Let a machine's folder look like that of a system that runs, at its own instant."""
    folder, now = bench.folder, bench.kernel.now()
    bench.close()
    write_card(folder)
    with running(folder, now):
        yield folder


def test_the_command_says_what_happens_next(bench: Bench) -> None:
    """A person reads how many shares go and when, or a list in JSON, and nothing is asked for twice."""
    with _run_as_seen(bench) as folder:
        on = ("--state", str(folder))
        done = strategy("close", SYMBOL, *on)
        assert done.exit_code == 0, done.stderr
        assert f"of {SYMBOL} are to be sold." in done.stdout
        assert "within seconds" in done.stdout
        (plain,) = json.loads(strategy("close", "--all", "--json", *on).stdout)
        assert (plain["already"], plain["problem"]) == (True, None)
        refused(strategy("close", *on), "name a symbol, or say --all")
        refused(strategy("close", SYMBOL, "--all", *on), "name a symbol, or say --all")
        refused(strategy("close", "IBM", *on), "IBM is not held")


def test_what_is_closed_while_nobody_is_signed_in_is_not_said_to_be_sold_within_seconds(bench: Bench) -> None:
    """Without a sign-in nothing is sold: the output says what its stop does meanwhile, and what the sale waits for."""
    with _run_as_seen(bench) as folder:
        sign_out(folder)
        done = strategy("close", SYMBOL, "--state", str(folder))
        assert "within seconds" not in done.stdout
        assert "The scan takes it up once you are signed in: its stop" in done.stdout
        assert done.stdout.startswith("NOBODY IS SIGNED IN: nobody cancels, protects or sells anything until `strategy")
        assert "only stops that are at the simulated broker already still sell" in done.stdout
