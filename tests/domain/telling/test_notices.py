"""Notices in words: every kind says what happened and what to do, and every event has its one name."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.domain.control.control import TradingState
from shared.domain.orders.orders import ARROWS, Order, State
from shared.domain.telling import sign_in_notices as sign_in
from shared.domain.telling.barred import ClockOff, EntriesBarred
from shared.domain.telling.doubted import HeldHalted
from shared.domain.telling.forged import OrderForged
from shared.domain.telling.hand_notices import OrderAmbiguous, OrderCameLate, SharesTaken
from shared.domain.telling.notice_words import words
from shared.domain.telling.notices import (
    FOREIGN,
    LONGEST_REASON,
    NOTICES,
    CancelUnconfirmed,
    DayResult,
    ExitRefused,
    ExitUnseen,
    ForeignOrder,
    HeldUnseen,
    MessageBuried,
    Notice,
    OrderUnknown,
    PositionUnprotected,
    ScanBlind,
    ScanSilent,
    StopRefused,
    TokenEnded,
    TradingHalted,
    TradingReduced,
    TradingResumed,
    event_of,
    kind_of,
    of_control,
    of_order,
)
from shared.domain.telling.row_notices import OwnRowOdd
from shared.domain.telling.sign_out import SignedOut
from shared.domain.telling.unseen import AnswerUnread, MessageRetried, StaysHeld
from tests.domain.barred import BARRED
from tests.domain.forged import FORGED
from tests.domain.hand_notices import HAND
from tests.domain.made import NOON, at, control, order
from tests.domain.row_notices import ROWS
from tests.domain.sign_out import SIGNED_OUT
from tests.domain.unseen import DAY, UNSEEN

SIGNED = "2.SIGNED"
EXAMPLES: tuple[tuple[Notice, str, str], ...] = (
    (
        sign_in.SignInNeeded(signed=SIGNED, minutes_to_open=60, occasion="2013-10-07:first", at=NOON),
        "Sign in to E*TRADE",
        (
            "Nothing can be traded or protected until you sign in, and the market opens in 60 minutes. "
            "Run `strategy login`, or open the link if you were sent one: it works once, and not for long."
        ),
    ),
    (
        sign_in.SignedIn(dies_at=at(870), at=NOON), "Signed in",
        (
            "The system is signed in to E*TRADE until 00:00 ET. "
            "If this was not you: `strategy halt`, `strategy logout`, and change your E*TRADE password."
        ),
    ),
    (
        sign_in.SignInFailed(why="the vault does not answer.", at=NOON),
        "Sign in again",
        (
            "The sign-in failed: no access token could be stored (the vault does not answer). "
            "Sign in again; until then nothing is traded."
        ),
    ),
    (
        TokenEnded(left_open=("position AIG", "order I7"), at=at(510)),
        "The day's sign-in has ended",
        (
            "The sign-in at E*TRADE was ended at 18:00 ET, and position AIG, order I7 stay as they are. "
            "Look at them on E*TRADE's own page: nothing manages them until you sign in again."
        ),
    ),
    *SIGNED_OUT,
    *FORGED,
    (
        sign_in.AccountRefused(endings=("1111", "2222"), at=NOON), "Another account was refused",
        (
            "A sign-in to E*TRADE was for other accounts than this system's (one that ends in 1111, one that ends in "
            "2222): its token was revoked. If this was not you, run `strategy login`, which ends every link; to trade "
            "another account, run `strategy login --change-account`."
        ),
    ),
    (
        sign_in.LinkUsed(link="ab", made_at=NOON, refused=False, at=NOON), "A sign-in was begun",
        (
            "A sign-in was begun with the link of 12:00 ET. "
            "If this was not you, run `strategy login`: signing in ends that link."
        ),
    ),
    (
        sign_in.SignInRefused(why="the link was used before", at=NOON), "A link was refused",
        (
            "A sign-in, or a halt by a link, was refused at 12:00 ET (the link was used before). "
            "If this was you, begin again with a new link; if not, somebody else has tried."
        ),
    ),
    (
        TradingHalted(
            exits_too=False, reason="the drawdown limit is reached.", by="order_settlement", epoch=4, at=NOON
        ),
        "Trading is HALTED",
        (
            "Nothing is bought, open buy orders are cancelled unless they fill first, stops stay and positions may "
            "still be sold; set by order settlement: the drawdown limit is reached. Find the cause before you resume; "
            "nothing resumes by itself."
        ),
    ),
    (
        TradingReduced(reason="the daily limit is reached", by="order_settlement", epoch=5, at=NOON),
        "Trading is REDUCE_ONLY",
        (
            "Nothing new is bought, open positions are managed until closed; set by order settlement: "
            "the daily limit is reached. Find the cause before you resume; nothing resumes by itself."
        ),
    ),
    (
        TradingResumed(reason="looked at", by="owner", epoch=6, at=NOON), "Trading is ACTIVE",
        "Purchases are allowed again; set by owner: looked at. If this was not you, halt trading.",
    ),
    (
        OrderUnknown(intent_id="I1", symbol="IBM", side="BUY", quantity=10, at=NOON), "Order unknown: IBM",
        (
            "The order BUY 10 IBM (I1) was sent and not answered: E*TRADE may or may not have it. "
            "It is not sent again, and is looked for in each order list; do nothing unless you are asked."
        ),
    ),
    (
        PositionUnprotected(position_id="P1", symbol="IBM", quantity=1, since=NOON - timedelta(seconds=75), at=NOON),
        "No stop: IBM",
        (
            "For 75 s no stop at E*TRADE has covered the whole position of 1 share of IBM. "
            "The system goes on asking for one; place a stop or sell on E*TRADE's own page if it stays so."
        ),
    ),
    (
        ExitUnseen(
            position_id="P1", symbol="IBM", quantity=98, reason="flatten", why="orders: 500", since=at(375), at=at(376)
        ),
        "Not sold: IBM",
        (
            "98 shares of IBM should be sold since 15:45 ET (end-of-day exit), but E*TRADE does not show our orders "
            "(orders: 500), so the stop was not cancelled. "
            "The system goes on trying; to sell at once, cancel the stop in E*TRADE's app and sell there."
        ),
    ),
    (
        CancelUnconfirmed(
            intent_id="I1", symbol="IBM", quantity=98, order_id=502, why="E*TRADE still shows it", at=at(376)
        ),
        "Perhaps no stop: IBM",
        (
            "The cancel of order 502 over 98 shares of IBM is not confirmed (E*TRADE still shows it); until it is, "
            "nothing is sold and no other stop is placed. "
            "Look for order 502 in E*TRADE's app: cancel it if it is open, and the system goes on; if it is gone and "
            "nothing follows, sell the shares there."
        ),
    ),
    (
        StopRefused(
            position_id="P1", symbol="IBM", quantity=98, why="not enough shares (1037)", since=at(375), at=at(376)
        ),
        "Stop refused: IBM",
        (
            "E*TRADE refuses a stop over 98 shares of IBM since 15:45 ET: not enough shares (1037). "
            "It is asked again, each minute at least while the market is open; if other sell orders in this symbol are "
            "open in E*TRADE's app, cancel those that are yours."
        ),
    ),
    (
        ExitRefused(position_id="P1", symbol="IBM", quantity=98, why="restricted (1036)", since=NOON, at=at(376)),
        "Sale refused: IBM",
        (
            "E*TRADE refused to sell 98 shares of IBM: restricted (1036). "
            "A stop is put back and the sale is tried again soon; look at the symbol and the account in E*TRADE's app."
        ),
    ),
    (
        ForeignOrder(symbol="IBM", session=DAY, at=NOON), "An order that is not ours: IBM",
        (
            "The account has an order of today in IBM that this system did not place. "
            "The system does not buy this symbol today; nothing is to be done if the order is yours."
        ),
    ),
    (
        ScanSilent(since=NOON - timedelta(minutes=6), at=NOON), "The market is not being watched",
        (
            "The symbols have not been looked at since 11:54 ET, 6 minutes ago. Stops at E*TRADE stay in force, but "
            "nothing else is sold: see what `strategy status` says of the function market_scan, and its log."
        ),
    ),
    (
        ScanBlind(faults=("DELAYED", "STALE"), held=("AIG", "IBM"), since=NOON - timedelta(minutes=6), at=NOON),
        "No quote can be used",
        (
            "Not one quote could be used since 11:54 ET, 6 minutes ago (the quote was delayed: real-time quotes need "
            "the agreement on E*TRADE's page, the quote was too old), also none of what is held: AIG, IBM. "
            "Stops at E*TRADE stay in force, nothing is bought and nothing else is sold: "
            "sign E*TRADE's agreement on real-time quotes for this account."
        ),
    ),
    (
        HeldUnseen(symbol="IBM", faults=("STALE",), since=NOON - timedelta(minutes=6), at=NOON),
        "No quote can be used: IBM",
        (
            "IBM is held and not one quote of it could be used since 11:54 ET, 6 minutes ago (the quote was too "
            "old). A stop at E*TRADE stays in force, but nothing else sells it: see whether its trading is halted, "
            "and sell on E*TRADE's own page if you want it sold."
        ),
    ),
    (
        MessageBuried(function="market_scan", reason="Malformed", letter="0a", at=NOON),
        "A message could not be handled",
        (
            "The function market scan got a message that it cannot handle (its content cannot be read) and set it "
            "aside. "
            "It is not tried again: see `strategy dead-letters`, where it is market_scan:0a."
        ),
    ),
    *HAND,
    *ROWS,
    *BARRED,
    *UNSEEN,
    (
        DayResult(
            session=DAY, realized=Decimal("-1059.71"), orders=14, fills=1, open_positions=("AIG", "IBM"), live_orders=1,
            at=NOON,
        ),
        "2013-10-07: -$1,059.71",
        (
            "The session ended with -$1,059.71 realised, 14 orders and 1 fill; the system still holds AIG, IBM "
            "and has 1 open order. Look at what is left on E*TRADE's own page."
        ),
    ),
)  # fmt: skip
NEVER_HELD_BACK = {
    OrderForged, PositionUnprotected, sign_in.AccountRefused, sign_in.SignInFailed,
    sign_in.SignInNeeded, TradingHalted, TradingReduced, TradingResumed, OrderUnknown, OrderAmbiguous, OrderCameLate,
    ScanSilent, HeldUnseen, SharesTaken, ExitUnseen, CancelUnconfirmed, StopRefused, ExitRefused,
    HeldHalted, AnswerUnread, StaysHeld, MessageRetried,
}  # fmt: skip


@pytest.mark.parametrize(("notice", "title", "text"), EXAMPLES, ids=lambda value: type(value).__name__)
def test_each_kind_is_said_in_words(notice: Notice, title: str, text: str) -> None:
    """A notice reads exactly as written here: a title, one sentence that says what happened, and what to do."""
    said = words(notice)
    assert (said.title, said.text) == (title, text)
    for part in (said.sentence, said.advice):
        assert part.endswith(".")
        assert ". " not in part
    assert SIGNED not in repr(said)


def test_every_kind_has_an_example() -> None:
    """The examples of this file are of every kind, and what needs a person at once is never held back."""
    assert {type(notice) for notice, _, _ in EXAMPLES} == set(NOTICES.values())
    urgent = {type(notice) for notice, _, _ in EXAMPLES if words(notice).urgent}
    assert urgent == {*NEVER_HELD_BACK, ClockOff, DayResult, EntriesBarred, OwnRowOdd, ScanBlind, SignedOut, TokenEnded}


def test_a_result_says_which_shares_it_leaves_out() -> None:
    """A result without the shares that were taken out at an unknown price says how many they are."""
    result = DayResult(
        session=DAY, realized=Decimal(5), orders=2, fills=1, open_positions=(), live_orders=0, at=NOON, unpriced=99
    )
    assert words(result).text == (
        "The session ended with +$5.00 realised, not counting 99 shares taken out by hand at a price that is not "
        "known, 2 orders and 1 fill; the system holds nothing. Nothing to do."
    )


def test_a_quiet_day_is_not_urgent() -> None:
    """The result of a day that left nothing behind needs nothing done."""
    quiet = DayResult(
        session=DAY, realized=Decimal("392.26"), orders=93, fills=51, open_positions=(), live_orders=0, at=NOON
    )
    said = words(quiet)
    assert not said.urgent
    assert said.text == (
        "The session ended with +$392.26 realised, 93 orders and 51 fills; the system holds nothing. Nothing to do."
    )


def test_an_evening_with_nothing_open_is_not_urgent() -> None:
    """A token that ended with its day while nothing is open needs nothing done."""
    said = words(TokenEnded(left_open=(), at=at(510)))
    assert not said.urgent
    assert said.text == (
        "The sign-in at E*TRADE was ended at 18:00 ET, and nothing is left open. Nothing to do before the next sign-in."
    )


@pytest.mark.parametrize(
    ("faults", "cure"),
    [
        (("STALE", "DELAYED"), "sign E*TRADE's agreement on real-time quotes for this account."),
        (("FUTURE",), "correct the clock of the machine: it is slow."),
        (("STALE",), "if the market is not halted, correct the clock of the machine: it is fast."),
        (("NotSent",), "look at E*TRADE's own page, and at the log of the function market_scan."),
    ],
)
def test_a_blind_scan_says_what_to_do(faults: tuple[str, ...], cure: str) -> None:
    """The advice is about the fault that explains the others, and with nothing held it is not urgent."""
    said = words(ScanBlind(faults=faults, held=(), since=NOON - timedelta(minutes=5), at=NOON))
    assert said.advice.endswith(cure)
    assert not said.urgent


def test_a_sign_in_without_a_link_says_so() -> None:
    """Where no sign-in page is set the advice names no link, and a signed part never shows in a repr."""
    notice = sign_in.SignInNeeded(signed="", minutes_to_open=1, occasion="x", at=NOON)
    assert words(notice).text.endswith("opens in 1 minute. Run `strategy login`.")
    signed = replace(notice, signed=SIGNED)
    assert SIGNED not in repr(signed) + repr(words(signed))


@pytest.mark.parametrize("minutes", [0, -5])
def test_a_sign_in_after_the_open_says_so(minutes: int) -> None:
    """When the market is open already, the sentence says that and no number of minutes."""
    said = words(sign_in.SignInNeeded(signed=SIGNED, minutes_to_open=minutes, occasion="x", at=NOON))
    assert said.sentence.endswith("and the market is open.")


def test_a_reason_of_any_length_stays_readable() -> None:
    """A reason that comes from an error is cut, so that its message fits the bus and its text a phone."""
    notice = of_control(replace(control(TradingState.HALTED), reason="x" * 50_000))
    assert len(notice.reason) == LONGEST_REASON
    assert len(words(notice).text) < 500


def test_events_have_names_of_their_own() -> None:
    """Each event's name begins with its kind, can stand in a document's path, and differs from every other's."""
    events = [event_of(notice) for notice, _, _ in EXAMPLES]
    assert len(set(events)) == len(events)
    for notice, _, _ in EXAMPLES:
        assert event_of(notice).startswith(f"{kind_of(notice)}:")
        assert re.fullmatch(r"[!-.0-~]{1,300}", event_of(notice))


