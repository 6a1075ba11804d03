"""What selling costs beside the price: the fee of Section 31 of the Exchange Act, and FINRA's trading activity fee.

E*TRADE takes no commission for US shares, and nothing for buying. Both fees fall on sales alone; each is rounded up to
the cent for each sale, as brokers do who pass them on. Their rates change every year or so, hence the dates.

The rates come from the notices of the SEC (fee rate advisories) and of FINRA (information and regulatory notices). A
row that is marked `[from memory]` was not read again in a notice when it was written here. Of a day after `KNOWN_UNTIL`
the newest rate is taken, and the report says so.
"""

from datetime import date
from decimal import ROUND_CEILING, Decimal

from shared.domain.base.calendar import valid_on
from shared.domain.base.values import CENT
from shared.frozen import frozen

_MILLION = Decimal(1_000_000)
KNOWN_UNTIL = date(2026, 3, 31)

SEC_USD_PER_MILLION: tuple[tuple[date, Decimal], ...] = (
    (date(2012, 2, 21), Decimal("18.00")),  # [from memory]
    (date(2012, 4, 1), Decimal("22.40")),  # [from memory]
    (date(2013, 5, 25), Decimal("17.40")),  # the rate: FINRA, 2014-03-03; its first day [from memory]
    (date(2014, 3, 18), Decimal("22.10")),  # FINRA, information notice of 2014-03-03
    (date(2015, 2, 14), Decimal("18.40")),  # [from memory]
    (date(2016, 2, 16), Decimal("21.80")),  # the rate: FINRA, 2016-03-15; its first day [from memory]
    (date(2017, 7, 4), Decimal("23.10")),  # the rate: FINRA, 2018-05-07; its first day [from memory]
    (date(2018, 5, 22), Decimal("13.00")),  # FINRA, information notice of 2018-05-07
    (date(2019, 4, 16), Decimal("20.70")),  # SEC, fee rate advisory 2 for 2019
    (date(2020, 2, 18), Decimal("22.10")),  # the rate: SEC, 2021-01-15; its first day [from memory]
    (date(2021, 2, 25), Decimal("5.10")),  # SEC, advisory of 2021-01-15
    (date(2022, 5, 14), Decimal("22.90")),  # [from memory]
    (date(2023, 2, 27), Decimal("8.00")),  # [from memory]
    (date(2024, 5, 22), Decimal("27.80")),  # the rate: SEC, 2025-04-08; its first day [from memory]
    (date(2025, 5, 14), Decimal("0.00")),  # SEC, advisory of 2025-04-08
)
"""From each day on, in USD for each million USD of sales."""


@frozen
class Activity:
    """FINRA's fee: USD for each share that is sold, at most so many USD for one sale."""

    share: Decimal
    most: Decimal


TAF: tuple[tuple[date, Activity], ...] = (
    (date(2011, 7, 1), Activity(share=Decimal("0.000090"), most=Decimal("4.50"))),  # FINRA, regulatory notice 11-27
    (date(2012, 7, 1), Activity(share=Decimal("0.000119"), most=Decimal("5.95"))),  # its first day [from memory]
    (date(2022, 1, 1), Activity(share=Decimal("0.000130"), most=Decimal("6.49"))),  # [from memory]
    (date(2023, 1, 1), Activity(share=Decimal("0.000145"), most=Decimal("7.27"))),  # its first day [from memory]
    (date(2024, 1, 1), Activity(share=Decimal("0.000166"), most=Decimal("8.30"))),  # its first day [from memory]
    (date(2026, 1, 1), Activity(share=Decimal("0.000195"), most=Decimal("9.79"))),  # [from memory]
)
"""From each day on."""


def sale_fees(day: date, *, shares: int, usd: Decimal) -> Decimal:
    """Give in USD what one sale of so many shares for so much costs on a day; the oldest rates count before theirs."""
    activity = valid_on(TAF, day)
    sec = usd * valid_on(SEC_USD_PER_MILLION, day) / _MILLION
    taf = min(shares * activity.share, activity.most)
    return _up(sec) + _up(taf)


def _up(usd: Decimal) -> Decimal:
    return usd.quantize(CENT, rounding=ROUND_CEILING)
