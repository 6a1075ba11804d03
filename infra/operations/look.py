"""What a desk knows, read for its owner: plain values, for a table or for JSON."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from infra.operations import letters, told
from infra.operations.killed import Killed, left_by
from infra.operations.machine import Machine
from infra.operations.wealth import Owned, Wealth, owned, prices, wealth
from infra.running.registry import Entry
from infra.running.status import signed_in, signed_out
from infra.simulated_day.hours import day_and_time
from infra.simulated_day.problems import UserError
from shared.codec import decode
from shared.domain.base.audit import AuditEvent
from shared.domain.base.calendar import new_york_day, session_at
from shared.domain.broker.brokerage import LastBalance
from shared.domain.control.asks import Ask
from shared.domain.control.control import Control
from shared.domain.market.fallback import FallbackQuote
from shared.domain.market.quotes import Quote
from shared.domain.market.series import LEAST_DAYS
from shared.domain.market.sight import LOOKED, Looks, Sight, looks
from shared.domain.orders.explain import standing
from shared.domain.orders.orders import IN_DOUBT, Order
from shared.domain.orders.positions import Fill, Ledger, Position
from shared.domain.orders.signals import Signal
from shared.domain.telling.left_out import LeftOut, SessionLeftOut, path_of
from shared.errors import Malformed
from shared.frozen import frozen
from shared.ports import Document, Store, Where
from shared.usecases.base.desk import read
from shared.usecases.control import control
from shared.usecases.market import minutes, ranking
from shared.usecases.market.fallback import latest
from shared.usecases.market.warmth import Prepared
from shared.usecases.orders.account import LAST_BALANCE
from shared.usecases.sign_in import token

T = TypeVar("T")
LATELY = timedelta(minutes=10)
FIRST_SIGHT = timedelta(minutes=2)
"""After the open the first minute has to end and be written down before its sight can be missed."""
ANSWERED_WITHIN = timedelta(minutes=3)
WRITTEN_WITHIN = timedelta(seconds=10)
SHORTEST = 8
"""So many letters of an order's id are shown at the least."""


@frozen
class History:
    """How the daily bars of the watched symbols stand: those gathered for `session`, at an instant.

    `enough` counts the symbols that may be bought, `short` are the bars that each other one has; `skipped` are the
    sources that are not asked, each with why, `refused` those that do not take their key.
    """

    session: date
    at: datetime
    enough: int
    short: dict[str, int]
    skipped: dict[str, str]
    refused: tuple[str, ...]


@frozen
class Ranked:
    """For which session the watch list was ranked, and when: so many `symbols`, of which `whole` have every part."""

    session: date
    at: datetime
    symbols: int
    whole: int


@frozen
class Books:
    """What an entry of this moment is judged by: `ledgers` are those of all sessions, oldest first."""

    control: Control | None
    live: tuple[Order, ...]
    open: tuple[Position, ...]
    ledgers: tuple[Ledger, ...]
    balance: LastBalance | None


