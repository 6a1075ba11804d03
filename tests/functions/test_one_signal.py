"""One signal from tick to fill through the real main.py apps: the message of each hop, and what each leaves behind."""

from datetime import timedelta
from decimal import Decimal

from infra.simulated_day.book import read_book
from infra.simulated_day.environment import STARTING_CASH
from infra.simulated_day.violations import violations
from shared.codec import decode
from shared.domain.base.audit import AuditEvent, breaks
from shared.domain.base.values import PriceType, Side
from shared.domain.orders.orders import Kind, Order, State
from shared.domain.orders.positions import Fill, Position
from shared.domain.orders.signals import Signal
from shared.domain.telling.messages import SCHEMA_VERSION
from tests.functions.made import DAY, SYMBOL, Bench, Delivery, at

_PLACED = ["NEW", "RESERVED", "PREVIEWED", "PLACING", "WORKING"]


def _order(bench: Bench, kind: Kind) -> Order:
    orders = [decode(Order, data) for data in bench.documents("orders").values()]
    (found,) = [order for order in orders if order.kind is kind]
    return found


def _chain(bench: Bench, order: Order) -> list[AuditEvent]:
    events = [decode(AuditEvent, data) for data in bench.documents("audit").values()]
    return sorted((event for event in events if event.chain == order.intent_id), key=lambda event: event.seq)


def _steps(bench: Bench, order: Order) -> list[tuple[str, str]]:
    return [(event.after, event.actor) for event in _chain(bench, order)]


def _by(actor: str, *states: str) -> list[tuple[str, str]]:
    return [(state, actor) for state in states]


def _one(bench: Bench, kind: str, **facts: object) -> Delivery:
    (found,) = [one for one in bench.of(kind) if all(one.body[name] == fact for name, fact in facts.items())]
    assert found.version == SCHEMA_VERSION
    assert found.status == 204
    return found


def test_the_tick_of_the_minute_is_a_bare_command(played: Bench) -> None:
    """Each minute's scan starts from a ScanTick without a body on scan-ticks, pushed to market_scan."""
    (signal,) = played.documents("signals").values()
    decided = decode(Signal, signal).decided_at
    (tick,) = [
        one for one in played.of("scan_tick") if one.begun.replace(second=0, microsecond=0) == decided.replace(second=0)
    ]
    assert (tick.function, tick.topic, tick.version, tick.body, tick.key) == (
        "market_scan", "scan-ticks", SCHEMA_VERSION, {}, "",
    )  # fmt: skip
    assert tick.status == 204
    assert tick.begun - tick.begun.replace(second=0, microsecond=0) < timedelta(seconds=1)


def test_the_signal_is_stored_and_then_sent(played: Bench) -> None:
    """The scan's EnterPosition on signals carries exactly the signal in the store, ordered by its symbol."""
    ((path, stored),) = played.documents("signals").items()
    sent = _one(played, "enter_position")
    signal = decode(Signal, stored)
    assert (sent.function, sent.topic, sent.key) == ("order_placement", "signals", SYMBOL)
    assert sent.body == {"signal": stored}
    assert path == f"signals/{signal.signal_id}"
    assert sent.attributes["row"] == f"outbox/market_scan:{signal.signal_id}"
    assert (signal.symbol, signal.side, signal.session, signal.strategy) == (SYMBOL, Side.BUY, DAY, "momentum")
    assert "quantity" not in stored
    assert played.documents("quotes")[f"quotes/{SYMBOL}"]["symbol"] == SYMBOL


def test_the_signal_becomes_one_working_order(played: Bench) -> None:
    """order_placement takes the intent from NEW to WORKING, one audited step each, and announces it."""
    entry, (signal,) = _order(played, Kind.ENTRY), played.documents("signals").values()
    assert _steps(played, entry)[:5] == _by("order_placement", *_PLACED)
    assert (entry.symbol, entry.side, entry.signal_id) == (SYMBOL, Side.BUY, signal["signal_id"])
    assert entry.licence is not None
    assert entry.licence.deadline - entry.licence.signed_at == timedelta(seconds=5)
    placed = _one(played, "order_placed", intent_id=entry.intent_id)
    assert (placed.function, placed.topic, placed.key) == ("order_settlement", "orders-placed", SYMBOL)
    assert placed.body == {"intent_id": entry.intent_id, "symbol": SYMBOL}
    assert placed.attributes["row"] == f"outbox/order_placement:{entry.intent_id}:{_working(played, entry).seq}"
    claim = played.documents("broker_orders")[f"broker_orders/{entry.broker_order_id}"]
    assert claim == {"intent_id": entry.intent_id, "session": DAY.isoformat()}


def _working(bench: Bench, order: Order) -> AuditEvent:
    return next(event for event in _chain(bench, order) if event.after == State.WORKING)


def test_the_order_becomes_a_protected_position(played: Bench) -> None:
    """order_settlement books the fill, opens the position and has a stop for all of it working within 10 seconds."""
    entry, stop = _order(played, Kind.ENTRY), _order(played, Kind.PROTECT)
    assert _steps(played, entry)[5:] == _by("order_settlement", "FILLED")
    (bought,) = [fill for fill in _fills(played) if fill.side == "BUY"]
    assert (bought.intent_id, bought.quantity, bought.realized) == (entry.intent_id, entry.quantity, Decimal(0))
    assert (stop.position_id, stop.quantity, stop.price_type, stop.side) == (
        entry.position_id, entry.quantity, PriceType.STOP, Side.SELL,
    )  # fmt: skip
    assert stop.stop_price is not None
    assert stop.stop_price < bought.price
    assert _steps(played, stop)[:5] == _by("order_settlement", *_PLACED)
    ledger = {order.client_order_id: order for order in played.machine.ledger().orders}
    filled = next(event.at for event in ledger[entry.intent_id].history if event.event == "fill")
    assert ledger[stop.intent_id].placed_at - filled < timedelta(seconds=10)


