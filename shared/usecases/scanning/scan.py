"""Scan the market from one minute on: a tick each second, signals, receipts, and exits for what is held.

What can go wrong: the minute's message comes twice or late, or never (a lease per minute; an old tick is acknowledged
without work, one from the future is refused; whoever has scanned a minute goes on until somebody holds the next, and
scans that one, too, where nobody does); the broker answers slowly (a tick that is more than a second late is skipped,
never caught up in a burst); the clock jumps (a tick that it makes late or far off is skipped, nothing waits for one);
store or bus fail for a moment (that costs a symbol's tick, not the minute, and what was promised goes out a second
later); the token is dead (the minute ends, with its receipts); the process dies (the next minute reads the books back);
a strategy does what none may, or ends the process (`voting`: it is asked after what is held was judged, and left out);
a quote is missing or cannot be believed (`_look`: then nothing rests on it). What this promises: a signal is in the
store before it is on the bus, once per slot; nothing here sends an order or writes a position.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.domain.base.calendar import session_at
from shared.domain.market import halts
from shared.domain.market.quality import Sound, sound
from shared.domain.market.quotes import Quote, Quotes
from shared.domain.market.rounds import wanted
from shared.domain.market.sight import SECONDS
from shared.domain.orders.exits import Unquoted
from shared.domain.orders.positions import Position
from shared.domain.telling.doubted import HeldHalted, SourcesDiffer
from shared.errors import AuthError, BrokerError, Malformed, StoreError
from shared.ports import Put, Severity
from shared.strategies.view import View
from shared.strategies.watch import Watch
from shared.usecases.base import leases, outbox
from shared.usecases.base.desk import Held, put
from shared.usecases.base.trading import TradingDesk
from shared.usecases.market import minutes
from shared.usecases.market.minutes import MINUTE
from shared.usecases.orders.losses import open_positions
from shared.usecases.orders.watches import watched
from shared.usecases.scanning import voting
from shared.usecases.scanning.hold import look_after
from shared.usecases.scanning.record import Row
from shared.usecases.scanning.scan_memory import ScanMemory
from shared.usecases.scanning.scanned import MILLISECOND, SECOND, Scanned, Verdict
from shared.usecases.telling.notices import announce

TICKS = SECONDS
HELD_EVERY = 2
WORKS_AT_MOST = timedelta(seconds=150)
"""An invocation's longest time: its own minute, one whose tick was lost, and until the tick of the one after comes."""
_STUMBLES = frozenset(one.__name__ for kind in (BrokerError, StoreError) for one in (kind, *kind.__subclasses__()))
LOST_AFTER = 20
"""From this second on a minute that nobody took is scanned by whoever goes on: its tick is lost."""


KEPT = ("held", "stop")
"""How the verdict on what is held begins where it stays held: then a strategy may have a reason to leave it."""


class Looked(NamedTuple):
    """What a look made of a symbol: its verdict as far as it is known, and what strategies are to be asked about."""

    verdict: Verdict
    view: View | None = None


def scan(desk: TradingDesk, memory: ScanMemory, published_at: datetime) -> None:
    """Work through the minute in which the tick was published, and on until somebody holds the next.

    Raises Malformed for a minute still to come.
    """
    begins = published_at.replace(second=0, microsecond=0)
    age = desk.clock.now() - begins
    if age >= MINUTE:
        desk.journal.line("tick_too_old", Severity.WARNING, minute=begins.isoformat())
        return
    if age < -MINUTE:
        raise Malformed(f"a tick of {begins.isoformat()}, which is still to come")
    session = session_at(begins)
    if session is None or not session.opens_at <= begins < session.closes_at:
        return
    lease = minutes.take(desk, begins)
    if lease is None:
        return
    stops_at = desk.clock.now() + WORKS_AT_MOST
    minute = Scanned(session=session, begins=begins, lease=lease, owing=True)
    try:
        memory.read_ahead(desk, session)
        left = minutes.handed_over(desk, begins)
        died = None if left is not None else minutes.died(desk, begins)
        minute.go_on_from(desk, left)
        voting.begin(desk, memory, minute, died)
        memory.recall(desk, session, begins)
        memory.go_on_from(left, minute.notes)
        memory.began(desk, session, begins, ahead=minute.notes)
    except StoreError:
        leases.give_back(desk, lease)
        raise
    done = _whole(desk, memory, minute)
    while done is not None:
        done = _go_on(desk, memory, done, stops_at)


