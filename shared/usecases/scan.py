"""Scan one minute of the market: a tick each second, a signal or a receipt for every symbol, exits for what is held.

What can go wrong: the minute's message comes twice or late (a lease per minute; an old tick is acknowledged without
work, one from the future is refused); the broker answers slowly (a tick that is more than a second late is skipped,
never caught up in a burst); the clock jumps (a tick that it makes late or far off is skipped, nothing waits for one);
store or bus fail for a moment (that costs a symbol's tick, not the minute, and what was promised goes out a second
later); the token is dead (the minute ends, with its receipts); the process dies (the next minute reads the books back);
a quote is missing or cannot be believed (`_look`: then nothing rests on it). What this promises: a signal is in the
store before it is on the bus, once per slot; nothing here sends an order or writes a position.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.domain import halts
from shared.domain.calendar import TradingSession, session_at
from shared.domain.doubted import HeldHalted, SourcesDiffer
from shared.domain.exits import Unquoted
from shared.domain.messages import EnterPosition
from shared.domain.positions import Position
from shared.domain.quality import Sound, sound
from shared.domain.quotes import Quote
from shared.domain.receipts import Mark, said
from shared.domain.rounds import wanted
from shared.domain.sight import Sight
from shared.domain.signals import Signal
from shared.errors import AuthError, BrokerError, Conflict, DeskError, Malformed, StoreError
from shared.ports import Put, Severity
from shared.strategies.decide import DIFFER, SIGNAL, decide
from shared.strategies.verdict import Reason
from shared.strategies.view import Watch
from shared.usecases import leases, minutes, outbox
from shared.usecases.desk import Held, create, put
from shared.usecases.hold import look_after
from shared.usecases.losses import open_positions
from shared.usecases.minutes import MINUTE
from shared.usecases.notices import announce
from shared.usecases.scan_memory import ScanMemory
from shared.usecases.trading import TradingDesk
from shared.usecases.watches import watched

SECOND = timedelta(seconds=1)
TICKS = 59
HELD_EVERY = 2
_MILLISECOND = timedelta(milliseconds=1)
_Verdict = str | tuple[Reason, ...]
"""What a tick said of a symbol: a word of the scan's own, or the rules that kept it from being bought."""


@dataclass(slots=True)
class _Minute:
    """One minute under way: `notes` are the receipts, a line each time a symbol's verdict changes.

    `owing` says that a message may wait in the outbox, `unsure` that the positions could not be read. `seen` are the
    symbols that had a usable quote, `wrong` the faults of each symbol, `differ` both closes of those whose sources
    disagree, `asked` in which second each symbol answered last.
    """

    session: TradingSession
    begins: datetime
    ticks: int = 0
    quotes: int = 0
    owing: bool = False
    unsure: bool = False
    held: dict[str, Held[Position]] = field(default_factory=dict)
    marks: dict[str, Sound] = field(default_factory=dict)
    notes: dict[str, list[Mark]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    wrong: dict[str, set[str]] = field(default_factory=dict)
    differ: dict[str, str] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)

    def judge(self, symbol: str, faults: tuple[str, ...]) -> None:
        """Remember what was wrong with a quote, or that nothing was."""
        if faults:
            self.wrong.setdefault(symbol, set()).update(faults)
        else:
            self.seen.add(symbol)

    def sight(self) -> Sight:
        """Sum up what was seen."""
        unseen = {symbol: tuple(sorted(codes)) for symbol, codes in self.wrong.items() if symbol not in self.seen}
        often = Counter(code for codes in unseen.values() for code in codes)
        return Sight(
            begins=self.begins, symbols=len(self.seen) + len(unseen), usable=len(self.seen),
            faults=tuple(sorted(often, key=lambda code: (-often[code], code))),
            unseen={symbol: codes for symbol, codes in unseen.items() if symbol in self.held},
        )  # fmt: skip

    def note(self, symbol: str, second: int, verdict: _Verdict, *, quoted_at: datetime | None = None) -> None:
        """Write down a verdict when it differs from the one before, with what its rules compared."""
        reasons = () if isinstance(verdict, str) else verdict
        code = verdict if isinstance(verdict, str) else "+".join(one.code for one in reasons)
        lines = self.notes.setdefault(symbol, [])
        if lines and lines[-1].code == code:
            return
        found = "; ".join(said(one.found) for one in reasons)
        asked = "; ".join(said(one.asked) for one in reasons)
        at = self.begins + second * SECOND
        age_ms = None if quoted_at is None else (at - quoted_at) // _MILLISECOND
        lines.append(Mark(second=second, code=code, found=found, asked=asked, age_ms=age_ms))


