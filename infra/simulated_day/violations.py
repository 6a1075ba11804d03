"""What must never be true of a day, in one sentence each; an empty list is the promise of every run.

Each function looks for one kind and is pure: the simulator's ledger and the system's book in, sentences out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal

from infra.simulated_day.book import Book
from infra.simulated_day.by_hand import by_hand
from infra.simulated_day.hours import Hours, clock
from infra.simulated_day.ledger import BrokerLedger
from infra.simulated_day.protection import gaps
from shared.domain.base.audit import GENESIS, breaks
from shared.domain.base.values import CENT, cents
from shared.domain.orders.taken import Taken

_BLUR = Decimal("0.00005")  # half of the last decimal
LONGEST_GAP = timedelta(seconds=10)
NOTHING = timedelta(0)


def violations(
    *,
    ledger: BrokerLedger,
    book: Book,
    undeclared: Iterable[str],
    starting_cash: Decimal,
    hours: Hours,
    machine: timedelta = NOTHING,
) -> list[str]:
    """Give every violation of a finished day; `undeclared` holds one description for each refused access.

    `machine` is what the machine itself may take of the day's time to answer a fill, where that runs faster than real.
    """
    ours = by_hand(ledger, book)
    return [
        *ours.amiss,
        *book_differs(ours.ledger, book, starting_cash=starting_cash, profit_known=ours.profit_known),
        *open_after_close(ours.ledger, book),
        *unprotected(ours.ledger, hours, machine, book.taken),
        *throttled(ledger),
        *placed_twice(ledger),
        *broken_audit(book),
        *undeclared_access(undeclared),
    ]


def book_differs(
    ledger: BrokerLedger, book: Book, *, starting_cash: Decimal, profit_known: bool = True
) -> list[str]:  # fmt: skip
    """Compare shares by symbol, fills by order, cash and realised profit, to the share and to the cent.

    The profit is compared with the simulator's only where it is the system's alone.

    Of an order that filled in several pieces the broker tells an average price of four decimals (etrade-api.md 5): what
    that cannot tell is allowed for, and nothing else.
    """
    return [
        *_shares_differ(ledger, book),
        *_fills_differ(ledger, book),
        *_money_differs(ledger, book, starting_cash, profit_known=profit_known),
    ]


def open_after_close(ledger: BrokerLedger, book: Book) -> list[str]:
    """Name each symbol that the book or the simulator still holds at the end."""
    ours = {position.symbol: position.quantity for position in book.positions if position.is_open}
    held = {symbol: shares for symbol, shares in ledger.positions.items() if shares}
    return [
        f"Position open after the close: {held.get(symbol, 0)} shares of {symbol} at the simulator, "
        f"{ours.get(symbol, 0)} in the book."
        for symbol in sorted(held.keys() | ours.keys())
    ]


def unprotected(
    ledger: BrokerLedger, hours: Hours, machine: timedelta = NOTHING, taken: Iterable[Taken] = ()
) -> list[str]:  # fmt: skip
    """Name each interval of the session in which held shares had no live sell order for too long.

    That is more than `LONGEST_GAP` and what the `machine` is allowed, which the sentence tells where it is any.
    """
    allowed = f" Allowed are {_seconds(LONGEST_GAP)} and {_seconds(machine)} for this machine." if machine else ""
    return [
        f"Position unprotected for {_seconds(gap.lasts)}: up to {gap.shares} shares of "
        f"{gap.symbol} had no live sell order from {clock(gap.begins)} to {clock(gap.ends)} New York.{allowed}"
        for gap in gaps(ledger, opens=hours.opens, closes=hours.closes, taken=taken)
        if gap.lasts > LONGEST_GAP + machine
    ]


def throttled(ledger: BrokerLedger) -> list[str]:
    """Say that the simulator had to refuse calls because there were too many."""
    if not ledger.throttled:
        return []
    refused = f"the simulator refused {ledger.throttled} calls because they came too fast"
    return [f"Throttle answer received: {refused}."]


def placed_twice(ledger: BrokerLedger) -> list[str]:
    """Name each intent of which more than one place request reached the simulator."""
    asked = Counter(request.client_order_id for request in ledger.place_requests)
    return [
        f"Second place for one intent: {intent} reached the simulator {times} times."
        for intent, times in sorted((name or "an unnamed order", count) for name, count in asked.items())
        if times > 1
    ]


def broken_audit(book: Book) -> list[str]:
    """Name each break of a chain, each chain without a seal, each order off the end of its chain."""
    found = breaks(list(book.events), dict(book.seals))
    chains = {event.chain for event in book.events}
    unsealed = sorted(chains - book.seals.keys())
    if unsealed:
        found.append(f"{len(unsealed)} of {len(chains)} chains are not sealed, the first is {unsealed[0]}.")
    last = {event.chain: event.hash for event in sorted(book.events, key=lambda event: event.seq)}
    found += [
        f"Order {order.intent_id} stands at an event that its chain does not end with."
        for order in book.orders
        if order.audit_head != last.get(order.intent_id, GENESIS)
    ]
    return [f"Broken audit chain: {sentence}" for sentence in found]


def undeclared_access(undeclared: Iterable[str]) -> list[str]:
    """Name each thing that a function touched without a right in the topology, once each."""
    return [f"Undeclared access: {what}." for what in sorted(set(undeclared))]


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.1f} s"


def _shares_differ(ledger: BrokerLedger, book: Book) -> list[str]:
    ours: dict[str, int] = defaultdict(int)
    for position in book.positions:
        ours[position.symbol] += position.quantity
    return [
        f"Book differs from the simulator's ledger: {ours.get(symbol, 0)} shares of {symbol} in the book, "
        f"{ledger.positions.get(symbol, 0)} at the simulator."
        for symbol in sorted(ours.keys() | ledger.positions.keys())
        if ours.get(symbol, 0) != ledger.positions.get(symbol, 0)
    ]


def _fills_differ(ledger: BrokerLedger, book: Book) -> list[str]:
    theirs, blurred = _theirs(ledger), _blurred(ledger)
    ours = _by_order((fill.broker_order_id, fill.quantity, fill.price) for fill in book.fills)
    nothing = (0, Decimal(0))
    return [
        f"Book differs from the simulator's ledger: order {order} filled "
        f"{_filled(ours.get(order, nothing))} in the book, "
        f"{_filled(theirs.get(order, nothing))} at the simulator."
        for order in sorted(ours.keys() | theirs.keys())
        if not _same(ours.get(order, nothing), theirs.get(order, nothing), blurred.get(order, Decimal(0)))
    ]


def _theirs(ledger: BrokerLedger) -> Mapping[int, tuple[int, Decimal]]:
    return _by_order((fill.order_id, fill.quantity, fill.price) for fill in ledger.fills)


def _blurred(ledger: BrokerLedger) -> dict[int, Decimal]:
    """Give by how much, in USD, an average price of four decimals may miss each order that filled in pieces."""
    pieces = Counter(fill.order_id for fill in ledger.fills)
    return {order: shares * _BLUR for order, (shares, _) in _theirs(ledger).items() if pieces[order] > 1}


def _same(ours: tuple[int, Decimal], theirs: tuple[int, Decimal], blurred: Decimal) -> bool:
    return ours[0] == theirs[0] and abs(cents(ours[1]) - cents(theirs[1])) <= blurred + CENT / 2


def _by_order(fills: Iterable[tuple[int, int, Decimal]]) -> Mapping[int, tuple[int, Decimal]]:
    sums: dict[int, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for order, quantity, price in fills:
        shares, amount = sums[order]
        sums[order] = (shares + quantity, amount + quantity * price)
    return sums


def _filled(shares_and_amount: tuple[int, Decimal]) -> str:
    shares, amount = shares_and_amount
    return f"{shares} shares for {cents(amount)} USD"


def _money_differs(
    ledger: BrokerLedger, book: Book, starting_cash: Decimal, *, profit_known: bool
) -> list[str]:  # fmt: skip
    signs = {"BUY": -1, "SELL": 1}
    cash = starting_cash + sum((signs[fill.side] * fill.quantity * fill.price for fill in book.fills), Decimal(0))
    by_fill = sum([*(fill.realized for fill in book.fills), *(one.realized for one in book.taken)], Decimal(0))
    by_session = sum((session.realized for session in book.ledgers), Decimal(0))
    blurred = sum(_blurred(ledger).values(), CENT / 2)
    profit = ledger.realized_pnl if profit_known else by_fill
    pairs = (
        ("cash", cash, ledger.cash),
        ("realised profit by fill", by_fill, profit),
        ("realised profit by session", by_session, profit),
    )
    return [
        f"Book differs from the simulator's ledger: {what} is {cents(ours)} USD in the book, "
        f"{cents(theirs)} USD at the simulator."
        for what, ours, theirs in pairs
        if abs(cents(ours) - cents(theirs)) > blurred
    ]
