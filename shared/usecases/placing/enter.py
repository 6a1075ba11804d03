"""Turn a signal into at most one entry order: intent, facts, size, risk, reservation, and then `send`.

What can go wrong: the signal is forged or altered; it comes again while it is being worked on; two signals compete for
the same cash or symbol; it waited too long in the queue; the ledger of some session cannot be read, so that nobody
knows what was lost so far. What this promises: one intent per signal id, whatever is delivered; every risk rule
evaluated on facts read now, not on the message; reservation, lock and approval in one commit that fails if the trading
state or the ledger changed meanwhile (order-safety.md 1.3, 3); without every ledger nothing is entered, and the owner
is told which cannot be read.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared.codec import dumps, encode
from shared.domain.broker.brokerage import AccountRecord
from shared.domain.broker.skew import Off
from shared.domain.orders import book
from shared.domain.orders.made import entry_of
from shared.domain.orders.orders import UNSENT, Order, State
from shared.domain.orders.positions import Ledger
from shared.domain.orders.signals import Signal
from shared.domain.risk.account_rules import ACCOUNT_RULES, because, may_be_wash_sale
from shared.domain.risk.entries import Denial, judged
from shared.domain.risk.facts import RiskFacts
from shared.domain.telling.barred import CONFIGURATION_UNREAD, LEDGER_UNREADABLE, EntriesBarred
from shared.domain.telling.barred_words import seconds
from shared.domain.telling.messages import EnterPosition
from shared.domain.telling.unseen import EntryNotJudged
from shared.errors import AuthError, Conflict, KeyRefused, Malformed, Refused
from shared.frozen import frozen
from shared.ports import Check, Create, Put, Severity
from shared.usecases.base.desk import TRIES, Held, create, held_rows, read
from shared.usecases.base.reads import RENEW, unread
from shared.usecases.base.trading import TradingDesk
from shared.usecases.control import control
from shared.usecases.control.clock_off import CLOCK_SKEW, clock_off
from shared.usecases.orders import account
from shared.usecases.orders.moves import begin, held_order, ledger_path, lock_path, move
from shared.usecases.orders.odd_rows import tell_orders
from shared.usecases.orders.send import send
from shared.usecases.placing.appraise import Seen, ask_broker, ask_means, foreign, gather
from shared.usecases.telling.notices import announce

_FILL_MAY_LACK = timedelta(seconds=15)
"""How long after a fill was booked a list of some seconds ago may lack it, which a count of day trades must not."""
_OF_HOLDINGS = frozenset({"LEDGER_MISMATCH", "SYMBOL_HELD_BY_OWNER"})


@frozen
class _Written:
    """What we wrote: the session's ledger as it was read, those of sessions before, oldest first, and the account."""

    today: Held[Ledger]
    earlier: Sequence[Ledger]
    account: AccountRecord


def enter(desk: TradingDesk, message: EnterPosition, *, ahead: int) -> None:
    """Work one signal; `ahead` is how many intents were in the queue before it, for the journal.

    One that `waited_too_long` asks the broker nothing. Raises Malformed for a signal that the scan did not write,
    BrokerError or StoreError where it has to come again.
    """
    signal = _genuine(desk, message.signal)
    held = _intent(desk, signal)
    if held.value.state not in UNSENT:
        return
    if waited_too_long(desk, signal):
        told = _unjudged(desk, held.value, signal)
        move(desk, held, State.VOIDED, *told, cause="the signal waited too long", codes=("SIGNAL_STALE",))
        return
    if not desk.config_known:
        why, now = "configs/current", desk.clock.now()
        barred = EntriesBarred(code=CONFIGURATION_UNREAD, why=why, session=signal.session, at=now)
        told = [announce(desk, barred)]
        if held.value.state is State.NEW:
            _deny(desk, held, [CONFIGURATION_UNREAD], told)
        else:
            move(desk, held, State.VOIDED, *told, cause="the limits are not known", codes=(CONFIGURATION_UNREAD,))
        return
    try:
        record = account.ours(desk, signal.session)
        seen = None
        if held.value.state is State.NEW:
            held, seen = _judge(desk, held, signal, record)
    except KeyRefused:
        raise
    except Refused:  # it does not come again
        if told := _unjudged(desk, held.value, signal):
            desk.store.commit(told)
        raise
    except AuthError as problem:
        move(
            desk,
            held,
            State.VOIDED,
            cause=f"no access token: {type(problem).__name__}",
            codes=("TOKEN_DEAD",),
        )
        return
    listing, quote = (None, None) if seen is None else (seen.listing, seen.quote)
    held = send(
        desk, held, account_key=record.value.key, expires_at=_expires_at(desk, signal), listing=listing, quote=quote
    )  # fmt: skip
    desk.journal.line("entry", intent_id=held.value.intent_id, state=held.value.state, ahead=ahead)
    tell_orders(desk, listing or (), session=signal.session)