def _whole(desk: TradingDesk, memory: ScanMemory, minute: Scanned) -> Scanned | None:
    """Look at every second of a minute that is held, and write it down; None where the token is dead."""
    try:
        for second in range(TICKS):
            _tick(desk, memory, minute, second)
    except AuthError as problem:
        _stop(desk, memory, minute, problem)
        return None
    _keep(desk, memory, minute)
    return minute


def _stop(desk: TradingDesk, memory: ScanMemory, minute: Scanned, problem: AuthError) -> None:
    """Write down that a minute ended for want of a token: it says nothing of what there was to see."""
    desk.journal.line("scan_stopped", Severity.ERROR, kind=type(problem).__name__, detail=problem.detail)
    for symbol in memory.chosen(desk).scanned:
        minute.note(symbol, 0, "NO_TOKEN")
    memory.record.died(desk, minute.begins, memory.chosen(desk).scanned)
    memory.outages.look(desk, held=minute.held, asked=minute.held, quoted=(), at=minute.begins)
    _keep(desk, memory, minute, saw=False)


def _go_on(desk: TradingDesk, memory: ScanMemory, done: Scanned, stops_at: datetime) -> Scanned | None:
    """Look on after a minute until somebody holds the next one, then hand over; give that one where nobody does.

    From LOST_AFTER on it is held by this invocation, where that has the time, and scanned to its end.
    """
    minute = Scanned(session=done.session, begins=done.ends, owing=done.owing)
    if minute.begins >= minute.session.closes_at or minute.begins - desk.clock.now() > MINUTE:
        return None  # the session is over, or the clock was set back: whoever comes next begins from the books
    desk.clock.sleep_until(minute.begins)
    desk = desk.of_this_minute
    try:
        for second in range(TICKS):
            if desk.clock.now() >= stops_at or not _is_ours(desk, minute, second, stops_at):
                break
            _tick(desk, memory, minute, second)
    except AuthError as problem:
        if minute.lease is not None:
            _stop(desk, memory, minute, problem)
            return None
    else:
        if minute.lease is not None:
            _keep(desk, memory, minute)
            return minute
    _hand_over(desk, memory, done, minute)
    return None


def _is_ours(desk: TradingDesk, minute: Scanned, second: int, stops_at: datetime) -> bool:
    """Tell whether nobody else holds a minute that is looked at ahead; take it once its tick counts as lost."""
    if minute.lease is not None:
        return True
    try:
        if second >= LOST_AFTER and minute.ends <= stops_at:
            minute.lease = minutes.take(desk, minute.begins)
            return minute.lease is not None
        return minutes.taken_at(desk, minute.begins) is None
    except StoreError as problem:
        voting.stumble(desk, problem)
        return True


