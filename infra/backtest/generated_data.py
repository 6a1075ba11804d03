"""The generated market of a seed as the data of a back-test: any span from its first day on."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from infra.backtest.believed import Doubt
from infra.backtest.data import Chapter, sessions_between
from infra.backtest.minutes import Bars, minute_day
from infra.backtest.quoted import tick_day
from infra.brokersim.generated import GENERATED_DAY, SYMBOLS
from infra.brokersim.generated_days import GeneratedDay, GeneratedDays
from infra.brokersim.tape import DailyBar as Row
from infra.brokersim.tape import dollars
from infra.results.data_holes import Gaps
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import NEW_YORK, TradingSession
from shared.domain.market.bars import Bar, DailyBar
from shared.domain.market.daybook import MINUTE
from shared.domain.market.series import Series
from shared.frozen import frozen

FIRST_TEN = SYMBOLS[:10]


@frozen
class GeneratedData:
    """Satisfies `data.Data`; of a span that begins later the days before are drawn, too, for the closes lead on."""

    seed: int

    @property
    def name(self) -> str:
        """See `data.Data`."""
        return f"generated market, seed {self.seed}"

    @property
    def market(self) -> str:
        """See `data.Data`."""
        return self.name

    @property
    def said(self) -> tuple[str, ...]:
        """See `data.Data`."""
        return ("The market is generated: it shows how the strategies act, and nothing of what they would earn.",)

    @property
    def has_ticks(self) -> bool:
        """See `data.Data`."""
        return True

    @property
    def gaps(self) -> Mapping[date, Gaps]:
        """See `data.Data`."""
        return {}

    @property
    def doubts(self) -> Sequence[Doubt]:
        """See `data.Data`."""
        return ()

    def present(self, first: date, last: date) -> Mapping[date, Mapping[str, datetime]]:
        """See `data.Data`; raises UserError for days before the first."""
        if first < GENERATED_DAY:
            raise UserError(f"the generated market begins on {GENERATED_DAY}", remedy=f"say --from {GENERATED_DAY}")
        return {one.day: dict.fromkeys(SYMBOLS, one.closes_at) for one in sessions_between(first, last)}

    def unbuyable(self, first: date, last: date) -> Mapping[str, Sequence[date]]:
        """See `data.Data`."""
        del first, last
        return {}

    def chapters(self, first: date, last: date, symbols: Sequence[str]) -> Iterator[Chapter]:
        """See `data.Data`."""
        sessions = {one.day: one for one in sessions_between(GENERATED_DAY, last)}
        market = GeneratedDays(self.seed, symbols or FIRST_TEN)
        before = {symbol: [_daily(row) for row in rows] for symbol, rows in market.history.items()}
        closes = [(day, one.closes_at.astimezone(NEW_YORK).time()) for day, one in sessions.items()]
        for number, day in enumerate(market.days(closes)):
            if number:
                for symbol, bars in before.items():
                    before[symbol] = [*bars[1:], _daily(market.history[symbol][-1])]
            if day.day >= first:
                yield self._chapter(day, sessions[day.day], before)

    def _chapter(self, day: GeneratedDay, session: TradingSession, before: Mapping[str, Sequence[DailyBar]]) -> Chapter:
        at = datetime.combine(session.day, time(), UTC)
        history = {
            symbol: Series(symbol=symbol, bars=tuple(bars), source="market", made="generated", at=at)
            for symbol, bars in before.items()
        }
        return Chapter(
            minutes=minute_day(
                session, history, symbols=day.symbols, source=self.name, bars=partial(_minutes, day, session)
            ),
            ticks=tick_day(day, session, day.symbols, history, source=self.name),
        )  # fmt: skip


def _minutes(day: GeneratedDay, session: TradingSession) -> Bars:
    count = (session.closes_at - session.opens_at) // MINUTE
    ends = [session.opens_at + timedelta(minutes=minute + 1) for minute in range(count)]
    return {
        symbol: [
            Bar(
                end=end, open=dollars(opened), high=dollars(high), low=dollars(low), close=dollars(close), volume=volume
            )
            for end, (opened, high, low, close, volume) in zip(ends, day.minutes(symbol, count), strict=True)
        ]
        for symbol in day.symbols
    }  # fmt: skip


def _daily(row: Row) -> DailyBar:
    return DailyBar(day=row.date, open=row.open, high=row.high, low=row.low, close=row.close, volume=row.volume)