def waited_too_long(desk: TradingDesk, signal: Signal) -> bool:
    """Tell whether a signal is past its life: it is voided, and needs no turn for that."""
    return desk.clock.now() > _expires_at(desk, signal)


def _unjudged(desk: TradingDesk, order: Order, signal: Signal) -> list[Put]:
    """Promise to tell that an entry was never judged, when that is because we could not read an answer."""
    if order.state is not State.NEW:
        return []
    mine = [note for note in unread(desk) if note.actor == desk.actor and note.last_at >= signal.decided_at - RENEW]
    if not mine:
        return []
    note = max(mine, key=lambda one: one.last_at)
    notice = EntryNotJudged(
        session=signal.session, symbol=signal.symbol, what=note.what, why=note.why, at=desk.clock.now()
    )
    return [announce(desk, notice)]


def _expires_at(desk: TradingDesk, signal: Signal) -> datetime:
    return signal.decided_at + timedelta(seconds=desk.config.entry.signal_age_max_s)


def _genuine(desk: TradingDesk, claimed: Signal) -> Signal:
    """Give the store's own copy of a signal; a message that differs from it is refused and reported."""
    held = read(desk.store, Signal, f"signals/{claimed.signal_id}")
    if held is None or held.value != claimed:
        desk.journal.line("forged_signal", Severity.CRITICAL, signal_id=claimed.signal_id, known=held is not None)
        raise Malformed(f"signal {claimed.signal_id} is not as the scan wrote it")
    return held.value


def _intent(desk: TradingDesk, signal: Signal) -> Held[Order]:
    """Write the signal's intent down; a signal that came before has one, and that is the one."""
    order = entry_of(
        signal, venue=desk.mandate.venue, now=desk.clock.now(), number=desk.config_number,
        payload=dumps(encode(signal)).decode(),
    )  # fmt: skip
    try:
        return begin(desk, order, cause=f"signal {signal.signal_id}")
    except Conflict:
        held = held_order(desk, order.intent_id)
        if held is None:
            raise
        return held


def _judge(desk: TradingDesk, held: Held[Order], signal: Signal, ours: Held[AccountRecord]) -> tuple[Held[Order], Seen]:
    """Size and judge a NEW intent: RESERVED, or DENIED with every code.

    The broker is asked once, our book at every try: a fill that is booked meanwhile makes the ledger a newer one, and
    then holdings and balance are asked for again where they cannot know of it and that decides.
    """
    seen = ask_broker(desk, signal, ours.value)
    record = account.counted(desk, ours, seen.means.balance).value
    for _ in range(TRIES):
        written = _written(desk, signal, record)
        if isinstance(written, Put):
            return _deny(desk, held, [LEDGER_UNREADABLE], [written]), seen
        filled_at = written.today.value.last_fill_at
        if filled_at is not None and seen.means.balance.at < filled_at:
            seen = replace(seen, means=ask_means(desk, record))
        if record.day_trades is not None and filled_at is not None and desk.clock.now() - filled_at < _FILL_MAY_LACK:
            seen = replace(seen, listing=desk.lists.fresh(record.key, since=signal.session))
        with contextlib.suppress(Conflict):
            judged = _reserve(desk, held, signal, seen, written)
            if judged is not None:
                return judged, seen
            seen = replace(seen, means=ask_means(desk, record))
    raise Conflict(f"the ledger of {signal.session} keeps changing")


