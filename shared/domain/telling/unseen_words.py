"""What the owner reads when something cannot be seen: the words of the notices in `unseen`."""

from typing import assert_never

from shared.domain.broker.reads import Answer
from shared.domain.telling.codes_said import named, why
from shared.domain.telling.unseen import AnswerUnread, EntryNotJudged, MessageRetried, PricesElsewhere, StaysHeld
from shared.domain.telling.wording import Words, ago, clock, count, short

NAMES = {
    Answer.ACCOUNTS: "account list",
    Answer.BALANCE: "balance",
    Answer.PORTFOLIO: "portfolio",
    Answer.ORDERS: "order list",
    Answer.ORDER: "answer on a single order",
}
TRADERS = frozenset({"order_placement", "order_settlement"})
_BUYING_ONLY = frozenset({Answer.BALANCE, Answer.PORTFOLIO})
_LOOK_THERE = "look at orders and positions in E*TRADE's app, and place a stop or sell there what has none."


def answer_unread(notice: AnswerUnread) -> Words:
    """Say what cannot be read, since when, which shares may be without a stop, and where to look."""
    naked = f"shares that may be without a stop: {', '.join(notice.naked)}"
    known = naked if notice.naked else "no shares are known to be without a stop"
    match notice.what:
        case Answer.BALANCE | Answer.PORTFOLIO:
            advice = (
                "Nothing new is bought until it can be read, stops at E*TRADE stay in force and exits go on:"
                " see whether E*TRADE's own page shows it."
            )
        case Answer.ACCOUNTS:
            advice = (
                f"Until it can be read no fill is seen, no stop is placed or moved and nothing is sold: {_LOOK_THERE}"
            )
        case Answer.ORDERS | Answer.ORDER:
            advice = (
                "Until it can be read nothing new is bought and no stop is moved; a fill is seen, a stop placed and"
                f" an exit sent only where E*TRADE shows the single order: {_LOOK_THERE}"
            )
        case _:
            assert_never(notice.what)
    return Words(
        title=f"E*TRADE's {NAMES[notice.what]} cannot be read",
        sentence=f"E*TRADE's {NAMES[notice.what]} could not be read since {ago(notice.since, notice.at)} "
        f"({short(notice.why)}); {known}.",
        advice=advice,
        urgent=bool(notice.naked) or notice.what not in _BUYING_ONLY,
    )


def entry_not_judged(notice: EntryNotJudged) -> Words:
    """Say which answer kept a signal from being judged."""
    return Words(
        title=f"Not bought: {notice.symbol}",
        sentence=f"A signal for {notice.symbol} expired without a decision because E*TRADE's {NAMES[notice.what]} "
        f"could not be read ({short(notice.why)}).",
        advice="Nothing is bought while it stays so: see whether E*TRADE's own page shows it, and report the reason "
        "if it does.",
        urgent=False,
    )


def stays_held(notice: StaysHeld) -> Words:
    """Say what is still held near the close, and how to sell it in E*TRADE's app."""
    sells = f"at E*TRADE it has {', '.join(notice.sells)}" if notice.sells else "no stop of ours is at E*TRADE"
    numbers = " and ".join(str(order_id) for order_id in notice.order_ids)
    many = "s" if len(notice.order_ids) > 1 else ""
    first = f"cancel order{many} {numbers} first and wait until that is confirmed, then " if notice.order_ids else ""
    return Words(
        title=f"Still held near the close: {notice.symbol}",
        sentence=f"{count(notice.quantity, 'share')} of {notice.symbol} are still held and the market closes at "
        f"{clock(notice.closes_at)}; {sells}.",
        advice=f"To sell them in E*TRADE's app {first}enter Sell, {notice.quantity} {notice.symbol}, Market, Good for "
        "Day; what is not sold stays held over night.",
        urgent=True,
    )


def message_retried(notice: MessageRetried) -> Words:
    """Say which function cannot do its work, and why."""
    return Words(
        title=f"Work is delayed: {named(notice.function)}",
        sentence=f"The function {named(notice.function)} has been unable to do a task ({named(notice.message)}) since "
        f"{ago(notice.since, notice.at)} ({short(why(notice.reason))}).",
        advice="It is tried again until it succeeds or is set aside: correct what the reason names; `strategy "
        "status` and "
        "the log of the function say more.",
        urgent=notice.function in TRADERS,
    )


def prices_elsewhere(notice: PricesElsewhere) -> Words:
    """Say since when the broker quotes nothing, what somebody else says instead, and that nothing is traded on it."""
    return Words(
        title="No quotes of E*TRADE",
        sentence=f"E*TRADE has given no quote since {ago(notice.since, notice.at)}; {notice.source} says, perhaps with "
        f"a delay: {short('; '.join(notice.prices))}.",
        advice="Nothing is traded on these prices and no stop is moved or cancelled for them; stops at E*TRADE stay in "
        "force, and `strategy positions` shows the prices while it lasts.",
        urgent=False,
    )
