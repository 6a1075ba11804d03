"""An example of each notice in `shared.domain.barred`, with what the owner reads."""

from shared.domain.barred import EntriesBarred, SymbolsUnknown
from shared.domain.notices import Notice
from tests.domain.made import NOON, OPENS

BARRED: tuple[tuple[Notice, str, str], ...] = (
    (
        EntriesBarred(code="DAY_TRADES", why="2 in the sessions before, 1 today", session=OPENS.date(), at=NOON),
        "Nothing is bought: a rule of the account",
        (
            "Entries are denied since 12:00 ET: another entry could be the fourth day trade within five "
            "sessions, which bars a margin account below $25,000 (2 in the sessions before, 1 today). "
            "Stops and exits go on; if E*TRADE no longer applies that rule to you, set account.day_trade_rule."
        ),
    ),
    (
        EntriesBarred(code="MARGIN_CALL", why="houseCall", session=OPENS.date(), at=NOON),
        "Nothing is bought: a rule of the account",
        (
            "Entries are denied since 12:00 ET: a margin call of E*TRADE is open (houseCall). "
            "Stops and exits go on; meet it, or ask E*TRADE."
        ),
    ),
    (
        EntriesBarred(code="LEDGER_UNREADABLE", why="ledger/2013-10-04", session=OPENS.date(), at=NOON),
        "Nothing is bought: a damaged ledger",
        (
            "Entries are denied since 12:00 ET: the ledger of a session cannot be read, and sizes and the "
            "drawdown limit rest on the profit of them all (ledger/2013-10-04). Stops and exits go on; restore that "
            "document from a backup, or delete it if its session's profit may count as 0."
        ),
    ),
    (
        SymbolsUnknown(symbols=("ABC", "JPM.PR.D"), session=OPENS.date(), at=NOON),
        "Watched symbols that E*TRADE does not quote",
        (
            "E*TRADE gives no quote for 2 watched symbols: ABC, JPM.PR.D. Nothing is traded in them; "
            "look whether they were renamed or delisted, and change STRATEGY_WATCH_LIST."
        ),
    ),
)
