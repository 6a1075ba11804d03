"""What a sale costs on its day."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from infra.backtest.fees import SEC_USD_PER_MILLION, TAF, sale_fees


@pytest.mark.parametrize(
    ("day", "shares", "usd", "fees"),
    [
        (date(2013, 10, 7), 100, "18500", "0.35"),  # 0.3219 and 0.0119, each rounded up to the cent
        (date(2014, 3, 17), 100, "10000", "0.20"),
        (date(2014, 3, 18), 100, "10000", "0.25"),
        (date(2025, 5, 13), 1, "100", "0.02"),
        (date(2025, 5, 14), 1, "100", "0.01"),  # no SEC fee from that day on
        (date(2025, 6, 2), 1_000_000, "5000000", "8.30"),  # the most for one sale
    ],
)
def test_a_sale_costs_what_its_day_asks(day: date, shares: int, usd: str, fees: str) -> None:
    """The SEC's fee is a part of the proceeds, FINRA's is by the share; both as on the day of the sale."""
    assert sale_fees(day, shares=shares, usd=Decimal(usd)) == Decimal(fees)


def test_the_rates_of_each_row_begin_on_its_day() -> None:
    """Every row counts from its own day on, and the one before it until the day before."""
    for (_, before), (day, rate) in pairwise(SEC_USD_PER_MILLION):
        million = Decimal(1_000_000)
        taf = sale_fees(day, shares=0, usd=Decimal(0))
        assert sale_fees(day, shares=0, usd=million) - taf == rate
        assert sale_fees(day - timedelta(days=1), shares=0, usd=million) - taf == before
    assert all(one < other for table in (SEC_USD_PER_MILLION, TAF) for (one, *_), (other, *_) in pairwise(table))
