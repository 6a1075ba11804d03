"""An example of each notice in `shared.domain.telling.barred`, with what the owner reads."""

from datetime import timedelta

from shared.domain.broker.skew import Off
from shared.domain.telling.barred import ClockOff, EntriesBarred, HistoryMissing, SourceKeyBad, SymbolsUnknown
from shared.domain.telling.notices import Notice
from tests.domain.made import NOON, OPENS

AHEAD = "3.2 s ahead of E*TRADE's"

BARRED: tuple[tuple[Notice, str, str], ...] = (
    (
        EntriesBarred(code="DAY_TRADES", why="2 in the sessions before, 1 today", session=OPENS.date(), at=NOON),
        "Nothing is bought: a rule of the account",
        (
            "Nothing is bought since 12:00 ET: another entry could be the fourth day trade within five "
            "sessions, which bars a margin account below $25,000 (2 in the sessions before, 1 today). "
            "Stops and exits go on; if E*TRADE no longer applies that rule to you, set day_trade_rule to off "
            "with `strategy config edit`."
        ),
    ),
    (
        EntriesBarred(code="MARGIN_CALL", why="houseCall", session=OPENS.date(), at=NOON),
        "Nothing is bought: a rule of the account",
        (
            "Nothing is bought since 12:00 ET: a margin call of E*TRADE is open (houseCall). "
            "Stops and exits go on; meet it, or ask E*TRADE."
        ),
    ),
    (
        EntriesBarred(code="LEDGER_UNREADABLE", why="ledger/2013-10-04", session=OPENS.date(), at=NOON),
        "Nothing is bought: a damaged ledger",
        (
            "Nothing is bought since 12:00 ET: the ledger (the profit) of a session cannot be read, and sizes and the "
            "drawdown limit need that of each (ledger/2013-10-04). Stops and exits go on; restore that "
            "document from a backup, or delete it if its session's profit may count as 0."
        ),
    ),
    (
        ClockOff(function="order_settlement", off=Off.WARNED, why=AHEAD, session=OPENS.date(), at=NOON),
        "The clock is wrong",
        (
            "The clock of the order settlement is 3.2 s ahead of E*TRADE's; from 5 s on nothing is bought, from 60 s "
            "on "
            "trading is halted. "
            "Put it right: at home let the system set the clock by a time server (NTP); in the cloud tell Google."
        ),
    ),
    (
        ClockOff(function="order_placement", off=Off.NO_ENTRIES, why=AHEAD, session=OPENS.date(), at=NOON),
        "The clock is wrong",
        (
            "The clock of the order placement is 3.2 s ahead of E*TRADE's: nothing is bought until it is right; "
            "stops and "
            "exits go on. "
            "Put it right: at home let the system set the clock by a time server (NTP); in the cloud tell Google."
        ),
    ),
    (
        ClockOff(function="order_settlement", off=Off.HALTED, why=AHEAD, session=OPENS.date(), at=NOON),
        "The clock is wrong",
        (
            "The clock of the order settlement is 3.2 s ahead of E*TRADE's: trading is halted, stops and exits go on. "
            "Put it right, then `strategy resume`: at home let the system set the clock by a time server (NTP); in the "
            "cloud tell Google."
        ),
    ),
    (
        SymbolsUnknown(symbols=("ABC", "BRK.B"), session=OPENS.date(), at=NOON),
        "Symbols that E*TRADE does not quote",
        (
            "E*TRADE gives no quote for 2 watched symbols: ABC, BRK.B. Nothing is traded in them; "
            "look whether they were renamed or delisted, and change STRATEGY_WATCH_LIST."
        ),
    ),
    (
        HistoryMissing(why="yahoo: it refuses us", known=3, asked=20, session=OPENS.date(), at=NOON),
        "No source of daily bars answers",
        (
            "Asked for daily bars, none of the sources answers (yahoo: it refuses us): 3 of 20 symbols have bars that "
            "are stored. What has too few is not bought, stops and exits go on; `strategy import FILE` brings bars."
        ),
    ),
    (
        SourceKeyBad(source="alpaca", version="1", at=NOON),
        "A source of daily bars does not take its key",
        (
            "The source alpaca does not take the key that is stored, or its plan has no historical bars. The other "
            "sources serve; `strategy secrets set alpaca-key` stores another, `strategy doctor` tries it."
        ),
    ),
    (
        HistoryMissing(why="alpaca: no answer", known=0, asked=1, session=OPENS.date() + timedelta(1), at=NOON),
        "No source of daily bars answers",
        (
            "Asked for daily bars, none of the sources answers (alpaca: no answer): no symbol has any. What has "
            "too few is not bought, stops and exits go on; `strategy import FILE` brings bars."
        ),
    ),
)