def _tick(desk: TradingDesk, memory: ScanMemory, minute: Scanned, second: int) -> None:
    at = minute.begins + second * SECOND
    if second in minute.looked or not -SECOND <= at - desk.clock.now() <= MINUTE:
        return
    desk.clock.sleep_until(at)
    if minute.owing:
        _catch_up(desk, minute)
    try:
        if second % HELD_EVERY == 0 or minute.unsure:
            minute.unsure = True
            minute.held = {row.value.symbol: row for row in open_positions(desk)}
            minute.holds = minute.holds or bool(minute.held)
            minute.unsure = False
    except StoreError as problem:
        voting.stumble(desk, problem)
        return
    scanned = memory.chosen(desk).scanned
    symbols = [*scanned, *(name for name in minute.held if name not in scanned)]
    due, others = wanted(symbols, held=minute.held, hot=memory.hot, asked=minute.asked)
    asked_at = desk.clock.now()
    quotes = desk.broker.quotes(due, others=others, next_at=at + SECOND)
    looked_at = [symbol for symbol in (*due, *others) if symbol not in quotes.unasked]
    minute.asked |= dict.fromkeys((symbol for symbol in looked_at if symbol not in quotes.failed), second)
    minute.ticks += len(quotes.failed) < len(looked_at)
    minute.quotes += len(quotes.heard)
    memory.outages.look(desk, held=minute.held, asked=looked_at, quoted=quotes.heard, at=at)
    verdicts = _judge(desk, memory, minute, quotes, symbols=looked_at, at=at)
    for symbol in looked_at:
        quote = quotes.heard.get(symbol)
        minute.note(symbol, second, verdicts[symbol], quoted_at=None if quote is None else quote.at)
        if symbol not in quotes.failed:
            memory.heed(symbol, minute.notes[symbol][-1].code)
    if not any(symbol in quotes.failed or symbol in quotes.unasked for symbol in due):
        minute.looked.add(second)
    minute.took_ms.append((desk.clock.now() - asked_at) // MILLISECOND)
    memory.looked(desk, at, [_row(memory, minute, symbol, quotes, verdicts[symbol]) for symbol in looked_at])


def _row(memory: ScanMemory, minute: Scanned, symbol: str, quotes: Quotes, verdict: Verdict) -> Row:
    """Give what a recording keeps of a symbol's tick."""
    failure, seen = quotes.failed.get(symbol), symbol in memory.watches
    failed = None if failure is None else type(failure).__name__
    given = symbol in minute.held or not seen or (verdict in _STUMBLES and verdict != failed)
    return Row(
        symbol=symbol, quote=quotes.heard.get(symbol), failure=failed, given=str(verdict) if given else None, seen=seen
    )


def _judge(
    desk: TradingDesk, memory: ScanMemory, minute: Scanned, quotes: Quotes, *, symbols: Sequence[str], at: datetime
) -> dict[str, Verdict]:  # fmt: skip
    """Give the verdict on each symbol: what is held is judged before any strategy is asked about anything."""
    found, views = dict[str, Verdict](), list[View]()
    for symbol in symbols:
        quote, failure = quotes.heard.get(symbol), quotes.failed.get(symbol)
        try:
            seen = _look(desk, memory, minute, symbol=symbol, quote=quote, failure=failure, at=at)
        except (BrokerError, StoreError) as problem:
            voting.stumble(desk, problem)
            minute.owing = True
            seen = Looked(type(problem).__name__)
        found[symbol] = seen.verdict
        views += [] if seen.view is None else [seen.view]
    found |= voting.ask(desk, memory, minute, views, at=at)
    voting.keep(desk, memory, minute.session.day)
    return found


def _catch_up(desk: TradingDesk, minute: Scanned) -> None:
    """Publish what an earlier tick could only promise."""
    try:
        outbox.drain(desk)
        minute.owing = False
    except (BrokerError, StoreError) as problem:
        voting.stumble(desk, problem)


def _look(
    desk: TradingDesk, memory: ScanMemory, minute: Scanned, *, symbol: str, quote: Quote | None,
    failure: BrokerError | None, at: datetime,
) -> Looked:  # fmt: skip
    """Judge one symbol's quote: one with any fault is seen for signs of a halt, and neither kept nor decided on.

    With the `failure` of its call there is none; what is held is looked after all the same.
    """
    watch, held = memory.watch(desk, symbol), minute.held.get(symbol)
    wrong = watch.doubt(quote, at, desk.config)
    if failure is not None:
        wrong = (type(failure).__name__,)
    minute.judge(symbol, wrong)
    believed = sound(quote, wrong)
    if held is not None:
        code, view = _hold(desk, memory, minute, held=held, quote=believed, at=at)
        return Looked("+".join((code, *named(watch, wrong))) if code == "held" else code, view)
    if believed is None:
        return Looked("+".join(named(watch, wrong)))
    return Looked("", watch.see(believed, at))


def named(watch: Watch, wrong: tuple[str, ...]) -> tuple[str, ...]:
    """Give every code of what is doubted: the signs of a halt, the faults of the quote."""
    return tuple(dict.fromkeys((*(sign.code for sign in watch.signs if sign.code != halts.PAUSE), *wrong)))


def _hold(
    desk: TradingDesk, memory: ScanMemory, minute: Scanned, *, held: Held[Position], quote: Sound | None, at: datetime
) -> tuple[str, View | None]:
    """Judge a held symbol, also when no quote of it is sound: then for how long there has been none.

    A book that stands still is no news either: what it decides waits for a move, or for the session's end. Gives the
    receipt's code, and what strategies may see of it where it stays held and trades.
    """
    symbol = held.value.symbol
    watch, view = memory.watch(desk, symbol), None
    if quote is not None:
        view = watch.see(quote, at)
        minute.marks[symbol] = quote
    signs = tuple(sign.code for sign in watch.signs)
    _tell_halt(desk, watch, signs, at)
    halted = watch.book.halts.shows(at, desk.config.quotes)
    seen: Sound | Unquoted = Unquoted(lasts=at - watch.book.seen_at, halted=halted)
    if quote is not None and halts.FROZEN not in signs:
        seen = quote
    before = memory.held.get(symbol) or watched(desk, held.value)
    code, after = look_after(desk, held, before, seen, rsi=watch.rsi(at), session=minute.session, at=at)
    memory.hold(symbol, after)
    stays = not isinstance(seen, Unquoted) and code.partition(":")[0] in KEPT
    return code, view if stays and after is not None and after.value.exit is None else None


def _tell_halt(desk: TradingDesk, watch: Watch, signs: tuple[str, ...], at: datetime) -> None:
    """Tell the owner that trading in what is held looks halted: once for each halt, not for the pause after it."""
    halt = watch.book.halts
    if halt.since is None or halt.told or not signs or signs == (halts.PAUSE,):
        return
    desk.store.commit([announce(desk, HeldHalted(symbol=watch.symbol, signs=signs, since=halt.since, at=at))])
    halt.told = True


def _keep(desk: TradingDesk, memory: ScanMemory, minute: Scanned, *, saw: bool = True) -> None:
    """Write down a minute that is held, at its end; one that ended early has no sight, and nobody goes on from it."""
    _save(desk, memory, minute, before=minute.ends)
    left = minute.leave(sight=minute.sight()) if saw else minute.leave(ahead=(), missing=memory.outages.left())
    _write_down(desk, memory, minute, left)
    _tell(desk, "minute_scanned", minute)


def _hand_over(desk: TradingDesk, memory: ScanMemory, done: Scanned, minute: Scanned) -> None:
    """Leave what was seen of a minute to whoever holds it; nothing, where that one waits no longer."""
    if _save(desk, memory, done, before=minute.begins):
        ahead, missing = tuple(sorted(minute.looked)), memory.outages.left()
        _write_down(desk, memory, minute, done.leave(sight=done.sight(), ahead=ahead, missing=missing))
    _tell(desk, "scan_handed_over", minute)


def _save(desk: TradingDesk, memory: ScanMemory, minute: Scanned, *, before: datetime) -> bool:
    """Write the books, unless somebody has long gone on from others; give whether they are written."""
    taken_at = minutes.taken_at(desk, before)
    if taken_at is not None and desk.clock.now() - taken_at >= minutes.WAITS:
        memory.forget()
        return False
    memory.save(desk, minute.session, minute.begins)
    memory.heed_all(minute.notes)
    return True


def _write_down(desk: TradingDesk, memory: ScanMemory, minute: Scanned, left: list[Put]) -> None:
    """Write a minute's receipts, the last quotes of its positions, and what is left to whoever goes on."""
    choice = memory.chosen(desk)
    lines = {name: [line.row for line in lines] for name, lines in minute.notes.items()}
    receipt = {
        "session": minute.session.day.isoformat(),
        "minute": minute.begins.isoformat(),
        "configuration": desk.config_number,
        "symbols": dict(sorted((choice.lines() | lines).items())),
        **choice.receipt(),
    }
    rows = [put(f"quotes/{symbol}", quote) for symbol, quote in sorted(minute.marks.items())]
    if minute.differ:
        closes = tuple(closes for _, closes in sorted(minute.differ.items()))
        rows.append(announce(desk, SourcesDiffer(closes=closes, session=minute.session.day, at=minute.begins)))
    desk.store.commit([*rows, *left, Put(minute.path, receipt)])
    memory.record.wrote(desk, minute.begins, minute.notes)


def _tell(desk: TradingDesk, event: str, minute: Scanned) -> None:
    desk.journal.line(
        event, minute=minute.begins.isoformat(), ticks=minute.ticks, quotes=minute.quotes,
        took_ms=",".join(map(str, minute.took_ms)),
    )  # fmt: skip
