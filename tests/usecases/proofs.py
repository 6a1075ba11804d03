"""What must hold when everything is quiet: the book against the broker, the audit, the ledger, the locks."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

from shared.codec import decode
from shared.domain.base import audit
from shared.domain.base.values import Side
from shared.domain.orders.orders import TERMINAL, Kind, Order, State
from shared.domain.orders.positions import Fill, Ledger
from shared.domain.orders.taken import Taken
from tests.usecases.bench import CLOSES, Bench


def wrongs(bench: Bench, *, naked_at_most: float) -> list[str]:
    """Name everything that is not as promised, one sentence each."""
    return [*safety(bench), *_ended(bench), *_book(bench), *_left_over(bench), *_naked(bench, naked_at_most)]


def safety(bench: Bench) -> list[str]:
    """Name what must never have happened, at any instant."""
    twice = [f"S2 {name} was posted {times} times" for name, times in bench.exchange.posts.items() if times > 1]
    claims = Counter(order.broker_order_id for order in bench.orders() if order.broker_order_id is not None)
    shared = [f"S12 broker order {name} belongs to {times} intents" for name, times in claims.items() if times > 1]
    oversold = [f"oversold: {text}" for text in bench.exchange.oversold]
    names = ("invariant_broken", "undeclared_access", "crash")
    bugs = [f"bug: {line}" for name in names for line in bench.journal.named(name)]
    accused = [f"forged, it is said: {line}" for line in bench.journal.named("order_forged")]
    return [*twice, *shared, *oversold, *bugs, *accused, *_audit(bench), *_reservations(bench)]


def _audit(bench: Bench) -> list[str]:
    events = [decode(audit.AuditEvent, row.data) for row in bench.store.query("audit")]
    orders = bench.orders()
    found = audit.breaks(events, {order.intent_id: order.audit_head for order in orders})
    counts = Counter(event.chain for event in events)
    return found + [f"S10 {order.intent_id} has {counts[order.intent_id]} events for rev {order.rev}"
                    for order in orders if counts[order.intent_id] != order.rev + 1]  # fmt: skip


def _reservations(bench: Bench) -> list[str]:
    orders = bench.orders()
    found = [f"S13 {order.intent_id} is {order.state} and holds {order.reserved}" for order in orders
             if order.reserved and order.state in TERMINAL]  # fmt: skip
    approved = [order for order in orders if order.kind is Kind.ENTRY and order.live and order.state is not State.NEW]
    found += [f"S13 {order.intent_id} is {order.state} and holds nothing" for order in approved if not order.reserved]
    held = sum((order.reserved for order in orders), Decimal(0))
    ledgers = [decode(Ledger, row.data) for row in bench.store.query("ledger")]
    booked = sum((ledger.reserved for ledger in ledgers), Decimal(0))
    if held != booked:
        found.append(f"S13 the ledger holds {booked}, the orders {held}")
    locks = {row.data["intent_id"] for row in bench.store.query("locks")}
    wanted = {order.intent_id for order in approved if not order.joined}
    if locks != wanted:
        found.append(f"L2 locks {locks}, live entries {wanted}")
    return found


def _ended(bench: Bench) -> list[str]:
    over = bench.kernel.now() > CLOSES + timedelta(minutes=10)
    may_wait = {State.MANUAL} if over else {State.MANUAL, State.UNKNOWN}
    return [f"L1 {_name(order)} is still {order.state}" for order in bench.orders()
            if order.live and order.state not in may_wait]  # fmt: skip


def _book(bench: Bench) -> list[str]:
    found = []
    fills = [decode(Fill, row.data) for row in bench.store.query("fills")]
    booked = Counter[int]()
    for fill in fills:
        booked[fill.broker_order_id] += fill.quantity
    for name, order in bench.exchange.book.items():
        if bench.exchange.clients[name] != "owner" and booked[name] != order.filled:
            found.append(f"S9 broker order {name} filled {order.filled}, the book has {booked[name]}")
    held = {position.symbol: position.quantity for position in bench.positions()}
    for symbol in bench.exchange.shares.keys() | held.keys():
        theirs = bench.exchange.shares[symbol]
        if theirs != held.get(symbol, 0):
            found.append(f"S9 the account holds {theirs} {symbol}, the book {held.get(symbol, 0)}")
    found += [f"{order.symbol}: broker order {name} is live and nobody's" for name, order in bench.exchange.book.items()
              if order in bench.exchange.live(order.symbol, order.side) and not _claimed(bench, name)
              and bench.exchange.clients[name] != "owner"]  # fmt: skip
    taken = [decode(Taken, row.data) for row in bench.store.query("taken")]
    money = sum((fill.price * fill.quantity * (1 if fill.side == Side.SELL else -1) for fill in fills), Decimal(0))
    money += sum((sell.proceeds for one in taken for sell in one.sells), Decimal(0))
    realized = sum([*(fill.realized for fill in fills), *(one.realized for one in taken)], Decimal(0))
    if not any(held.values()) and not any(one.unpriced for one in taken) and realized != money:
        found.append(f"S9 profit {realized}, but the fills sum to {money}")
    return found


def _claimed(bench: Bench, order_id: int) -> bool:
    claim = bench.store.get(f"broker_orders/{order_id}")
    return claim is not None and bench.store.get(f"orders/{claim.data['intent_id']}") is not None


def _left_over(bench: Bench) -> list[str]:
    found = [f"L4 {row.path} was never published" for row in bench.store.query("outbox")]
    found += [f"dead letter {owed.topic}" for owed in bench.bus.dead]
    still = (position for position in bench.positions() if position.is_open)
    return found + [f"L1 position {position.symbol} is still open" for position in still]


def _naked(bench: Bench, at_most: float) -> list[str]:
    naked = bench.exchange.naked().total_seconds()
    return [f"shares lay naked for {naked:.1f} s"] if naked > at_most else []


def _name(order: Order) -> str:
    return f"{order.kind} {order.intent_id}"