def test_one_event_keeps_its_name() -> None:
    """What is noticed again a minute later has the same name, and what happened again has another."""
    naked = PositionUnprotected(position_id="P1", symbol="IBM", quantity=1, since=NOON, at=at(151))
    assert event_of(naked) == event_of(replace(naked, at=at(152), quantity=2))
    assert event_of(naked) != event_of(replace(naked, since=at(151)))
    silent = ScanSilent(since=NOON, at=at(156))
    assert event_of(silent) == event_of(replace(silent, at=at(157)))
    halted = of_control(control(TradingState.HALTED))
    assert event_of(halted) != event_of(of_control(replace(control(TradingState.HALTED), epoch=2)))


def test_each_trading_state_has_its_notice() -> None:
    """A trading state that was set is told with its reason, its author and its number."""
    kinds = {
        TradingState.ACTIVE: TradingResumed, TradingState.REDUCE_ONLY: TradingReduced,
        TradingState.HALTED: TradingHalted,
    }  # fmt: skip
    for state in TradingState:
        notice = of_control(control(state))
        assert type(notice) is kinds[state]
        assert (notice.reason, notice.by, notice.epoch) == ("test", "owner", 1)
    blocked = of_control(control(TradingState.HALTED, exits_too=True))
    assert words(blocked).text == (
        "Nothing is bought, open buy orders are cancelled unless they fill first, and no sale is decided any more: "
        "only stops, and sells that E*TRADE has already, may still sell; set by owner: test. What is held stays held, "
        "overnight too, until you resume or sell it on E*TRADE's own page; nothing resumes by itself."
    )


def _arrows() -> list[tuple[Order, Order]]:
    return [(order(state=one), order(state=two)) for one, ends in ARROWS.items() for two in ends]


def test_few_arrows_are_told() -> None:
    """Of all arrows only those into UNKNOWN and into MANUAL are told, each once, and a denial for a foreign order."""
    told = {(one.state, two.state): type(of_order(one, two)) for one, two in _arrows() if of_order(one, two)}
    assert told == {
        (State.PLACING, State.UNKNOWN): OrderUnknown, (State.UNKNOWN, State.MANUAL): OrderAmbiguous,
        (State.MANUAL, State.MANUAL): OrderAmbiguous, (State.NOT_PLACED, State.MANUAL): OrderAmbiguous,
    }  # fmt: skip
    denied = order(state=State.DENIED, codes=("R01_LATE", FOREIGN))
    assert of_order(order(), denied) == ForeignOrder(symbol="IBM", session=DAY, at=NOON)
    assert of_order(order(), replace(denied, codes=("R01_LATE",))) is None
    odd = order(unread=("status",))
    assert isinstance(of_order(order(), odd), OwnRowOdd)
    assert of_order(odd, odd) is None
