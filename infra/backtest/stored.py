"""Minutes of a system's own store, or of a source outside, put into a spool for a back-test.

The spool lasts as long as the command: the next back-test asks the source once more.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from infra.backtest.data import CHOSEN_TODAY, sessions_between
from infra.backtest.kept_data import KeptData, in_spool
from infra.backtest.spool import Spool
from infra.operations.profiles import Hand
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import TradingSession
from shared.domain.market.bars import Bar
from shared.domain.market.series import Series
from shared.domain.telling.wording import count
from shared.errors import Malformed, SourceError, Unreadable
from shared.sources.alpaca import Alpaca
from shared.usecases.market.bars_stored import daily
from shared.usecases.market.gather import SPAN
from shared.usecases.market.own_bars import minutes_of

Tell = Callable[[str], object]
OWN, ALPACA = "own", Alpaca.name


def own(hand: Hand, spool: Spool, first: date, last: date) -> KeptData:
    """Take the minutes that a system's scan saw; raises UserError where there are none, StoreError."""
    rows = hand.desk.store.query("own_minutes")
    seen = sorted({(row.data.get("session", ""), row.data.get("symbol", "")) for row in rows})
    sessions = {one.day.isoformat(): one for one in sessions_between(first, last)}
    for day, symbol in seen:
        if (session := sessions.get(day)) is not None:
            try:
                bars = minutes_of(hand.desk, symbol, session)
            except Malformed as broken:
                what = f"the minutes of {symbol} on {day} cannot be read ({broken.detail})"
                raise UserError(what, remedy="leave the day or the symbol out") from None
            _put(spool, symbol, session, bars, source=hand.name)
    symbols = sorted({symbol for day, symbol in seen if day in sessions})
    if not symbols:
        raise UserError(
            f"{hand.name} has no minutes of its own from {first} to {last}",
            remedy="take the days on which it ran; `strategy history IBM --interval 1m` shows what there is",
        )
    series = {symbol: _stored_days(hand, symbol, first, last) for symbol in symbols}
    return in_spool(f"own bars of {hand.name}", spool, _found(series), said=())


def alpaca(
    source: Alpaca, spool: Spool, first: date, last: date, symbols: Sequence[str], *, tell: Tell
) -> KeptData:  # fmt: skip
    """Ask Alpaca for the minutes of a span, telling how far it is; raises UserError, with why."""
    if not symbols:
        raise UserError("this source needs symbols", remedy="say --symbols IBM,SPY")
    sessions = sessions_between(first, last)
    series: dict[str, Series | None] = {}
    for number, symbol in enumerate(symbols, start=1):
        tell(f"{symbol}, {number} of {count(len(symbols), 'symbol')}, {count(len(sessions), 'session')}")
        try:
            series[symbol] = source.daily(symbol, start=first - SPAN, before=last)
            for session in sessions:
                _put(spool, symbol, session, source.minutes(symbol, day=session.day), source=ALPACA)
        except (SourceError, Unreadable) as problem:
            what = f"{ALPACA} did not give {symbol}: {problem.detail}"
            raise UserError(what, remedy="ask again later, or for fewer symbols; nothing was played") from None
    return in_spool(f"minutes of {ALPACA}", spool, _found(series), said=(CHOSEN_TODAY,))


def _put(spool: Spool, symbol: str, session: TradingSession, bars: Sequence[Bar], *, source: str) -> None:
    for bar in bars:
        spool.put(symbol, session.day, bar, source=source)


def _stored_days(hand: Hand, symbol: str, first: date, last: date) -> Series | None:
    held = daily(hand.desk, symbol, first - SPAN, last).value
    if held is None:
        return None
    bars = tuple(bar for bar in held.bars if not isinstance(bar, Bar))
    return Series(
        symbol=symbol, bars=bars, source=OWN, made="stored", at=hand.desk.clock.now(), splits=held.splits,
        dividends=held.dividends,
    )  # fmt: skip


def _found(series: Mapping[str, Series | None]) -> Mapping[str, Series]:
    return {symbol: one for symbol, one in series.items() if one is not None}
