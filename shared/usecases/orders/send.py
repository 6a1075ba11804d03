"""Place once: preview, check for the last time, write the licence ahead, send, write the outcome.

What can go wrong: the process dies, freezes or is doubled between any two lines; the broker answers late, wrongly or
not at all; the owner halts trading in between; the document is not one that we approved. What this promises: whatever
document it is given, nothing beyond the owner's limits is sent (`shared.domain.risk.last_check`): it is judged before
anything is asked, and again on book and market just before the licence. At most one POST for an intent, ever. Only the
commit of PLACING licenses a POST; only the invocation that wrote the nonce may use it; only before its deadline, which
the client reads again after it waited for its turn; whatever finds PLACING and is not its holder leaves it alone.
An entry goes to the account that is the chosen one now; a sell, to the one whose shares it sells.
An answer that is not surely a yes or surely a no is UNKNOWN, and the order list decides (order-safety.md 1.3-1.6).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import assert_never

from shared.domain.base.values import Side, Term
from shared.domain.broker.brokerage import BrokerOrder
from shared.domain.broker.outcomes import Accepted, NeverSent, Previewed, Rejected, UnknownOutcome
from shared.domain.control.control import Control, TradingState
from shared.domain.market.halts import HALTED
from shared.domain.market.quotes import Quote
from shared.domain.orders.orders import (
    LONGEST_LIFE,
    PLACING_LIFE,
    PREVIEW_USABLE,
    STOPS,
    Kind,
    Licence,
    Order,
    PreviewRecord,
    State,
)
from shared.domain.risk import denials
from shared.domain.risk.last_check import Found
from shared.errors import AuthError, BrokerError, KeyRefused, StoreDown
from shared.ports import Check, Severity
from shared.usecases.base.desk import Held
from shared.usecases.base.trading import TradingDesk
from shared.usecases.control import control
from shared.usecases.orders import account
from shared.usecases.orders.claims import claim
from shared.usecases.orders.last_check import check, check_document, refuse
from shared.usecases.orders.moves import held_order, move

PREVIEW_AGAIN = timedelta(seconds=90)
MOST_PREVIEWS = 3
COST_TOLERANCE = Decimal("1.01")
WASH_SALE, TRADING_HALTED = "7084", "1043"
"""E*TRADE's messages beside a preview: a possible wash sale; trading in it is halted (etrade-api.md 4.14)."""
LONGEST_NOTE = 300
# Refusals that have nothing to do with IMMEDIATE_OR_CANCEL (etrade-api.md 4.14): funds, shares, account.
_NOT_THE_TERM = frozenset({"33", "100", "102", "1021", "1036", "1037", "3010"})


def send(
    desk: TradingDesk,
    held: Held[Order],
    *,
    account_key: str,
    expires_at: datetime | None,
    listing: Sequence[BrokerOrder] | None,
    quote: Quote | None = None,
) -> Held[Order]:
    """Take a RESERVED or PREVIEWED order to the broker, at most once, and give it as it then stands.

    `listing` is a complete order list read within the last seconds, or None to have one read; `expires_at` is when
    the decision behind the order is too old. An entry is not sent without a list. A sell is, with an empty baseline:
    then a twin of it could only be an order of the owner of the last seconds over shares that ours hold already.
    `quote` is one that the caller asked the broker for itself; an entry without a new one has it asked for. Raises
    BrokerError or StoreError where the message has to come again.
    """
    if held.value.state not in (State.RESERVED, State.PREVIEWED):
        return held
    if held.value.venue is not desk.mandate.venue:
        return move(desk, held, State.VOIDED, cause=f"it was made for {held.value.venue}", codes=("OTHER_VENUE",))
    found = check_document(desk, held.value)
    if found.refused:
        return refuse(desk, held, found)
    if listing is None:
        listing = _baseline(desk, held.value, account_key)
    try:
        held = _preview(desk, held, account_key)
        if held.value.state is not State.PREVIEWED:
            return held
        life = _life(held.value, desk.clock.now())
        if held.value.side is Side.BUY and account.ours(desk, held.value.session).value.key != account_key:
            return move(desk, held, State.VOIDED, cause="another account was chosen", codes=("OTHER_ACCOUNT",))
        found = check(desk, held.value, quote)
    except KeyRefused:
        raise
    except AuthError:
        return move(desk, held, State.VOIDED, cause="the access token is not accepted", codes=("TOKEN_DEAD",))
    if found.refused:
        return refuse(desk, held, found)
    baseline = tuple(seen.order_id for seen in listing if seen.order_id is not None)
    held = _license(desk, held, found, life=life, expires_at=expires_at, baseline=baseline)
    if held.value.state is not State.PLACING:
        return held
    return _post(desk, held, account_key)


