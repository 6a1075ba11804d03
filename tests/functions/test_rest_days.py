"""Holidays and early closes: nothing is traded, asked or broken when New York does not trade."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from shared.domain.telling.messages import CloseTick, PrepareTick, RefreshTick, ScanTick, SettleTick
from tests.functions.made import Bench, at, write_market

THANKSGIVING, EARLY = date(2013, 11, 28), date(2013, 11, 29)
_TROUBLE = ("crash", "invariant_broken", "undeclared_access", "dead_letter", "again", "gave_up", "scan_stumbled")


@pytest.mark.parametrize("day", [THANKSGIVING, date(2013, 11, 30), date(2013, 12, 25)])
def test_a_day_of_rest_is_left_alone(tmp_path: Path, day: date) -> None:
    """On a holiday or a Saturday every message is acknowledged and no order, quote or account call is made."""
    bench = Bench(tmp_path / "state", write_market(tmp_path / "market", day=day, minutes=2), start="09:20")
    bench.sign_in_at("09:25")
    bench.run("09:29:30")
    bench.world.start_schedules(at("09:32", day))
    bench.run("09:33")
    for function, message in (
        ("market_scan", ScanTick()), ("market_scan", PrepareTick(reason="schedule")),
        ("order_settlement", SettleTick()), ("order_settlement", CloseTick()), ("token_refresh", RefreshTick()),
    ):  # fmt: skip
        assert bench.push(function, message) == 204
    assert {one.status for one in bench.deliveries} <= {204}
    calls = bench.calls()
    of_sign_in = ("request_token", "authorize", "access_token", "accounts", "renew")
    assert sum(calls.values()) == sum(calls[name] for name in of_sign_in)
    assert bench.documents("orders", "receipts", "history", "seals", "signals", "account") == {}
    assert bench.lines(*_TROUBLE) == []
    bench.close()


def test_nothing_is_traded_after_an_early_close(tmp_path: Path) -> None:
    """A rise that begins at the 13:00 close of a half day is not scanned and not entered, and the day is sealed."""
    market = write_market(tmp_path / "market", day=EARLY, opens="12:57", minutes=45, fall_at=45)
    bench = Bench(tmp_path / "state", market, start="12:40")
    bench.sign_in_at("12:41")
    bench.push("market_scan", PrepareTick(reason="schedule"))
    bench.run("12:57:30")
    bench.world.start_schedules(at("13:40", EARLY))
    bench.run("13:41")
    assert bench.push("order_settlement", CloseTick()) == 204
    scanned = [line["minute"] for line in bench.lines("minute_scanned")]
    assert scanned == [(at("12:58", EARLY) + timedelta(minutes=n)).isoformat() for n in range(2)]
    codes = {
        line[1] for row in bench.documents("receipts").values() for lines in row["symbols"].values() for line in lines
    }
    assert codes == {"LATE_ENTRY"}
    assert bench.documents("orders", "signals", "positions") == {}
    assert list(bench.documents("seals")) == ["seals/2013-11-29"]
    assert {one.status for one in bench.deliveries} == {204}
    assert len(bench.of("scan_tick")) > 40
    assert bench.lines(*_TROUBLE) == []
    bench.close()