@frozen
class Overview:
    """A desk at a glance.

    `name` is its folder or its project; `in_doubt` are orders that may or may not be at the broker,
    `dead_letters_since` is when the oldest message was put aside by a function, `given_up` counts what the bus gave up,
    None where it does not tell; `machine` is how this machine runs the desk, None where it does not; `unreadable` are
    documents in none of the counts. `broker` is simulator, sandbox or production, None where this machine does not know
    it; `again` is the command that starts what does not run, None where there is none; `on` is what a command carries
    that is to reach this system from any folder.

    `signed_out` says that the day's token was ended with it. `realized` is the profit in USD of `session`, the last
    one that traded, without its `unpriced` shares, which were taken out by hand at a price that is not known;
    `asked` are your wishes that wait; `control` is None for a new desk. `sight` is what the scan saw in the last
    minute that it finished, None when it finished none within `LATELY`; `looks` are the seconds of the session so
    far at which it looked, None outside of one; `late_sign_in` is that before which nothing was watched in it, None
    where none was. `history` is how the daily bars stand, `ranked` the watch list's rank, None before the first
    morning. `left_out` are the strategies that are not asked any more today. `closing` are symbols that you want
    sold and that are held still; `elsewhere` are prices of somebody else's for what is held and E*TRADE does not
    quote; `owned` and `wealth` are its money. `killed` is what was left where the desk ended without being stopped.
    `stops` are the rules that keep every purchase out now, in a sentence each.
    """

    name: str
    at: datetime
    running: bool
    mode: str | None
    broker: str | None
    again: str | None
    on: str
    signed_in: bool
    signed_out: bool
    control: Control | None
    live_orders: int
    in_doubt: tuple[str, ...]
    open_positions: int
    session: date | None
    realized: Decimal
    unpriced: int
    asked: tuple[str, ...]
    dead_letters: int
    dead_letters_since: datetime | None
    given_up: int | None
    machine: Machine | None
    sight: Sight | None
    looks: Looks | None
    late_sign_in: datetime | None
    history: History | None
    ranked: Ranked | None
    notices: told.Delivery
    unreadable: tuple[str, ...]
    closing: tuple[str, ...]
    elsewhere: tuple[FallbackQuote, ...]
    owned: tuple[Owned, ...]
    wealth: Wealth
    killed: Killed | None
    stops: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


@frozen
class Story:
    """The chain of one order: the signal that caused it, each of its events, its fills, where it stands."""

    order: Order
    stands: str
    next_step: str
    signal: Signal | None
    events: tuple[AuditEvent, ...]
    fills: tuple[Fill, ...]


def overview(
    store: Store, *, at: datetime, running: bool, name: str = "", mode: str | None = None,
    broker: str | None = None, again: str | None = None, on: str = "",
    given_up: int | None = None, machine: Machine | None = None, killed: Entry | None = None,
    stops: Callable[[Books], tuple[str, ...]] = lambda _: (),
) -> Overview:  # fmt: skip
    """Look at a whole desk, `stops` being who judges an entry of this moment; raises StoreDown."""
    unread: list[str] = []
    kept, buried = books(store, unread), letters.letters(store)
    live, open_, ledgers = kept.live, kept.open, kept.ledgers
    rows, others = money(store, open_, live, at, unread=unread)
    scanned = _of_session(store, at, unread)
    whole = not any(path.startswith(("positions/", "ledger/")) for path in unread)
    return Overview(
        name=name, at=at, running=running, mode=mode, broker=broker, again=again, on=on,
        signed_in=signed_in(store, at), signed_out=signed_out(store, at),
        control=kept.control, live_orders=len(live),
        in_doubt=tuple(order.intent_id for order in live if order.state in IN_DOUBT),
        open_positions=len(open_),
        session=ledgers[-1].session if ledgers else None, realized=ledgers[-1].realized if ledgers else Decimal(0),
        unpriced=ledgers[-1].unpriced if ledgers else 0, asked=_asked(store, at, unread),
        dead_letters=len(buried), dead_letters_since=letters.since(buried),
        sight=_sight(store, at, unread), looks=_looks(scanned, at),
        late_sign_in=_late_sign_in(store, scanned, at), history=_history(store, unread),
        ranked=_ranked(store, unread),
        notices=told.delivery(store),
        left_out=left_out_of(store, at, unread), unreadable=tuple(dict.fromkeys(unread)),
        given_up=given_up, machine=machine, closing=tuple(one.symbol for one in open_ if one.closing),
        elsewhere=others, owned=tuple(rows), wealth=wealth(rows, ledgers, kept.balance, at, whole=whole),
        killed=None if killed is None else left_by(killed, open_, live), stops=stops(kept),
    )  # fmt: skip


