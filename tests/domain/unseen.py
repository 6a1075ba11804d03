"""Examples of the notices about what cannot be seen or believed: each with its title and its text."""

from datetime import date, timedelta

from shared.domain.broker.reads import Answer
from shared.domain.telling.doubted import HeldHalted, SourcesDiffer
from shared.domain.telling.left_out import LeftOut, StrategyLeftOut
from shared.domain.telling.recording import RecordingEnded
from shared.domain.telling.unseen import AnswerUnread, EntryNotJudged, MessageRetried, PricesElsewhere, StaysHeld
from tests.domain.made import NOON, at

DAY = date(2013, 10, 7)
UNSEEN = (
    (
        HeldHalted(symbol="IBM", signs=("QUOTE_FROZEN", "NO_TRADES"), since=NOON - timedelta(minutes=4), at=NOON),
        "Trading looks halted: IBM",
        (
            "IBM is held, and since 11:56 ET its quotes look as if its trading were halted (bid and ask stand still, "
            "the last trade is long ago). Its stop at E*TRADE stays, and nothing of it is bought until some minutes "
            "after it moves again: look "
            "for news of a halt, after which a stop can sell far below its level."
        ),
    ),
    (
        RecordingEnded(why="looks takes no more: No space left on device.", session=DAY, at=NOON),
        "The recording of the day ended",
        (
            "Nothing more of the session of 2013-10-07 is recorded: looks takes no more: No space left on device. "
            "Trading goes on as before, and what was recorded until then can be read: make room, and it goes on in "
            "another minute."
        ),
    ),
    (
        SourcesDiffer(closes=("IBM 99, within 2 % of 49.5 is asked",), session=DAY, at=NOON),
        "Previous closes that disagree",
        (
            "The close of the session before differs between E*TRADE and the stored daily bars for 1 symbol: "
            "IBM 99, within 2 % of 49.5 is asked. Nothing of it is bought while it is so, stops and exits go on: look "
            "for a split or a distribution that no source gave, and bring right bars with `strategy import FILE`."
        ),
    ),
    (
        StrategyLeftOut(
            left=LeftOut(name="mine", why="it raised ValueError: odd", at=NOON, about="IBM"), session=DAY, at=NOON
        ),
        "Strategy left out: mine",
        (
            "At 12:00 ET the strategy mine was asked about IBM, and it raised ValueError: odd. "
            "For the rest of the session it is not asked; the others go on, and so do stops, the end-of-day exit and "
            "the "
            "longest holding time: correct its file, or take it out with `strategy config edit`."
        ),
    ),
    (
        AnswerUnread(
            what=Answer.ORDERS, why="orders: status 500, code 100",
            naked=("98 AIG", "up to 10 IBM of an entry under way"),
            since=NOON - timedelta(minutes=4), at=NOON,
        ),
        "E*TRADE's order list cannot be read",
        (
            "E*TRADE's order list could not be read since 11:56 ET, 4 minutes ago "
            "(orders: status 500, code 100); shares that may be without a stop: 98 AIG, "
            "up to 10 IBM of an entry under way. "
            "Until it can be read nothing new is bought and no stop is moved; a fill is seen, a stop placed and an "
            "exit sent only where E*TRADE shows the single order: "
            "look at orders and positions in E*TRADE's app, and place a stop or sell there what has none."
        ),
    ),
    (
        EntryNotJudged(
            session=DAY, symbol="IBM", what=Answer.BALANCE, why="balance: accountMode is missing", at=NOON
        ),
        "Not bought: IBM",
        (
            "A signal for IBM expired without a decision because E*TRADE's balance could not be read "
            "(balance: accountMode is missing). "
            "Nothing is bought while it stays so: see whether E*TRADE's own page shows it, and report the reason "
            "if it does."
        ),
    ),
    (
        StaysHeld(
            session=DAY, position_id="P1", symbol="IBM", quantity=99,
            sells=("order 502, a stop sell of 99 shares at 98.90",), order_ids=(502,), closes_at=at(390), at=at(385),
        ),
        "Still held near the close: IBM",
        (
            "99 shares of IBM are still held and the market closes at 16:00 ET; "
            "at E*TRADE it has order 502, a stop sell of 99 shares at 98.90. "
            "To sell them in E*TRADE's app cancel order 502 first and wait until that is confirmed, then enter Sell, "
            "99 IBM, Market, Good for Day; what is not sold stays held over night."
        ),
    ),
    (
        MessageRetried(
            function="order_settlement", message="close_tick", name="17", since=NOON - timedelta(minutes=3), at=NOON,
            reason="Busy: another settlement is at work",
        ),
        "Work is delayed: order settlement",
        (
            "The function order settlement has been unable to do a task (close tick) since 11:57 ET, 3 minutes ago "
            "(the "
            "same work is being done already: another settlement is at work). It is tried again until it succeeds or "
            "is set aside: correct what the reason names; `strategy status` and the log of the function say more."
        ),
    ),
    (
        PricesElsewhere(
            source="yahoo", prices=("AIG 51.20 USD, traded at 11:59 ET", "IBM 180.4 USD, traded at 11:58 ET"),
            since=NOON - timedelta(minutes=2), at=NOON,
        ),
        "No quotes of E*TRADE",
        (
            "E*TRADE has given no quote since 11:58 ET, 2 minutes ago; yahoo says, perhaps with a delay: AIG 51.20 "
            "USD, traded at 11:59 ET; IBM 180.4 USD, traded at 11:58 ET. Nothing is traded on these prices and no stop "
            "is moved or cancelled for them; stops at E*TRADE stay in force, and `strategy positions` shows the prices "
            "while it lasts."
        ),
    ),
)  # fmt: skip