def _reserve(desk: TradingDesk, held: Held[Order], signal: Signal, seen: Seen, written: _Written) -> Held[Order] | None:
    """Reserve or deny; None when nothing but holdings from before our last fill would deny."""
    state, ledger = control.current(desk), written.today
    facts = gather(
        desk, signal, seen, ledger=ledger.value, earlier=written.earlier, control=state.value, record=written.account
    )
    barred = [code for code, rule in ACCOUNT_RULES.items() if rule(facts, desk.config)]
    told = [_told(desk, facts, signal, code) for code in barred]
    against = (*foreign(desk, signal.symbol, seen.listing), *barred)
    found = judged(facts, against, votes=len(signal.votes), config=desk.config)
    if isinstance(found, Denial):
        filled_at = ledger.value.last_fill_at
        overtaken = filled_at is not None and seen.means.asked_at <= filled_at
        if overtaken and _OF_HOLDINGS.issuperset(found.codes):
            return None
        note = found.note
        if CLOCK_SKEW in found.codes and (off := clock_off(desk, signal.session, facts.clock_ahead)) is not None:
            note += f" Our clock is {off.why}: from {seconds(Off.NO_ENTRIES)} on nothing is entered."
            told = [*told, announce(desk, off)]
        return _deny(desk, held, found.codes, told, note)
    return move(
        desk, held, State.RESERVED, ledger.update(book.reserved(ledger.value, found.cost)),
        Create(lock_path(signal.symbol), {"intent_id": held.value.intent_id}), Check(state.path, state.version),
        cause="every rule approves", quantity=found.shares, limit_price=found.limit, reserved=found.cost,
        spread=found.spread, sized=found.sized,
        possible_wash_sale=may_be_wash_sale(lost_at=facts.lost_at, now=facts.now),
    )  # fmt: skip


def _told(desk: TradingDesk, facts: RiskFacts, signal: Signal, code: str) -> Put:
    """Give the write that tells of a rule of the account: once a session, however many entries it denies."""
    notice = EntriesBarred(code=code, why=because(code, facts), session=signal.session, at=facts.now)
    return announce(desk, notice)


def _written(desk: TradingDesk, signal: Signal, record: AccountRecord) -> _Written | Put:
    """Read all ledgers at once; the first entry of a session opens its own.

    Gives the write that tells the owner where one cannot be read, whichever: the drawdown limit needs them all.
    """
    path = ledger_path(signal.session)
    rows = desk.store.query("ledger")
    found = {row.path: row for row in held_rows(desk, Ledger, rows)}
    damaged = [row.path for row in rows if row.path not in found]
    if damaged:
        why, now = ", ".join(damaged), desk.clock.now()
        return announce(desk, EntriesBarred(code=LEDGER_UNREADABLE, why=why, session=signal.session, at=now))
    earlier = [one.value for one in found.values() if one.value.session < signal.session]
    earlier.sort(key=lambda past: past.session)
    today = found.get(path)
    if today is None:
        first = Ledger(session=signal.session)
        today = Held(path=path, value=first, version=desk.store.commit([create(path, first)])[0])
    return _Written(today=today, earlier=earlier, account=record)


def _deny(
    desk: TradingDesk, held: Held[Order], codes: Sequence[str], told: Sequence[Put], note: str = ""
) -> Held[Order]:
    names = tuple(dict.fromkeys(codes))
    return move(desk, held, State.DENIED, *told, cause="denied: " + ", ".join(names), codes=names, note=note)
