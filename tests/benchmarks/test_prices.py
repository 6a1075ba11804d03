"""The price model gives the figures that the reference worked out by hand (google-cloud.md, sections 6 and 7)."""

from decimal import Decimal

import pytest

from shared.topology import TOPOLOGY, Function
from tests.benchmarks.prices import MESSAGES_A_DAY, TRADING_DAYS, Use, month, price, refusal, use

MINUTES = 390 * TRADING_DAYS


def rounded(amount: Decimal) -> str:
    """Write an amount in whole cents."""
    return str(amount.quantize(Decimal("0.01")))


def test_a_scan_at_a_whole_cpu_costs_what_the_reference_says() -> None:
    """A month of 390 scans a day at one CPU and 256 MiB costs 11.9 USD, and 7.28 after what is free."""
    scans = use(MINUTES, Decimal(59), cpu=1.0, memory_mib=256)
    a_day = use(390, Decimal(59), cpu=1.0, memory_mib=256)
    assert scans.vcpu_s == 483_210
    assert rounded(price([a_day])) == "0.57"
    assert (rounded(price([scans])), rounded(price([scans], free=True))) == ("11.90", "7.28")


def test_a_scan_at_a_third_of_a_cpu_is_free() -> None:
    """The same scans at a third of a CPU and 512 MiB stay below what is free."""
    scans = use(MINUTES, Decimal(59), cpu=0.333, memory_mib=512)
    assert (int(scans.vcpu_s), int(scans.gib_s)) == (160_908, 241_605)
    assert price([scans], free=True) == 0


def test_what_is_free_is_free_once() -> None:
    """Two functions share one free amount, and no part of it makes up for another part."""
    half = Use(requests=0, vcpu_s=Decimal(180_000), gib_s=Decimal(0))
    assert price([half], free=True) == 0
    assert rounded(price([half, half], free=True)) == "4.32"


def test_time_is_billed_in_whole_steps() -> None:
    """A request of 101 ms is billed as 200 ms."""
    assert use(10, Decimal("0.101"), cpu=1.0, memory_mib=1024).vcpu_s == 2


def test_a_month_follows_the_schedules() -> None:
    """A function is woken as often as its schedules fire on a weekday, and works no longer than its message takes."""
    scan, prepare = month(TOPOLOGY.function("market_scan"), TOPOLOGY)
    assert (scan.requests, prepare.requests) == (7 * 60 * TRADING_DAYS, TRADING_DAYS)
    assert scan.gib_s == scan.requests * 61 / Decimal(2)
    refresh, asks = month(TOPOLOGY.function("token_refresh"), TOPOLOGY)
    assert (refresh.requests, asks.requests) == (144 * TRADING_DAYS, MESSAGES_A_DAY * TRADING_DAYS)


@pytest.mark.parametrize("function", TOPOLOGY.functions, ids=lambda function: function.name)
def test_more_cpu_costs_more(function: Function) -> None:
    """Every function costs something, and more at a whole CPU than at a third."""
    assert 0 < price(month(function, TOPOLOGY, cpu=0.333)) < price(month(function, TOPOLOGY, cpu=1.0))


@pytest.mark.parametrize(
    ("cpu", "memory_mib", "concurrency", "why"),
    [
        (0.05, 256, 1, "below 0.08 CPU"),
        (0.5, 256, 8, "8 at once need 1 CPU"),
        (0.333, 1024, 1, "1024 MiB need 0.5 CPU"),
        (0.333, 512, 1, ""),
        (1.0, 512, 16, ""),
    ],
)
def test_sizes_that_are_refused(cpu: float, memory_mib: int, concurrency: int, why: str) -> None:
    """Cloud Run takes a part of a CPU only for one request at a time and little memory."""
    assert refusal(cpu=cpu, memory_mib=memory_mib, concurrency=concurrency) == why
