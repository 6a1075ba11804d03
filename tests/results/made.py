"""Facts made by hand: a run of a few trades on a session, and runs that chance draws."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from infra.results.facts import Facts, Mark, Point, Skipped, Trade
from shared.domain.base.calendar import session_of

DAY = date(2013, 10, 7)
START = Decimal(100_000)


def at(hour: int, minute: int, day: date = DAY) -> datetime:
    """Give an instant of a session by its New York wall-clock time."""
    session = session_of(day)
    assert session is not None
    return session.opens_at + timedelta(hours=hour - 9, minutes=minute - 30)


def trade(
    profit: str | Decimal, *, symbol: str = "IBM", strategy: str = "momentum", reason: str = "target", hour: int = 10,
    over: bool = True, fees: str = "0", shares: int = 10, price: str = "100", slips: str | None = None,
    stop_slips: str | None = None,
) -> Trade:  # fmt: skip
    """Make a trade of ten shares bought at 100 USD that brought `profit` before fees."""
    brought = Decimal(price) + Decimal(profit) / shares
    return Trade(
        position_id=f"{symbol}{hour}{profit}", symbol=symbol, strategy=strategy, shares=shares,
        entered_at=at(hour, 5), entry_price=Decimal(price), left_at=at(hour, 35) if over else None,
        exit_price=brought if over else None, exit_reason=reason if over else "", realized=Decimal(profit),
        possible_wash_sale=False, held=0 if over else shares, fees=Decimal(fees),
        entry_slippage=None if slips is None else Decimal(slips),
        stop_slippage=None if stop_slips is None else Decimal(stop_slips),
    )  # fmt: skip


def curve(
    equities: Iterable[str | int | Decimal], invested: Sequence[str | int] = (), day: date = DAY
) -> tuple[Point, ...]:
    """Make an equity curve, one point a minute from the open of a session on."""
    values = [Decimal(value) for value in equities]
    shares = [Decimal(value) for value in invested] or [Decimal(0)] * len(values)
    return tuple(
        Point(at=at(9, 30 + number, day), equity=value, invested=part)
        for number, (value, part) in enumerate(zip(values, shares, strict=True))
    )


def facts(
    trades: Sequence[Trade] = (), equity: Sequence[Point] = (), skipped: Sequence[Skipped] = (),
    prices: dict[str, list[str]] | None = None, **more: object,
) -> Facts:  # fmt: skip
    """Make the facts of a session."""
    marks = {
        symbol: tuple(Mark(at=at(9, 30 + minute), price=Decimal(price)) for minute, price in enumerate(those))
        for symbol, those in (prices or {}).items()
    }
    given: dict[str, object] = {
        "title": "Monday, 7 October 2013", "begins": at(9, 30), "ends": at(16, 0), "resolution": "one-second quotes",
        "source": "made by hand", "configuration": "demo", "starting_equity": START, "equity": tuple(equity),
        "equity_made": "made by hand", "trades": tuple(trades), "signals": len(trades) + len(skipped),
        "skipped": tuple(skipped), "prices": marks,
    }  # fmt: skip
    return Facts(**{**given, **more})  # type: ignore[arg-type]


_MONEY = st.decimals(min_value=-5_000, max_value=5_000, places=2, allow_nan=False)
_TRADES = st.builds(
    trade, _MONEY, symbol=st.sampled_from(["AIG", "BAC", "IBM"]), strategy=st.sampled_from(["momentum", "breakout"]),
    reason=st.sampled_from(["target", "flatten", "protective stop"]), hour=st.integers(9, 15), over=st.booleans(),
    fees=st.decimals(min_value=0, max_value=9, places=2).map(str),
)  # fmt: skip
_SKIPPED = st.builds(
    Skipped, symbol=st.sampled_from(["AIG", "IBM"]), at=st.just(at(11, 0)),
    code=st.sampled_from(["SIZE_ZERO", "SPREAD_TOO_WIDE"]), sentence=st.just("so it was"),
)  # fmt: skip
_POINTS = st.lists(
    st.tuples(st.integers(1, 10**7), st.integers(0, 100)).map(lambda one: (Decimal(one[0]), one[0] * one[1] // 100)),
    max_size=40,
).map(lambda drawn: curve([equity for equity, _ in drawn], [invested for _, invested in drawn]))

drawn = st.builds(
    lambda trades, points, skipped: facts(trades, points, skipped, {"IBM": ["100", "101"]}),
    st.lists(_TRADES, max_size=30), _POINTS, st.lists(_SKIPPED, max_size=20),
)  # fmt: skip
"""Runs that chance draws."""