def books(store: Store, unread: list[str]) -> Books:
    """Read what an entry is judged by; `unread` as for `orders`."""
    return Books(
        control=control.standing(store), live=tuple(orders(store, every=False, unread=unread)),
        open=tuple(positions(store, unread=unread)),
        ledgers=tuple(sorted(typed(Ledger, store.query("ledger"), unread), key=lambda one: one.session)),
        balance=last_balance(store, unread),
    )  # fmt: skip


def orders(store: Store, *, every: bool, unread: list[str]) -> list[Order]:
    """List the orders, oldest first; only those that are not over unless `every` is asked for.

    One that cannot be read hides no other: its path is added to `unread`.
    """
    where = () if every else (Where("live", "==", True),)
    return sorted(typed(Order, store.query("orders", *where), unread), key=lambda order: order.created_at)


def positions(store: Store, *, unread: list[str]) -> list[Position]:
    """List the open positions, oldest first; `unread` as for `orders`."""
    rows = store.query("positions", Where("is_open", "==", True))
    return sorted(typed(Position, rows, unread), key=lambda one: one.opened_at)


def money(
    store: Store, held: Sequence[Position], live: Iterable[Order], at: datetime, *, unread: list[str]
) -> tuple[list[Owned], tuple[FallbackQuote, ...]]:  # fmt: skip
    """Give what is held in money, and the prices from elsewhere of it while the scan has no newer quote.

    `live` are the orders that are not over; `unread` as above.
    """
    found, symbols = latest(store, at, on_bad=unread.append), {one.symbol for one in held}
    quotes = typed(Quote, store.query("quotes"), unread) if held else []
    seen = {one.symbol: one.received_at for one in quotes}
    others = tuple(
        found[name] for name in sorted(symbols & set(found))
        if name not in seen or seen[name] < found[name].asked_at
    )  # fmt: skip
    return owned(held, live, prices(quotes, others, symbols, at)), others


def shortest(ids: Sequence[str]) -> int:
    """Give the least length of at least eight letters at which no two ids begin alike."""
    longest = max(map(len, ids), default=SHORTEST)
    return next((n for n in range(SHORTEST, longest) if len({one[:n] for one in ids}) == len(set(ids))), longest)


def find(store: Store, name: str) -> Order:
    """Find one order by its id, or the beginning of it, in any case, or the broker's number; raises UserError."""
    if not name.strip():
        raise UserError("no order was named", remedy="take an id from `strategy orders --all`")
    found = [
        one
        for one in orders(store, every=True, unread=[])
        if one.intent_id.startswith(name.upper())
        or (one.broker_order_id is not None and str(one.broker_order_id) == name)
    ]
    if len(found) != 1:
        what = f"no order is called {name}" if not found else f"{len(found)} orders begin with {name}"
        raise UserError(what, remedy="take an id from `strategy orders --all`")
    return found[0]


def story(store: Store, name: str) -> Story:
    """Tell one order's story; `name` as `find` takes it."""
    order = find(store, name)
    stands, next_step = standing(order)
    return Story(
        order=order, stands=stands, next_step=next_step,
        signal=_signal(store, order),
        events=tuple(sorted(_rows(store, AuditEvent, "audit", "chain", order), key=lambda one: one.seq)),
        fills=tuple(sorted(_rows(store, Fill, "fills", "intent_id", order), key=lambda one: one.cumulative)),
    )  # fmt: skip


def _asked(store: Store, at: datetime, unread: list[str]) -> tuple[str, ...]:
    """Say each wish of the owner's that waits, and that nobody works it where it has waited for long."""
    rows = sorted(typed(Ask, store.query("asks", Where("waiting", "==", True)), unread), key=lambda one: one.at)
    return tuple(
        f"{one.kind}{'' if one.intent_id is None else f' {one.intent_id}'} since {day_and_time(one.at)} New York"
        f"{': NOT DONE YET' if at - one.at > ANSWERED_WITHIN and not one.progress else ''}"
        for one in rows
    )


