"""The token is gone in the middle of the day: who notices, who is told, and that the day goes on."""

from datetime import timedelta

from infra.brokersim.oauth import Provider
from tests.functions.made import Bench, at

IDLE_FOR = timedelta(hours=3)


def _provider(bench: Bench) -> Provider:
    """Give the broker's list of tokens."""
    return bench.machine.simulator._provider


def _told(bench: Bench) -> list[str]:
    return [path.partition("/")[2] for path in bench.documents("notices") if "sign_in_needed" in path]


def _looks(bench: Bench) -> int:
    return sum(line["quotes"] for line in bench.lines("minute_scanned"))


def test_a_token_that_is_lost_is_told_and_the_day_goes_on(bench: Bench) -> None:
    """When E*TRADE forgets the token it is tried once more, the owner hears within five minutes, and signs in again."""
    bench.sign_in_at("09:25")
    bench.run("09:29:30")
    bench.world.start_schedules(at("10:00"))
    bench.run("09:41:30")
    assert _looks(bench) > 0
    _provider(bench)._access_tokens.clear()
    renewals = bench.calls()["renew"]
    bench.run("09:46:30")
    assert bench.calls()["renew"] == renewals + 1
    assert len(bench.lines("token_lost")) == 1
    assert _told(bench) == ["sign_in_needed:2013-10-07:lost-1-0"]
    refused = [line for line in bench.lines("broker_call") if line["status"] == 401]
    assert len(refused) <= 6
    without = bench.calls()
    bench.run("09:49:30")
    assert bench.calls() == without
    bench.sign_in_at("09:50")
    looked = _looks(bench)
    bench.run("09:53:30")
    assert _looks(bench) > looked
    assert bench.lines("crash", "invariant_broken", "undeclared_access", "dead_letter") == []


def test_a_token_that_fell_asleep_is_woken_once_for_all(bench: Bench) -> None:
    """When the token slept, the first reading wakes it with one renewal, and the scan goes on within the minute."""
    bench.sign_in_at("09:25")
    bench.run("09:29:30")
    bench.world.start_schedules(at("09:40"))
    bench.run("09:31:30")
    for known in _provider(bench)._access_tokens.values():
        known.used -= IDLE_FOR
    looked = _looks(bench)
    bench.run("09:34:30")
    assert bench.calls()["renew"] == 1
    assert bench.lines("token_lost") == []
    assert len([line for line in bench.lines("broker_call") if line["status"] == 401]) <= 3
    assert _looks(bench) > looked


def test_without_token_refresh_a_sleeping_token_blocks_nobody(bench: Bench) -> None:
    """While token_refresh is dead and the token sleeps, each message is answered in its time, and all goes on later."""
    bench.sign_in_at("09:25")
    bench.run("09:29:30")
    bench.world.start_schedules(at("09:50"))
    bench.run("09:31:30")
    deliver = bench.world.bus._deliver
    bench.world.bus._deliver = lambda name, raw: 503 if name == "token_refresh" else deliver(name, raw)
    for known in _provider(bench)._access_tokens.values():
        known.used -= IDLE_FOR
    bench.run("09:34:30")
    assert bench.calls()["renew"] == 0
    assert 0 < len(bench.lines("renewal_asked")) <= 2 * 3 * 3  # scan and settlement, three asks a minute each
    assert all(one.ended - one.begun < timedelta(seconds=61) for one in bench.deliveries)
    bench.world.bus._deliver = deliver
    looked = _looks(bench)
    bench.run("09:38:30")
    assert bench.calls()["renew"] == 1
    assert _looks(bench) > looked
    assert bench.lines("crash", "invariant_broken", "undeclared_access", "dead_letter") == []
