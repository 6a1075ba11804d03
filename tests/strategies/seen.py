"""A view that gives a signal: a test changes what it is about."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.domain.market.bars import Bar
from shared.strategies import registry
from shared.strategies.indicators import Indicators
from shared.strategies.view import LongerBars, View
from tests.domain.made import OPENS, at, config, quote, session

ONE_VOTE = replace(config(signals__min_votes=1), strategies={"momentum": {}, "opening_range": {}})
"""Two strategies of which one vote suffices; what the votes are made of is each strategy's own test."""
TWO_VOTES = replace(ONE_VOTE, signals=replace(ONE_VOTE.signals, min_votes=2))
USED = registry.bound(ONE_VOTE)
NAMES = tuple(one.name for one in USED)
RISING = Bar(end=at(30), open=Decimal(101), high=Decimal(102), low=Decimal(101), close=Decimal("101.50"), volume=30_000)


def bars_until(moment: datetime) -> tuple[Bar, ...]:
    """Give a bar for each minute from the open on that is over by then."""
    minutes = (moment - OPENS) // timedelta(minutes=1)
    return tuple(replace(RISING, end=at(minute)) for minute in range(1, minutes + 1))


def view(**changes: Any) -> View:
    """Give IBM at 102 half an hour after the open, up 3 % and out of its opening range, at RSI 60."""
    bars = bars_until(changes.get("at", at(30)))
    made = View(
        symbol="IBM", quote=quote("102.00", when=at(30), previous_close="99.00"), at=at(30),
        session=session(), bars=bars, longer=LongerBars(bars, OPENS), indicators=indicators(),
        opening_range=(Decimal("99.00"), Decimal("101.00")), quality=Decimal("1.0"),
    )  # fmt: skip
    return replace(made, **changes)


def indicators(**changes: Any) -> Indicators:
    """Give RSI 60, an ATR of 0.40 USD and a bar with one and a half times the usual volume."""
    made = Indicators(last_bar=RISING, rsi=60.0, volume_ratio=Decimal("1.5"), atr=Decimal("0.40"))
    return replace(made, **changes)