def test_the_exit_is_decided_by_the_scan_and_sent(played: Bench) -> None:
    """The scan's ExitPosition on exits names the decision that stands in the position, and carries no price."""
    leave, entry = _order(played, Kind.EXIT), _order(played, Kind.ENTRY)
    sent = _one(played, "exit_position")
    assert (sent.function, sent.topic, sent.key) == ("order_placement", "exits", SYMBOL)
    assert sent.body == {
        "symbol": SYMBOL, "position_id": entry.position_id, "exit_id": leave.intent_id, "session": DAY.isoformat(),
    }  # fmt: skip
    assert sent.attributes["row"] == f"outbox/market_scan:{leave.intent_id}"


def test_the_stop_is_gone_before_the_sell_is_sent(played: Bench) -> None:
    """order_placement cancels the stop, whoever lists first writes its end down, and only then the shares are sold."""
    stop, leave = _order(played, Kind.PROTECT), _order(played, Kind.EXIT)
    asked, ended = _steps(played, stop)[5:]
    assert [asked] == _by("order_placement", "CANCEL_REQ")
    assert ended in {("CANCELLED", "order_placement"), ("CANCELLED", "order_settlement")}
    assert _steps(played, leave) == [*_by("order_placement", *_PLACED), ("FILLED", "order_settlement")]
    ledger = {order.client_order_id: order for order in played.machine.ledger().orders}
    cancelled = next(event.at for event in ledger[stop.intent_id].history if event.event == "cancelled")
    assert cancelled < ledger[leave.intent_id].placed_at
    assert _one(played, "order_placed", intent_id=leave.intent_id).topic == "orders-placed"


def test_the_position_is_flat_and_the_books_agree(played: Bench) -> None:
    """In the end nothing is held, and the simulator's own ledger equals the book to the cent and share."""
    position = decode(Position, played.documents("positions")[f"positions/{SYMBOL}"])
    assert (position.quantity, position.is_open) == (0, False)
    ledger, fills = played.machine.ledger(), _fills(played)
    assert [(fill.order_id, fill.action, fill.quantity, fill.price) for fill in ledger.fills] == [
        (fill.broker_order_id, fill.side, fill.quantity, fill.price) for fill in fills
    ]
    assert ledger.positions.get(SYMBOL, 0) == 0
    assert ledger.realized_pnl == position.realized == sum((fill.realized for fill in fills), Decimal(0))
    assert [request.outcome for request in ledger.place_requests] == ["placed"] * 3
    undeclared = [str(line["what"]) for line in played.world.denied]
    found = violations(
        ledger=ledger, book=read_book(played.world.store), undeclared=undeclared,
        starting_cash=STARTING_CASH, hours=played.machine.hours,
    )  # fmt: skip
    assert found == []


def _fills(bench: Bench) -> list[Fill]:
    fills = [decode(Fill, data) for data in bench.documents("fills").values()]
    return sorted(fills, key=lambda fill: fill.broker_order_id)


def test_every_chain_holds(played: Bench) -> None:
    """Each order's audit chain is whole, and ends with the hash that the order names."""
    events = [decode(AuditEvent, data) for data in played.documents("audit").values()]
    orders = [decode(Order, data) for data in played.documents("orders").values()]
    heads = {order.intent_id: order.audit_head for order in orders}
    assert len(heads) == 3
    assert breaks(events, heads) == []
    assert {event.chain for event in events} == set(heads)
    changed = [event for event in events if event.seq]
    assert breaks(changed, heads) != []


def test_one_trace_runs_from_the_tick_to_the_fill(played: Bench) -> None:
    """The tick that saw the signal and its order are one trace, which wakes settlement; the exit's is another."""
    entry, leave = _order(played, Kind.ENTRY), _order(played, Kind.EXIT)
    signal, exit_ = _one(played, "enter_position"), _one(played, "exit_position")
    traces = [sent.attributes["traceparent"] for sent in (signal, exit_)]
    placed = [_one(played, "order_placed", intent_id=order.intent_id) for order in (entry, leave)]
    assert [one.attributes["traceparent"] for one in placed] == traces
    assert traces[0] != traces[1]
    of_signal, of_exit = (_events(played, trace.split("-")[1]) for trace in traces)
    assert of_signal >= {("market_scan", "signal"), ("market_scan", "minute_scanned"), ("order_placement", "entry")}
    assert of_exit >= {("market_scan", "exit"), ("order_placement", "cancel"), ("order_placement", "order")}
    assert not of_exit & {("market_scan", "signal"), ("order_placement", "entry")}


def _events(bench: Bench, trace: str) -> set[tuple[str, str]]:
    return {(line["function"], line["event"]) for line in bench.lines() if line["trace"] == trace}


def test_nothing_else_happened(played: Bench) -> None:
    """Every delivery was acknowledged at its first attempt, no letter is dead, and no promise is left."""
    assert {one.status for one in played.deliveries} == {204}
    assert len({(one.message_id, one.function) for one in played.deliveries}) == len(played.deliveries)
    assert played.documents("dead_letters", "outbox", "locks") == {}
    assert played.lines("crash", "gave_up", "again", "invariant_broken", "undeclared_access", "dead_letter") == []
    assert {one.kind for one in played.deliveries} == {
        "scan_tick", "prepare_tick", "settle_tick", "refresh_tick", "enter_position", "exit_position", "order_placed",
        "close_tick", "day_result", "signed_in", "link_used",
    }  # fmt: skip
    assert played.kernel.now() == at("16:06")
