"""While what the owner wrote cannot be read nothing is bought, and what is held is protected and sold all the same."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from shared.domain.base.values import PriceType, Side
from shared.domain.broker.brokerage import Account
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Kind, Order, State
from shared.domain.orders.positions import Ledger
from shared.errors import ConfigError, StoreDown
from shared.ports import Document, Put, Store, Where, Write
from shared.usecases.base.desk import Held, put
from shared.usecases.base.pins import pinning
from shared.usecases.base.trading import TradingDesk
from shared.usecases.control import control
from shared.usecases.orders import send as place_once
from shared.usecases.orders.last_check import check
from shared.usecases.orders.moves import ledger_path
from tests.usecases.bench import START, SYMBOL, Bench, Variant
from tests.usecases.exchange import Script
from tests.usecases.gate import Fault
from tests.usecases.orders.test_last_check import Sender, approved, checked
from tests.usecases.post import PLACEMENT, SETTLEMENT
from tests.usecases.proofs import safety

OWNERS = ("control/", "pins/")
AWAY_S = 20
TARGET_S = 40


class Away:
    """A store whose owner's documents can be made unreachable."""

    def __init__(self, store: Store, away: list[bool]) -> None:
        self._store = store
        self._away = away

    def get(self, path: str) -> Document | None:
        """Read one document, unless it is the owner's and away; raises StoreDown."""
        if self._away and path.startswith(OWNERS):
            raise StoreDown("the owner's database is away")
        return self._store.get(path)

    def query(self, collection: str, *where: Where, **how: Any) -> list[Document]:
        """Read the matching documents."""
        return self._store.query(collection, *where, **how)

    def commit(self, writes: tuple[Write, ...]) -> tuple[str, ...]:
        """Apply all writes or none."""
        return self._store.commit(writes)


def _reach_the_target(bench: Bench, second: float) -> None:
    for n in range(20):
        price = ("102.10", "102.30", "102.20")[n % 3]
        bench.at(second + 9 * n, partial(bench.exchange.set_price, SYMBOL, price, price))


def _holding(how: str) -> Bench:
    """Let a position be held, and from then on nothing of the owner's be readable; later its target is reached."""
    away = list[bool]()
    bench = Bench(variant=Variant(store=lambda store: Away(store, away)))  # type: ignore[arg-type,return-value]
    bench.send(bench.signal())
    if how == "down":
        bench.at(AWAY_S, lambda: away.append(True))
    if how == "damaged":
        written = [Put("control/main", {"of": "another version"}), Put("pins/owner", {"of": "another version"})]
        bench.at(AWAY_S, lambda: bench.store.commit(written))
    _reach_the_target(bench, TARGET_S)
    return bench


@pytest.mark.parametrize("how", ["down", "damaged"])
def test_an_exit_is_sold_while_nothing_of_the_owners_can_be_read(how: str) -> None:
    """With the owner's database away, or written by another version, a target is sold, and no entry is bought."""
    bench = _holding(how)
    bench.at(AWAY_S + 5, lambda: bench.send(bench.signal(slot=2)))
    bench.run(TARGET_S + 30)
    assert [one.is_open for one in bench.positions()] == [False]
    assert [ticket.side for _, ticket in bench.exchange.posted if ticket.price_type is PriceType.LIMIT] == [
        Side.BUY, Side.SELL,
    ]  # fmt: skip
    assert bench.journal.named("word_unread")
    assert bench.journal.named("choice_unread")
    assert bench.exchange.naked() <= timedelta(seconds=8)
    assert safety(bench) == []