def _baseline(desk: TradingDesk, order: Order, account_key: str) -> Sequence[BrokerOrder]:
    try:
        return desk.lists.fresh(account_key, since=order.session)
    except BrokerError as problem:
        if order.side is Side.BUY:
            raise
        desk.journal.line("no_baseline", Severity.WARNING, intent_id=order.intent_id, detail=problem.detail)
        return ()


def void_reason(order: Order, state: Control | None, *, now: datetime, expires_at: datetime | None) -> str | None:
    """Say why an order may no longer be sent, or None."""
    if expires_at is not None and now > expires_at:
        return "SIGNAL_STALE"
    if state is None:
        return None
    if order.kind is Kind.ENTRY and state.state is not TradingState.ACTIVE:
        return "KILL_SWITCH"
    if order.kind is Kind.EXIT and state.state is TradingState.HALTED and state.exits_too:
        return "KILL_SWITCH"
    return None


def _preview(desk: TradingDesk, held: Held[Order], account_key: str) -> Held[Order]:
    order = held.value
    attempt = 1
    if order.preview is not None:
        if desk.clock.now() - order.preview.at < PREVIEW_AGAIN:
            return held
        attempt = order.preview.attempt + 1
        if attempt > MOST_PREVIEWS:
            return move(desk, held, State.VOIDED, cause="previewed too often", codes=("PREVIEW_STALE",))
    answer = desk.broker.preview(account_key, order.ticket)
    if isinstance(answer, Rejected) and order.term is Term.IMMEDIATE_OR_CANCEL and answer.code not in _NOT_THE_TERM:
        order = replace(order, term=Term.GOOD_FOR_DAY)
        answer = desk.broker.preview(account_key, order.ticket)
    match answer:
        case Rejected():
            # A sell of what is not held is refused by the broker, too: it must not end as if it were ours.
            if order.kind is not Kind.ENTRY and (found := check(desk, order, None)).refused:
                return refuse(desk, held, found)
            return move(
                desk, held, State.REJECTED, *account.barred(desk, order, answer.code),
                cause=f"the broker refused the preview: {answer.message}", codes=(f"preview:{answer.code}",),
                note=answer.message[:LONGEST_NOTE],
            )  # fmt: skip
        case Previewed():
            pass
        case _:
            assert_never(answer)
    restricted = account.barred(desk, order, *answer.codes)
    if order.side is Side.BUY and restricted:
        return move(desk, held, State.DENIED, *restricted, cause="the account is restricted", codes=(account.BARRED,))
    if order.side is Side.BUY and TRADING_HALTED in answer.codes:
        return move(desk, held, State.DENIED, cause="the broker says that trading is halted", codes=(HALTED,))
    if order.side is Side.BUY and answer.estimated_total > order.reserved * COST_TOLERANCE:
        return move(
            desk,
            held,
            State.DENIED,
            cause="the preview costs more than reserved",
            codes=("R33_PREVIEW_MISMATCH",),
        )
    record = PreviewRecord(
        preview_ids=answer.preview_ids, at=desk.clock.now(), request_hash=order.request_hash,
        estimated_total=answer.estimated_total, attempt=attempt,
    )  # fmt: skip
    wash = order.possible_wash_sale or (order.side is Side.BUY and WASH_SALE in answer.codes)
    return move(
        desk, held, State.PREVIEWED, *restricted, cause="the broker would take it", preview=record, term=order.term,
        possible_wash_sale=wash,
    )  # fmt: skip


