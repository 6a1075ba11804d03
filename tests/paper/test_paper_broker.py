"""What paper mode promises beyond the broker contract: where it may look, what it writes, and what fails with grace."""

import ast
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra.one_machine.memory_store import MemoryStore
from shared.domain.broker.brokerage import BrokerStatus
from shared.domain.broker.outcomes import Accepted, NeverSent, Previewed, UnknownOutcome
from shared.domain.market.quotes import Quotes, QuoteStatus
from shared.errors import Conflict, DeskError, InvariantBroken, PermissionDenied, StoreDown, Throttled, TokenDead
from shared.guard import Guard, GuardedStore
from shared.paper.broker import PaperBroker, Source
from shared.ports import Broker, Write
from shared.topology import TOPOLOGY
from tests.contract.brokers import CASH, KEY, SYMBOL, Desk, open_desk, sell, ticket
from tests.infra.brokersim.world import CLOSE

ROOT = Path(__file__).resolve().parents[2]
HARMLESS = {"accounts", "quotes"}
"""The methods of the Broker port that paper mode may call at E*TRADE."""


class BrokenStore(MemoryStore):
    """A memory store whose commits fail as it is told, after their effect or instead of it."""

    def __init__(self) -> None:
        super().__init__()
        self.fails: Exception | None = None
        self.applies = False

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply all writes or none, and perhaps say otherwise."""
        if self.fails is None:
            return super().commit(writes)
        if self.applies:
            super().commit(writes)
        raise self.fails


@pytest.fixture
def desk() -> Desk:
    """Give a paper desk."""
    return open_desk("paper")


def _broken(desk: Desk) -> tuple[Desk, BrokenStore]:
    """Give a desk with the same source on a store that can fail."""
    paper, store = desk.broker, BrokenStore()
    assert isinstance(paper, PaperBroker)
    again = PaperBroker(source=paper._source, store=store, clock=paper._clock, journal=paper._journal, capital_usd=CASH)
    return replace(desk, broker=again), store


def test_the_source_has_no_word_for_an_order() -> None:
    """All that paper mode is given of E*TRADE are two reading calls; the rest of the port is not within reach."""
    assert {field.name for field in fields(Source)} == HARMLESS
    port = {name for name in vars(Broker) if not name.startswith("_")}
    assert port - HARMLESS == {"balance", "portfolio", "preview", "place", "orders", "order", "cancel"}


def test_nothing_else_of_the_client_reaches_paper() -> None:
    """Where the broker is chosen, paper gets those two calls of the client and not the client itself."""
    tree = ast.parse((ROOT / "shared" / "wiring" / "trading.py").read_text(encoding="utf-8"))
    (made,) = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Source")
    assert {word.arg: ast.unparse(word.value) for word in made.keywords} == {
        name: f"etrade.{name}" for name in HARMLESS
    }
    (paper,) = (
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "PaperBroker"
    )
    assert "etrade" not in ast.unparse(paper)


def test_the_account_opens_with_the_capital(desk: Desk) -> None:
    """The paper account has the allotted capital in the mode of the real account, whatever cash that one has."""
    paper = desk.broker
    assert isinstance(paper, PaperBroker)
    poor = PaperBroker(
        source=paper._source, store=MemoryStore(), clock=paper._clock, journal=paper._journal, capital_usd=Decimal(500)
    )
    balance = poor.balance(KEY)
    assert (balance.account_mode, balance.usable) == ("CASH", Decimal(500))


@pytest.mark.parametrize(
    "change",
    [
        {"status": QuoteStatus.DELAYED},
        {"status": QuoteStatus.CLOSING},
        {"ask": Decimal(0)},
        {"bid": Decimal("10.50")},
        {"source": "another"},
    ],
)
def test_a_quote_with_a_fault_fills_nothing(desk: Desk, change: dict[str, Any]) -> None:
    """A delayed, closing, zero, crossed or foreign quote is given on, and no order meets it."""
    order_id = desk.placed(ticket())
    paper = desk.broker
    assert isinstance(paper, PaperBroker)
    real = paper._source.quotes

    def faulty(symbols: Sequence[str], **_: Any) -> Quotes:
        return Quotes({symbol: replace(quote, **change) for symbol, quote in real(symbols).items()})

    paper._source = replace(paper._source, quotes=faulty)
    desk.wait()
    assert desk.order(order_id).filled == 0
    paper._source = replace(paper._source, quotes=real)
    desk.wait()
    assert desk.order(order_id).filled == 100


def test_a_quote_counts_from_when_it_was_asked_for(desk: Desk) -> None:
    """A quote that was asked for before an order worked, and came after, fills nothing: it may be older."""
    order_id = desk.placed(ticket())
    paper = desk.broker
    assert isinstance(paper, PaperBroker)
    real = paper._source.quotes

    def slow(symbols: Sequence[str], **_: Any) -> Quotes:
        desk.clock.forward(0.6)
        return real(symbols)

    paper._source = replace(paper._source, quotes=slow)
    assert paper.meet()
    assert desk.order(order_id).filled == 0
    assert paper.meet()
    assert desk.order(order_id).filled == 100


def test_after_the_close_nothing_fills() -> None:
    """A stop that outlives its session does not fill after the bell, whatever a quote says of itself."""
    desk = open_desk("paper", at=CLOSE - timedelta(seconds=30))
    desk.bought()
    order_id = desk.placed(sell("Stop1", stop="9.90"))
    paper = desk.broker
    assert isinstance(paper, PaperBroker)
    real = paper._source.quotes

    def late(symbols: Sequence[str], **_: Any) -> Quotes:
        found = real(symbols)
        return Quotes({
            name: replace(quote, status=QuoteStatus.REALTIME, last=Decimal("9.00")) for name, quote in found.items()
        })  # fmt: skip

    desk.clock.at = CLOSE
    paper._source = replace(paper._source, quotes=late)
    desk.wait()
    assert (desk.order(order_id).status, desk.order(order_id).filled) == (BrokerStatus.OPEN, 0)


def test_without_quotes_nothing_fills(desk: Desk) -> None:
    """An order whose symbol nobody quotes stays as it is, however long it takes."""
    order_id = desk.placed(ticket())
    desk.clock.forward(600)
    assert (desk.order(order_id).status, desk.order(order_id).filled) == (BrokerStatus.OPEN, 0)


def test_an_unsound_ticket_is_a_bug_on_paper_too(desk: Desk) -> None:
    """What the real client would refuse to send as our own mistake is refused on paper, at preview and at place."""
    wrong = ticket(limit="10.001")
    with pytest.raises(InvariantBroken):
        desk.broker.preview(KEY, wrong)
    with pytest.raises(InvariantBroken):
        desk.broker.place(KEY, wrong, (1,), deadline=desk.deadline)
    with pytest.raises(InvariantBroken):
        desk.broker.place(KEY, ticket(), (), deadline=desk.deadline)


@pytest.mark.parametrize("applies", [True, False])
def test_a_store_that_does_not_answer_leaves_the_outcome_open(desk: Desk, applies: bool) -> None:
    """When the store is gone during a place nobody knows, and only the list tells; what rests meets nothing then."""
    broken, store = _broken(desk)
    previewed = broken.broker.preview(KEY, ticket())
    assert isinstance(previewed, Previewed)
    store.fails, store.applies = StoreDown("gone"), applies
    answer = broken.broker.place(KEY, ticket(), previewed.preview_ids, deadline=broken.deadline)
    assert isinstance(answer, UnknownOutcome)
    broken.clock.forward(2)
    assert isinstance(broken.broker, PaperBroker)
    assert broken.broker.meet() is applies
    store.fails = None
    placed = broken.broker.orders(KEY, since=broken.clock.at.date())
    assert len(placed) == applies


def test_an_account_that_others_always_change_takes_nothing(desk: Desk) -> None:
    """A place that finds another writer each time has surely not happened."""
    broken, store = _broken(desk)
    previewed = broken.broker.preview(KEY, ticket())
    assert isinstance(previewed, Previewed)
    store.fails = Conflict("others were first")
    answer = broken.broker.place(KEY, ticket(), previewed.preview_ids, deadline=broken.deadline)
    assert isinstance(answer, NeverSent)
    store.fails = None
    assert broken.broker.orders(KEY, since=broken.clock.at.date()) == ()


def test_one_instance_fills_what_another_placed(desk: Desk) -> None:
    """An instance in whose look nothing rested sees the order that another placed after it, at its next look."""
    paper = desk.broker
    assert isinstance(paper, PaperBroker)
    store = MemoryStore()
    settlement, placement = (
        PaperBroker(source=paper._source, store=store, clock=paper._clock, journal=paper._journal, capital_usd=CASH)
        for _ in range(2)
    )
    assert not settlement.meet()
    previewed = placement.preview(KEY, ticket())
    assert isinstance(previewed, Previewed)
    assert isinstance(placement.place(KEY, ticket(), previewed.preview_ids, deadline=desk.deadline), Accepted)
    desk.clock.forward(1)
    assert settlement.meet()
    (order,) = placement.orders(KEY, since=desk.clock.at.date())
    assert order.filled == 100


def test_settled_cash_is_there_once_it_has_settled(desk: Desk) -> None:
    """What a sell brought may be spent from the day on which it settles, in 2013 three business days later."""
    desk.bought()
    desk.placed(sell())
    desk.wait()
    assert desk.broker.balance(KEY).usable == CASH - 1002
    desk.clock.at += timedelta(days=2)
    assert desk.broker.balance(KEY).usable == CASH - 1002
    desk.clock.at += timedelta(days=1)
    assert desk.broker.balance(KEY).usable == CASH - 2


class Matching(PaperBroker):
    """A mistake: whoever quotes lets what rests meet the market, as it once was."""

    def quotes(self, symbols: Sequence[str], **_: Any) -> Quotes:
        """Quote, and match."""
        asked_at = self._clock.now()
        found = super().quotes(symbols)
        self._match(found, asked_at)
        return found


def quoted(desk: Desk, kind: type[PaperBroker]) -> list[str]:
    """Let a broker quote that has the scan's rights, over an order that is due; names what came of it."""
    order_id, paper = desk.placed(ticket()), desk.broker
    assert isinstance(paper, PaperBroker)
    desk.clock.forward(1)
    store = GuardedStore(paper._books._store, Guard(TOPOLOGY.function("market_scan"), paper._journal))
    scan = kind(source=paper._source, store=store, clock=paper._clock, journal=paper._journal, capital_usd=CASH)
    try:
        known = set(scan.quotes([SYMBOL]))
    except PermissionDenied as problem:
        return [problem.detail]
    wrong = [] if known == {SYMBOL} else ["no quote"]
    return wrong + (["it filled"] if desk.order(order_id).filled else [])


