"""What the owner reads of rows that are odd (see `notice_words`)."""

from shared.domain.telling.row_notices import OddRow, OwnRowOdd
from shared.domain.telling.wording import Words, count


def odd_row(notice: OddRow) -> Words:
    """Say of a row, or of many, where it is and what is odd about it."""
    symbols, fields = ", ".join(notice.symbols) or "a symbol that cannot be read", ", ".join(notice.fields)
    if notice.more:
        title, rows = f"Odd rows in the {notice.where}", f"has rows in {count(notice.more, 'further symbol')}"
        what = f"{rows} that are none of this system's or cannot be read in full, such as {symbols} ({fields})"
    else:
        title = f"An odd row in the {notice.where}: {', '.join(notice.symbols) or 'no symbol'}"
        what = f"has a row in {symbols} that is none of this system's or cannot be read in full ({fields})"
    return Words(
        title=title,
        sentence=f"The account's {notice.where} {what}.",
        advice="The system does not buy there today and goes on with everything else; "
        "nothing is to be done if you know what it is.",
        urgent=False,
    )


def own_row(notice: OwnRowOdd) -> Words:
    """Say what of the row of an order of ours cannot be used; what decides over shares is urgent."""
    what = f"{notice.side} {notice.quantity} {notice.symbol} ({notice.intent_id})"
    return Words(
        title=f"Not all of an order can be read: {notice.symbol}",
        sentence=f"What E*TRADE lists of the order {what} cannot be used in full: {', '.join(notice.fields)}.",
        advice="What can be read is used, shares are protected at once and get their price when it is listed; "
        "compare the order with E*TRADE's own page.",
        urgent=not set(notice.fields).isdisjoint(("filledQuantity", "status", "symbol", "orderAction")),
    )
