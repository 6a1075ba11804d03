"""That an order was found in the book which nobody of ours can have approved: the notice, and its words."""

from datetime import datetime

from shared.domain.telling.codes_said import named
from shared.domain.telling.wording import Words, short
from shared.frozen import frozen


@frozen
class OrderForged:
    """An order that was ready to be sent breaks `codes`, which no judgement of ours lets pass; trading was halted."""

    intent_id: str
    what: str
    codes: tuple[str, ...]
    at: datetime


def order_forged(notice: OrderForged) -> Words:
    """Say what was found, that it was not sent, and where to look."""
    return Words(
        title="An order of unknown origin was stopped",
        sentence=f"The order {short(notice.what)} ({notice.intent_id}) stood in the books as approved, which it cannot "
        f"have been ({', '.join(named(one).lower() for one in notice.codes)}): it was not sent, trading is HALTED, "
        "and stops at E*TRADE stay in "
        "force.",
        advice="Somebody else may write in your books: compare orders and positions with E*TRADE's own page, keep the "
        "trail with `strategy audit export`, and find out who wrote it before you resume.",
        urgent=True,
    )
