"""What the owner reads of what only they can tell, or have done by hand (see `notice_words`)."""

from shared.domain.calendar import NEW_YORK
from shared.domain.hand_notices import OrderAmbiguous, SharesTaken
from shared.domain.orders import Candidate
from shared.domain.values import Side
from shared.domain.wording import Words, clock, count


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
