"""Telling the owner of rows that are not as a row of ours is: counted, and told when they are first seen, once a day.

What can go wrong: a list is read each few seconds, by several instances, and a row that is odd stays odd all day; an
account has two hundred of them; the store fails. What this promises: an instance writes once for each symbol, at most
`MOST` notices a day and one that sums up the rest; the events have one name whoever tells, so that the owner hears of
each once. A row that carries the id of an order of ours is not told here: its order tells. Nothing that trades waits
for the telling or fails with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from shared.domain.broker.brokerage import BrokerOrder, Holding
from shared.domain.telling.row_notices import OddRow
from shared.errors import StoreError
from shared.ports import Severity
from shared.usecases.base.trading import TradingDesk
from shared.usecases.orders.claims import claimed
from shared.usecases.telling.notices import announce

MOST = 5
AT_ONCE = 50
SHOWN = 10
ORDERS, PORTFOLIO = "order list", "portfolio"


def tell_orders(desk: TradingDesk, listing: Sequence[BrokerOrder], *, session: date) -> None:
    """Tell of the odd rows of an order list that are not of ours; a failing store is journalled."""
    told = desk.lists.told
    odd = [row for row in listing if row.odd and not {(ORDERS, session, row.symbol), (ORDERS, row.order_id)} & told]
    try:
        found: dict[str | None, dict[str, None]] = {}
        for row in odd[:AT_ONCE]:
            if claimed(desk, row.order_id):
                told.add((ORDERS, row.order_id))
            else:
                found.setdefault(row.symbol, {}).update(dict.fromkeys(row.odd))
        _tell(desk, ORDERS, found, rows=len(odd), session=session)
    except StoreError as problem:
        desk.journal.line("odd_rows_not_told", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)


def tell_holdings(desk: TradingDesk, holdings: Iterable[Holding], *, session: date) -> None:
    """Tell of the odd rows of a portfolio; a failing store is journalled."""
    odd = [one for one in holdings if one.odd and (PORTFOLIO, session, one.symbol or None) not in desk.lists.told]
    try:
        found = {one.symbol or None: dict.fromkeys(one.odd) for one in odd}
        _tell(desk, PORTFOLIO, found, rows=len(odd), session=session)
    except StoreError as problem:
        desk.journal.line("odd_rows_not_told", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)


def _tell(
    desk: TradingDesk, where: str, found: Mapping[str | None, Mapping[str, None]], *, rows: int, session: date
) -> None:
    """Announce what is new: a symbol each while there are few, and one notice for all that come after."""
    if not found:
        return
    now = desk.clock.now()
    already = sum(name[:2] == (where, session) for name in desk.lists.told)
    apart = max(0, MOST - already)
    notices = [
        OddRow(where=where, symbols=(symbol,) if symbol else (), fields=tuple(fields), session=session, at=now)
        for symbol, fields in list(found.items())[:apart]
    ]
    rest = list(found)[apart:]
    if rest:
        names = tuple(sorted(symbol for symbol in rest if symbol))
        fields = tuple(sorted({name for symbol in rest for name in found[symbol]}))
        notices.append(
            OddRow(where=where, symbols=names[:SHOWN], fields=fields, more=len(rest), session=session, at=now)
        )
    desk.store.commit([announce(desk, notice) for notice in notices])
    desk.lists.told.update((where, session, symbol) for symbol in found)
    desk.journal.line("odd_rows", Severity.WARNING, where=where, rows=rows, symbols=len(found))
