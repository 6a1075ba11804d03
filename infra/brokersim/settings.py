"""What an owner of the simulator may choose; every default is the fact sheet's value or its stated guess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Literal

from infra.brokersim.account import next_weekday
from infra.brokersim.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Calls admitted to one module in any second and in any clock hour (fact sheet, section 6)."""

    per_second: int
    per_hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings:
    """The settings of one simulator; money in dollars, `closes_at` in New York time.

    `cash_mode` and `margin_mode` are what the two open accounts call themselves; a mode that has no margin spends
    settled cash. `adjusted` are the symbols whose quotes carry the sign of adjusted prices. `earlier_day_trades` are
    purchases that the owner made and sold by hand on the weekdays before; `settles` gives the day on which a sale of a
    day may be spent. The page at `/` tells `speed`, and the consumer secret only if the pair was `made_up` for this
    simulator. One that is not `for_programs` serves a running system, goes by its time, and shows no example.
    """

    consumer_key: str
    consumer_secret: str = field(repr=False)
    starting_cash: Decimal = Decimal(100_000)
    fill_latency_ms: int = 500
    fill_latency_spread_ms: int = 200
    cancel_delay_min_ms: int = 300
    cancel_delay_max_ms: int = 1500
    preview_life_s: int = 180
    request_token_minutes: float = 5
    duplicate_client_order_id: Literal["refuse", "ignore"] = "refuse"
    orders_limit: Limit = Limit(per_second=2, per_hour=7_000)
    accounts_limit: Limit = Limit(per_second=2, per_hour=7_000)
    market_limit: Limit = Limit(per_second=4, per_hour=14_000)
    closes_at: time = time(16)
    auto_approve: bool = False
    cash_mode: str = "CASH"
    margin_mode: str = "MARGIN"
    standing: Standing = field(default_factory=Standing)
    adjusted: frozenset[str] = frozenset()
    earlier_day_trades: int = 0
    settles: Callable[[date], date] = next_weekday
    public_url: str = "http://127.0.0.1"
    speed: float = 1.0
    made_up: bool = False
    for_programs: bool = True