def test_quoting_changes_nothing(desk: Desk) -> None:
    """Whoever quotes on paper needs no right on the paper account, and nothing that rests meets its quotes."""
    assert quoted(desk, PaperBroker) == []


def test_a_scan_that_matches_is_found(desk: Desk) -> None:
    """A broker that matches what it quotes is refused with the rights of the scan."""
    assert quoted(desk, Matching) != []


def test_what_rests_meets_the_market_through_its_own_symbols(desk: Desk) -> None:
    """A meeting asks for the symbols of live orders alone, and for nothing where none rests or the market is closed."""
    paper, asked = desk.broker, list[list[str]]()
    assert isinstance(paper, PaperBroker)
    real = paper._source.quotes

    def counted(symbols: Sequence[str], **_: Any) -> Quotes:
        asked.append(list(symbols))
        return real(symbols)

    paper._source = replace(paper._source, quotes=counted)
    assert (paper.meet(), asked) == (False, [])
    desk.placed(ticket(limit="9.00"))
    asked.clear()
    assert (paper.meet(), asked) == (True, [[SYMBOL]])
    desk.clock.at = CLOSE
    assert (paper.meet(), len(asked)) == (False, 1)


@pytest.mark.parametrize("problem", [TokenDead("dead"), Throttled("too many"), StoreDown("gone")])
def test_a_meeting_that_fails_is_made_at_the_next_poll(desk: Desk, problem: DeskError) -> None:
    """What keeps a meeting from the quotes is journalled and raised to nobody, and the next one fills."""
    order_id, paper = desk.placed(ticket()), desk.broker
    assert isinstance(paper, PaperBroker)
    real = paper._source.quotes

    def failing(symbols: Sequence[str], **_: Any) -> Quotes:
        raise problem

    desk.clock.forward(1)
    paper._source = replace(paper._source, quotes=failing)
    assert paper.meet()
    assert desk.order(order_id).filled == 0
    paper._source = replace(paper._source, quotes=real)
    assert paper.meet()
    assert desk.order(order_id).filled == 100
