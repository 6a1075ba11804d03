"""Trend confirmation: enough signs of a trend, each with its points, hold at once (strategy.md, Signals).

The signs and their points are the guide's. It does not say what four of them are made of, so these are ours: the price
stands above SMA 20; MACD is above its signal line; volume and ATR reach a least figure. A sign that is not known yet
gives no points.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from shared.domain.control.config import Span
from shared.domain.market.receipts import said
from shared.domain.orders.signals import Vote
from shared.strategies.verdict import BARS, Reason, Verdict, confidence
from shared.strategies.view import View

NAME = "trend_confirmation"
FEW_POINTS = Reason(code="FEW_POINTS", words="Too few signs of a trend hold at once.", source=f"daily bars and {BARS}")
REASONS = (FEW_POINTS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The points of each sign, those from which it votes, and the figures that RSI, volume and ATR have to reach."""

    order_points: Annotated[Decimal, Span("0", "10")] = Decimal(2)
    position_points: Annotated[Decimal, Span("0", "10")] = Decimal(2)
    rsi_points: Annotated[Decimal, Span("0", "10")] = Decimal("1.5")
    macd_points: Annotated[Decimal, Span("0", "10")] = Decimal("1.5")
    volume_points: Annotated[Decimal, Span("0", "10")] = Decimal(1)
    atr_points: Annotated[Decimal, Span("0", "10")] = Decimal("0.5")
    points_min: Annotated[Decimal, Span("0.5", "60")] = Decimal(6)
    rsi_above: Annotated[Decimal, Span("0", "100")] = Decimal(55)
    volume_ratio_min: Annotated[Decimal, Span("0", "20")] = Decimal(1)
    atr_min_pct: Annotated[Decimal, Span("0", "5")] = Decimal("0.1")

    def __post_init__(self) -> None:
        """Refuse points that no symbol can reach."""
        if self.points_min > self.most:
            raise ValueError(f"points_min is {self.points_min}, and all signs together give {self.most}")

    @property
    def most(self) -> Decimal:
        """The points of all signs together."""
        trend = self.order_points + self.position_points + self.rsi_points + self.macd_points
        return trend + self.volume_points + self.atr_points


def vote(view: View, own: Parameters) -> Verdict:
    """Vote when the signs that hold have enough points; confidence grows to 1.00 when all of them hold."""
    held = list(_signs(view, own))
    points = sum((worth for _, worth in held), Decimal(0))
    named = ", ".join(sign for sign, _ in held)
    if points < own.points_min:
        return FEW_POINTS.on(f"{points} ({named})" if named else points, f"{own.points_min} or more of {own.most}")
    to_go = own.most - own.points_min
    return Vote(
        strategy=NAME,
        confidence=confidence((points - own.points_min) / to_go if to_go else Decimal(1)),
        reasons=(f"{points} of {own.most} points, {own.points_min} asked: {named}",),
    )


def _signs(view: View, own: Parameters) -> Iterator[tuple[str, Decimal]]:
    """Give each sign that holds, in words, with its points."""
    seen, last = view.indicators, view.quote.last
    short, middle, long = seen.sma_20, seen.sma_50, seen.sma_200
    if short is not None and middle is not None and long is not None and short > middle > long:
        yield "SMA 20 > 50 > 200", own.order_points
    if short is not None and last > short:
        yield "price above SMA 20", own.position_points
    if seen.rsi is not None and seen.rsi > own.rsi_above:
        yield f"RSI {seen.rsi:.1f}", own.rsi_points
    if seen.macd_histogram is not None and seen.macd_histogram > 0:
        yield "MACD above its signal", own.macd_points
    if seen.volume_ratio is not None and seen.volume_ratio >= own.volume_ratio_min:
        yield f"volume {said(seen.volume_ratio)} times the usual", own.volume_points
    if seen.atr is not None and seen.atr * 100 >= own.atr_min_pct * last:
        yield f"ATR {said(seen.atr)} USD", own.atr_points