def _sight(store: Store, at: datetime, unread: list[str]) -> Sight | None:
    scans = typed(minutes.Minute, minutes.since(store, at - LATELY), unread)
    return max((one.sight for one in scans if one.sight), key=lambda sight: sight.begins, default=None)


def _of_session(store: Store, at: datetime, unread: list[str]) -> list[minutes.Minute]:
    """Give the minutes of the session that were scanned."""
    session = session_at(at)
    return [] if session is None else typed(minutes.Minute, minutes.since(store, session.opens_at), unread)


def _looks(scanned: Iterable[minutes.Minute], at: datetime) -> Looks | None:
    """Count the whole minutes of the session whose sight must be written down by now."""
    session = session_at(at)
    if session is None or at < session.opens_at + minutes.MINUTE + WRITTEN_WITHIN:
        return None
    ends = min(at - WRITTEN_WITHIN, session.closes_at)
    return looks((one.sight for one in scanned if one.sight), session.opens_at, ends)


def _late_sign_in(store: Store, scanned: Iterable[minutes.Minute], at: datetime) -> datetime | None:
    """Give the sign-in that came after the open, where no minute that ended before it was watched."""
    session, held = session_at(at), token.current(store)
    if session is None or held is None or not session.opens_at < held.value.issued_at <= at:
        return None
    seen = (one.sight for one in scanned if one.sight and LOOKED in one.sight.seconds)
    issued_at = held.value.issued_at
    return None if any(one.begins + minutes.MINUTE <= issued_at for one in seen) else issued_at


def last_balance(store: Store, unread: list[str]) -> LastBalance | None:
    """Give the balance as settlement read it last; one that cannot be read is added to `unread`."""
    try:
        found = read(store, LastBalance, LAST_BALANCE)
    except Malformed:
        unread.append(LAST_BALANCE)
        return None
    return None if found is None else found.value


def _history(store: Store, unread: list[str]) -> History | None:
    try:
        held = read(store, Prepared, "prepared/history")
    except Malformed:
        unread.append("prepared/history")
        return None
    if held is None:
        return None
    found = held.value
    days = found.days
    short = {symbol: count for symbol, count in sorted(days.items()) if count < LEAST_DAYS}
    return History(
        session=found.session, at=found.at, enough=len(days) - len(short), short=short, skipped=found.skipped,
        refused=tuple(sorted(found.refused)),
    )  # fmt: skip


def left_out_of(store: Store, at: datetime, unread: list[str]) -> tuple[LeftOut, ...]:
    """Give the strategies that are left out of the session of an instant's day; `unread` as above."""
    path = path_of(new_york_day(at))
    try:
        held = read(store, SessionLeftOut, path)
    except Malformed:
        unread.append(path)
        return ()
    return () if held is None else held.value.strategies


def _ranked(store: Store, unread: list[str]) -> Ranked | None:
    try:
        found = ranking.last_measured(store)
    except Malformed:
        unread.append(ranking.PATH)
        return None
    if found is None:
        return None
    whole = sum(None not in (one.liquidity, one.volatility, one.momentum, one.spread) for one in found.symbols)
    return Ranked(session=found.session, at=found.at, symbols=len(found.symbols), whole=whole)


def typed(kind: type[T], rows: Iterable[Document], unread: list[str]) -> list[T]:
    """Type documents; the path of one that cannot be read is added to `unread`."""
    found: list[T] = []
    for row in rows:
        try:
            found.append(decode(kind, row.data))
        except Malformed:
            unread.append(row.path)
    return found


def _signal(store: Store, order: Order) -> Signal | None:
    held = read(store, Signal, f"signals/{order.signal_id}") if order.signal_id else None
    return held.value if held else None


def _rows(store: Store, kind: type[T], collection: str, name: str, order: Order) -> list[T]:
    return [decode(kind, row.data) for row in store.query(collection, Where(name, "==", order.intent_id))]