def _license(
    desk: TradingDesk, held: Held[Order], found: Found, *, life: timedelta, expires_at: datetime | None,
    baseline: tuple[int, ...],
) -> Held[Order]:  # fmt: skip
    state = _state(desk, held.value.kind)
    now = desk.clock.now()
    # What a slow store costs is not the decision's age: its stop is gone, and to decide anew takes as long again.
    latest = None if expires_at is None else expires_at + 2 * (life - PLACING_LIFE)
    why = void_reason(held.value, state.value if state is not None else None, now=now, expires_at=latest)
    preview = held.value.preview
    if preview is None or preview.request_hash != held.value.request_hash or now - preview.at > PREVIEW_USABLE:
        why = why or "PREVIEW_STALE"
    codes = found.void if why is None else (why,)
    if codes:
        halted = denials.halted(state.value) if why == "KILL_SWITCH" and state is not None else ""
        note = found.note if why is None else halted and f"{halted}."
        return move(desk, held, State.VOIDED, cause="not sent: " + ", ".join(codes), codes=codes, note=note)
    licence = Licence(
        nonce=desk.chance.token(16), signed_at=now, deadline=now + life, baseline=baseline,
        epoch=0 if state is None else state.value.epoch,
    )  # fmt: skip
    unchanged = () if state is None else (Check(state.path, state.version),)
    try:
        return move(desk, held, State.PLACING, *unchanged, cause="licence to send once", licence=licence)
    except StoreDown:
        again = held_order(desk, held.value.intent_id)
        if again is None or again.value.licence != licence or again.value.state is not State.PLACING:
            raise
        return again


def _state(desk: TradingDesk, kind: Kind) -> Held[Control] | None:
    """Give the trading state that a licence rests on; a stop is sent in every one, and must not leave shares bare."""
    if kind in STOPS:
        return None
    return control.for_exits(desk) if kind is Kind.EXIT else control.current(desk)


def _life(order: Order, now: datetime) -> timedelta:
    """Say how long a licence to send lives: a sell's six times as long as writing down its preview took.

    With a slow store the commit of the licence and that of its turn would outlast any other, and no share be sold.
    """
    if order.side is Side.BUY or order.preview is None:
        return PLACING_LIFE
    return min(max(6 * (now - order.preview.at), PLACING_LIFE), LONGEST_LIFE)


def _wakes(order: Order) -> bool:
    """Tell whether settlement has to be woken: stops are its own."""
    return order.kind in (Kind.ENTRY, Kind.EXIT)


def _post(desk: TradingDesk, held: Held[Order], account_key: str) -> Held[Order]:
    order = held.value
    if order.licence is None or order.preview is None or desk.clock.now() >= order.licence.deadline:
        return move(desk, held, State.VOIDED, cause="the deadline passed before it was sent", codes=("UNSENT",))
    answer = desk.broker.place(account_key, order.ticket, order.preview.preview_ids, deadline=order.licence.deadline)
    match answer:
        case Accepted():
            return move(
                desk, held, State.WORKING, claim(order, answer.order_id), cause="the broker has it",
                announce=_wakes(order), broker_order_id=answer.order_id, placed_at=answer.at,
            )  # fmt: skip
        case Rejected():
            cause = f"the broker rejected it: {answer.message}"
            codes = (f"place:{answer.code}",)
            return move(desk, held, State.REJECTED, cause=cause, codes=codes, note=answer.message[:LONGEST_NOTE])
        case NeverSent():
            return move(desk, held, State.VOIDED, cause=f"never sent: {answer.why}", codes=("UNSENT",))
        case UnknownOutcome():
            desk.journal.line("order_unknown", Severity.ERROR, intent_id=order.intent_id, why=answer.why)
            return move(
                desk, held, State.UNKNOWN, *account.barred(desk, order, answer.code),
                cause=f"sent, answer unknown: {answer.why}", announce=_wakes(order),
            )  # fmt: skip
        case _:
            assert_never(answer)
