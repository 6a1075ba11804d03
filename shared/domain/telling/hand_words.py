"""What the owner reads of what only they can tell or put right, or have done by hand (see `notice_words`)."""

from shared.domain.base.calendar import NEW_YORK
from shared.domain.base.values import Side
from shared.domain.orders.orders import Candidate
from shared.domain.telling.hand_notices import OrderAmbiguous, OrderCameLate, SharesTaken
from shared.domain.telling.wording import Words, clock, count


def ambiguous(notice: OrderAmbiguous) -> Words:
    """Say which broker orders could be ours, which shares have no stop, and how to end it."""
    what = f"{notice.side} {notice.quantity} {notice.symbol}"
    listed = "; ".join(_candidate(one) for one in notice.candidates)
    bare = "no stop is put over the shares of this position and none of them is sold until then"
    if notice.side == Side.BUY:
        bare = "nothing of it is filled" if not notice.filled else f"up to {notice.filled} shares of it have NO STOP"
    return Words(
        title=f"Your decision: {notice.symbol}",
        sentence=f"More than one order at E*TRADE could be {what}, so none is taken for it: {listed}; {bare}.",
        advice=f"Say which one it is with `strategy resolve {notice.intent_id} --is NUMBER`, or `--none` if none is; "
        "the others are yours.",
        urgent=True,
    )


def came_late(notice: OrderCameLate) -> Words:
    """Say what the broker has after all, what the book made of it, and what to look at."""
    what = f"{notice.side} {notice.quantity} {notice.symbol} ({notice.intent_id})"
    filled = f"{notice.filled:,} of its {count(notice.quantity, 'share')} filled"
    done, advice = _of_late(notice)
    return Words(
        title=f"Came late: {notice.symbol}",
        sentence=f"{what} was given up as never placed, and E*TRADE has it as order {notice.order_id}, with {filled}: "
        f"{done}.",
        advice=f"{advice}; nothing is bought until you say `strategy resume`.",
        urgent=True,
    )


def _of_late(notice: OrderCameLate) -> tuple[str, str]:
    """Give what the book made of it, and what to look at."""
    page = f"Look at {notice.symbol} on E*TRADE's own page"
    if notice.booked and notice.side == Side.BUY:
        done = "what it fills is booked and gets a stop, what is open is cancelled, and its cash is set aside again"
        return done, "Look at your cash, which was free for other entries meanwhile"
    if notice.booked:
        return "what it fills is booked as sold, and what is open is cancelled", page
    short = "the book holds no such shares, so nothing is booked and the account may be short"
    return short, f"{page} now, and buy back there what is short"


def _candidate(one: Candidate) -> str:
    placed = "" if one.placed_at is None else f" placed at {one.placed_at.astimezone(NEW_YORK):%H:%M:%S}"
    return f"order {one.order_id}{placed}, {one.status.lower()}, {count(one.filled, 'share')} filled"


def taken(notice: SharesTaken) -> Words:
    """Say what left the account, what it brought as far as that is known, and what is left."""
    shares, priced = count(notice.quantity, "share"), notice.quantity - notice.unpriced
    brought = f"your own order sold {priced:,} of them at ${notice.price:,.2f}" if notice.price is not None else ""
    unknown = f"what {notice.unpriced:,} of them brought is not known" if notice.unpriced else ""
    left = f"{count(notice.left, 'share')} of it {'is' if notice.left == 1 else 'are'} left"
    return Words(
        title=f"Taken out by hand: {notice.symbol}",
        sentence=f"{shares} of {notice.symbol} left the account without an order of this system, first missed at "
        f"{clock(notice.since)}: {'; '.join(part for part in (brought, unknown, left) if part)}.",
        advice="The book follows and trading goes on; if this was not you, look at E*TRADE's own page now.",
        urgent=True,
    )