@pytest.mark.parametrize("how", ["down", "damaged"])
def test_a_halt_that_names_exits_holds_while_the_word_cannot_be_read(how: str) -> None:
    """`halt --exits-too` is noted in the book: also while the owner's word is away only the stop may sell."""
    bench = _holding(how)
    owner = replace(bench.desks[SETTLEMENT], store=bench.store)
    bench.at(AWAY_S - 5, lambda: control.command(owner, TradingState.HALTED, exits_too=True, reason="hands off"))
    bench.run(TARGET_S + 30)
    assert [one.is_open for one in bench.positions()] == [True]
    assert [stop.quantity for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [99]
    assert safety(bench) == []


def test_a_resumed_halt_that_named_exits_blocks_none_while_the_word_can_be_read() -> None:
    """The note in the book outlives a resume, and counts only while the owner's word is away."""
    bench = _holding("there")
    owner = replace(bench.desks[SETTLEMENT], store=bench.store)
    bench.at(5, lambda: control.command(owner, TradingState.HALTED, exits_too=True, reason="hands off"))
    bench.at(8, lambda: control.command(owner, TradingState.ACTIVE, loosen=True, reason="go on"))
    bench.run(TARGET_S + 30)
    assert [one.is_open for one in bench.positions()] == [False]


def _elsewhere(bench: Bench) -> Put:
    """Give the write with which the owner pins another account."""
    return pinning(
        Account(number="99990000", key="elsewhere", mode="CASH", active=True), operator="owner",
        chance=bench.desks[PLACEMENT].chance, clock=bench.desks[PLACEMENT].clock,
    )  # fmt: skip


def test_an_order_of_an_account_that_is_no_longer_the_chosen_one_is_not_sent() -> None:
    """When the owner pins another account while an entry is previewed, it is not sent, and trading is halted."""
    probe = Bench()
    probe.send(probe.signal())
    probe.run(20)
    preview = next(n for n, name in enumerate(probe.gate.names, 1) if name.startswith("preview"))
    pin = _elsewhere(probe)
    bench = Bench(faults={preview: Fault(how="deed", deed=lambda: bench.store.commit([pin]))})
    bench.send(bench.signal())
    bench.run(20)
    assert bench.exchange.posted == []
    assert control.current(bench.desks[PLACEMENT]).value.state is TradingState.HALTED


def _whatever_account(desk: TradingDesk, held: Held[Order]) -> Held[Order]:
    """Seeded mistake: send as `send` does, without asking once more which account is the chosen one."""
    held = place_once._preview(desk, held, "key")
    found = check(desk, held.value, None)
    held = place_once._license(desk, held, found, life=timedelta(seconds=5), expires_at=None, baseline=())
    return place_once._post(desk, held, "key")


def test_who_does_not_ask_again_sends_to_the_account_of_before() -> None:
    """Without that question an order begun before another account was pinned reaches the broker all the same."""
    posts = []
    for by in (checked, _whatever_account):
        bench = Bench()
        ledger = Ledger(session=START.date(), reserved=Decimal(2000))
        bench.store.commit([put(ledger_path(START.date()), ledger)])
        bench.at(1, partial(_after_another_choice, bench, by, approved(bench)))
        bench.run(4)
        posts.append(bench.exchange.posts.total())
    assert posts == [0, 2]  # the entry, and the stop over its shares


def _after_another_choice(bench: Bench, by: Sender, held: Held[Order]) -> None:
    bench.store.commit([_elsewhere(bench)])
    with suppress(ConfigError):
        by(bench.desks[PLACEMENT], held)


def test_an_exit_of_shares_whose_stop_is_refused_has_its_whole_time() -> None:
    """Where the broker refuses every stop, settlement ends no exit for being slow: the first one sells."""
    bench = Bench()
    bench.exchange.scripts += [Script(how="reject", side=Side.SELL, price_type=PriceType.STOP) for _ in range(99)]
    bench.send(bench.signal())
    _reach_the_target(bench, TARGET_S + 60)
    bench.run(TARGET_S + 90)
    exits = [order for order in bench.orders() if order.kind is Kind.EXIT]
    assert [order.state for order in exits] == [State.FILLED]
    assert [one.quantity for one in bench.positions()] == [0]
    assert Decimal(0) not in {order.quantity for order in exits}
    assert safety(bench) == []