def scan(desk: TradingDesk, memory: ScanMemory, published_at: datetime) -> None:
    """Work through the minute in which the tick was published; raises Malformed for a minute still to come."""
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
    try:
        memory.recall(desk, session, begins)
    except StoreError:
        leases.give_back(desk, lease)
        raise
    minute = _Minute(session=session, begins=begins)
    try:
        for second in range(TICKS):
            _tick(desk, memory, minute, second)
    except AuthError as problem:
        desk.journal.line("scan_stopped", Severity.ERROR, kind=type(problem).__name__, detail=problem.detail)
        for symbol in desk.mandate.watch_list:
            minute.note(symbol, 0, "NO_TOKEN")
        memory.outages.look(desk, held=minute.held, asked=minute.held, quoted=(), at=begins)
        _keep(desk, memory, minute)
        return
    _keep(desk, memory, minute, put(lease.path, replace(lease.value, sight=minute.sight())))


def _tick(desk: TradingDesk, memory: ScanMemory, minute: _Minute, second: int) -> None:
    at = minute.begins + second * SECOND
    if not -SECOND <= at - desk.clock.now() <= MINUTE:
        return
    desk.clock.sleep_until(at)
    if minute.owing:
        _catch_up(desk, minute)
    try:
        if second % HELD_EVERY == 0 or minute.unsure:
            minute.unsure = True
            minute.held = {row.value.symbol: row for row in open_positions(desk)}
            minute.unsure = False
    except StoreError as problem:
        _stumble(desk, problem)
        return
    symbols = [
        *desk.mandate.watch_list,
        *(name for name in minute.held if name not in desk.mandate.watch_list),
    ]
    due, others = wanted(symbols, held=minute.held, hot=memory.hot, asked=minute.asked)
    quotes = desk.broker.quotes(due, others=others, next_at=at + SECOND)
    looked_at = [symbol for symbol in (*due, *others) if symbol not in quotes.unasked]
    minute.asked |= dict.fromkeys((symbol for symbol in looked_at if symbol not in quotes.failed), second)
    minute.ticks += len(quotes.failed) < len(looked_at)
    minute.quotes += len(quotes.heard)
    memory.outages.look(desk, held=minute.held, asked=looked_at, quoted=quotes.heard, at=at)
    for symbol in looked_at:
        failure = quotes.failed.get(symbol)
        quote = quotes.heard.get(symbol)
        try:
            verdict: _Verdict = _look(desk, memory, minute, symbol=symbol, quote=quote, failure=failure, at=at)
        except (BrokerError, StoreError) as problem:
            _stumble(desk, problem)
            minute.owing = True
            verdict = type(problem).__name__
        minute.note(symbol, second, verdict, quoted_at=None if quote is None else quote.at)
        if failure is None:
            memory.heed(symbol, minute.notes[symbol][-1].code)


def _catch_up(desk: TradingDesk, minute: _Minute) -> None:
    """Publish what an earlier tick could only promise."""
    try:
        outbox.drain(desk)
        minute.owing = False
    except (BrokerError, StoreError) as problem:
        _stumble(desk, problem)


def _stumble(desk: TradingDesk, problem: DeskError) -> None:
    desk.journal.line("scan_stumbled", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)


def _look(
    desk: TradingDesk, memory: ScanMemory, minute: _Minute, *, symbol: str, quote: Quote | None,
    failure: BrokerError | None, at: datetime,
) -> _Verdict:  # fmt: skip
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
        code = _hold(desk, memory, minute, held=held, quote=believed, at=at)
        return "+".join((code, *_named(watch, wrong))) if code == "held" else code
    if believed is None:
        return "+".join(_named(watch, wrong))
    return _decide(desk, memory, minute, believed, at)


def _named(watch: Watch, wrong: tuple[str, ...]) -> tuple[str, ...]:
    """Give every code of what is doubted: the signs of a halt, the faults of the quote."""
    return tuple(dict.fromkeys((*(sign.code for sign in watch.signs if sign.code != halts.PAUSE), *wrong)))


