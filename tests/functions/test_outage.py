"""E*TRADE's quotes fail while shares are held: a price from elsewhere is asked for, and nothing else is done."""

from pathlib import Path

from infra.brokersim.simulator import Fault
from tests.functions.made import SYMBOL, Bench, at, late

FAILS = Fault(endpoint="quotes", kind="empty-200", count=2_000)


def outage(folder: Path, market: Path) -> Bench:
    """Play until shares are held and then three minutes in which no quote comes."""
    bench = late(folder, market)
    bench.run("09:56:50")
    bench.world.start_schedules(at("10:06"))
    bench.run("10:02")
    assert [one["symbol"] for one in bench.documents("positions").values() if one["is_open"]] == [SYMBOL]
    bench.machine.simulator.inject(FAILS)
    bench.run("10:05:30")
    return bench


def test_an_outage_asks_elsewhere_each_minute_and_moves_nothing(tmp_path: Path, market: Path) -> None:
    """From 30 s on market_history is asked once a minute, for what is held first, and stop, position and watch stay."""
    bench = outage(tmp_path / "state", market)
    try:
        asks = bench.of("fallback_asked")
        before = bench.documents("positions", "orders")
        bench.run("10:06")
        after = bench.documents("positions", "orders")
        sold = [one for one in after.values() if one.get("kind") == "exit"]
    finally:
        bench.close()
    assert [(one.function, one.topic, one.status) for one in asks] == [("market_history", "history-asks", 204)] * len(
        asks
    )
    assert len(asks) in (2, 3, 4)
    assert {one.body["symbols"][0] for one in asks} == {SYMBOL}
    assert len({one.body["since"] for one in asks}) == 1
    assert bench.lines("fallback_without_source"), "a simulated market has nobody beside its broker"
    assert (before, sold) == (after, [])
