"""The session is over: settle what is left, then seal the heads of its audit chains."""

from shared.codec import decode
from shared.domain.calendar import session_at
from shared.domain.orders import Order
from shared.ports import Put, Severity, Where
from shared.usecases.losses import open_positions
from shared.usecases.settle import live_orders, settle
from shared.usecases.trading import TradingDesk


def close(desk: TradingDesk) -> None:
    """Settle once more and write `seals/<session>`: the last hash of every chain, to which later edits must answer.

    Raises Busy while another settlement is at work, so that the tick comes again.
    """
    session = session_at(desk.clock.now())
    if session is None:
        return
    settle(desk, must_run=True, list_first=True)
    rows = desk.store.query("orders", Where("session", "==", session.day.isoformat()))
    heads = {row.path.partition("/")[2]: decode(Order, row.data).audit_head for row in rows}
    day = session.day.isoformat()
    desk.store.commit([Put(f"seals/{day}", {"session": day, "heads": heads})])
    left = [held.value.symbol for held in open_positions(desk)]
    live = live_orders(desk)
    desk.journal.line(
        "session_closed", Severity.WARNING if left or live else Severity.INFO, session=day, chains=len(heads),
        open_positions=",".join(left), live_orders=len(live),
    )  # fmt: skip