def _decide(desk: TradingDesk, memory: ScanMemory, minute: _Minute, quote: Sound, at: datetime) -> _Verdict:
    decision = decide(memory.watch(desk, quote.symbol).see(quote, at), desk.config)
    if not isinstance(decision, Signal):
        _differs(memory, minute, quote.symbol, decision.reasons)
        return decision.reasons
    if decision.signal_id not in memory.signalled:
        _signal(desk, replace(decision, config_number=desk.config_number), quote)
        memory.signalled.add(decision.signal_id)
    return f"{SIGNAL}{decision.signal_id}"


def _differs(memory: ScanMemory, minute: _Minute, symbol: str, reasons: tuple[Reason, ...]) -> None:
    """Remember both closes of a symbol whose sources disagree, once a session, for the minute's end to tell."""
    found = next((one for one in reasons if one.code == DIFFER.code), None)
    if found is not None and symbol not in memory.differ:
        memory.differ.add(symbol)
        minute.differ[symbol] = f"{symbol} {said(found.found)}, {found.asked} is asked"


def _hold(
    desk: TradingDesk, memory: ScanMemory, minute: _Minute, *, held: Held[Position], quote: Sound | None, at: datetime
) -> str:
    """Judge a held symbol, also when no quote of it is sound: then for how long there has been none.

    A book that stands still is no news either: what it decides waits for a move, or for the session's end.
    """
    symbol = held.value.symbol
    watch = memory.watch(desk, symbol)
    if quote is not None:
        watch.see(quote, at)
        minute.marks[symbol] = quote
    signs = tuple(sign.code for sign in watch.signs)
    _tell_halt(desk, watch, signs, at)
    seen: Sound | Unquoted = Unquoted(lasts=at - watch.book.seen_at, halted=not halts.SHOWN.isdisjoint(signs))
    if quote is not None and halts.FROZEN not in signs:
        seen = quote
    before = memory.held.get(symbol) or watched(desk, held.value)
    code, after = look_after(desk, held, before, seen, rsi=watch.rsi(at), session=minute.session, at=at)
    memory.hold(symbol, after)
    return code


def _tell_halt(desk: TradingDesk, watch: Watch, signs: tuple[str, ...], at: datetime) -> None:
    """Tell the owner that trading in what is held looks halted: once for each halt, not for the pause after it."""
    halt = watch.book.halts
    if halt.since is None or halt.told or not signs or signs == (halts.PAUSE,):
        return
    desk.store.commit([announce(desk, HeldHalted(symbol=watch.symbol, signs=signs, since=halt.since, at=at))])
    halt.told = True


def _signal(desk: TradingDesk, signal: Signal, quote: Sound) -> None:
    """Store the signal with the quote that it rests on, and promise it to the order function; once per slot."""
    row = outbox.promise(
        desk, name=signal.signal_id, topic="signals", key=signal.symbol, message=EnterPosition(signal=signal)
    )
    path = f"signals/{signal.signal_id}"
    try:
        desk.store.commit([create(path, signal), put(f"quotes/{signal.symbol}", quote), row])
    except Conflict:
        return
    desk.journal.line("signal", signal_id=signal.signal_id, symbol=signal.symbol, strategy=signal.strategy)
    outbox.publish(desk, row)


def _keep(desk: TradingDesk, memory: ScanMemory, minute: _Minute, *seen: Put) -> None:
    memory.save(desk, minute.session, minute.begins)
    memory.heed_all(minute.notes)
    receipt = {
        "session": minute.session.day.isoformat(),
        "minute": minute.begins.isoformat(),
        "configuration": desk.config_number,
        "symbols": {name: [line.row for line in lines] for name, lines in sorted(minute.notes.items())},
    }
    marks = [put(f"quotes/{symbol}", quote) for symbol, quote in sorted(minute.marks.items())]
    if minute.differ:
        closes = tuple(closes for _, closes in sorted(minute.differ.items()))
        marks.append(announce(desk, SourcesDiffer(closes=closes, session=minute.session.day, at=minute.begins)))
    desk.store.commit([*marks, *seen, Put(f"receipts/{minute.begins:%Y%m%dT%H%M}", receipt)])
    desk.journal.line(
        "minute_scanned", minute=minute.begins.isoformat(), ticks=minute.ticks, quotes=minute.quotes,
    )  # fmt: skip
