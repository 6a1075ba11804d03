"""From what happens to the owner's webhook, through the real main.py apps of one machine and real posts on loopback."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from infra.brokersim.simulator import Fault
from infra.one_machine.clock import SeededChance
from infra.simulated_day.environment import OPERATOR, START_PAGE
from shared import wiring
from shared.domain.orders.orders import State
from shared.domain.telling.messages import CloseTick, ScanTick, SettleTick
from shared.domain.telling.sign_in_notices import SignInNeeded, SignInRefused
from shared.errors import NotSent
from shared.topology import NOTIFY_ADDRESSES, TOPOLOGY, Function
from shared.usecases.base.links import REMINDER_LINK_LIFE, sign_in_key
from shared.usecases.base.outbox import pack
from tests.doors.webhook import Webhook, webhook
from tests.functions.made import SYMBOL, Bench, at, late, write_market


@pytest.fixture
def hook() -> Iterator[Webhook]:
    """Give a webhook on loopback."""
    with webhook() as made:
        yield made


@pytest.fixture
def told(tmp_path: Path, market: Path, hook: Webhook) -> Iterator[Bench]:
    """Give a machine at 09:20 whose notices go to the webhook."""
    made = Bench(tmp_path / "state", market, start="09:20", addresses=hook.address(user="owner:CANARY7f@"))
    yield made
    made.close()


def _titles(hook: Webhook) -> list[str]:
    return [post["title"] for post in hook.posts]


def test_an_unknown_order_reaches_the_owner(tmp_path: Path, market: Path, hook: Webhook) -> None:
    """An entry whose answer is lost is told again until the webhook takes it, once, and the system finds the order."""
    told = late(tmp_path / "state", market, addresses=hook.address(user="owner:CANARY7f@"))
    told.machine.simulator.inject(Fault(endpoint="place", kind="reset", after_effect=True))
    told.run("09:56:50")
    hook.answers.append(503)
    told.world.start_schedules(at("10:04"))
    told.run("10:05")
    (entry,) = [order for order in told.documents("orders").values() if order["kind"] == "entry"]
    unknown = [event for event in told.documents("audit").values() if event["after"] == State.UNKNOWN]
    (first, second) = [post for post in hook.posts if post["title"] == f"Order unknown: {SYMBOL}"]
    without_link = [one["message"].partition("https://localhost/halt")[0] for one in (first, second)]
    assert without_link[0] == without_link[1]
    assert entry["intent_id"] in first["message"]
    (line,) = [line for line in told.lines("notice") if line["kind"] == "order_unknown"]
    assert (line["function"], line["addresses"]) == ("notify", 1)
    assert len(unknown) == 1
    assert entry["state"] == State.FILLED
    assert [one.status for one in told.of("order_unknown")] == [503, 204]
    assert told.documents("dead_letters", "outbox") == {}
    told.close()
    assert "CANARY7f" not in (told.folder / "journal.jsonl").read_text()


def test_a_dead_scan_reaches_the_owner(told: Bench, hook: Webhook) -> None:
    """When no minute is scanned after the open, the settlement's tick tells the owner once."""
    for minute in range(34, 44):
        told.run(f"09:{minute}")
        told.world.bus.publish("settle-ticks", pack(SettleTick()), attributes={})
    told.run("09:45")
    assert _titles(hook) == ["The market is not being watched"]
    assert len(told.of("scan_silent")) > 1


def test_delayed_quotes_reach_the_owner(told: Bench, hook: Webhook) -> None:
    """When quotes become delayed nothing is entered that would be, and the owner is told once why and what to do."""
    told.sign_in_at("09:21")
    told.world.start_schedules(at("10:04"))
    told.run("09:40")
    told.machine.simulator.delay_quotes(True)
    told.run("10:05")
    (post,) = [one for one in hook.posts if one["title"] == "No quote can be used"]
    faults = "of an earlier instant than one before it, the quote was too old)"
    for part in ("since 09:40", faults, "sign the simulator's agreement on real-time quotes"):
        assert part in post["message"]
    assert len(told.of("scan_blind")) > 1
    assert told.documents("signals", "orders") == {}
    assert "The market is not being watched" not in _titles(hook)


def test_going_blind_while_holding_is_urgent(tmp_path: Path, market: Path, hook: Webhook) -> None:
    """Quotes that stand still while shares are held are told urgently, with what is held and what may be the cause."""
    stands = write_market(tmp_path / "market", minutes=32)
    told = late(tmp_path / "state", stands, addresses=hook.address(), like=market)
    try:
        told.run("09:56:50")
        told.world.start_schedules(at("10:10"))
        told.run("10:11")
        assert [one["is_open"] for one in told.documents("positions").values()] == [True]
        (line,) = [line for line in told.lines("notice") if line["kind"] == "scan_blind"]
    finally:
        told.close()
    assert line["severity"] == "WARNING"
    assert "3 minutes ago (the quote was too old), also none of what is held: AIG." in line["text"]
    assert "correct the clock of the machine: it is fast" in line["text"]


def test_one_held_symbol_that_goes_dark_reaches_the_owner(tmp_path: Path, market: Path, hook: Webhook) -> None:
    """When only the held symbol's quotes stand still its owner is told of that symbol, and not of a blind scan."""
    dark = write_market(tmp_path / "market")
    rows = dark.read_text().splitlines(keepends=True)
    dark.write_text("".join(row for row in rows if f",{SYMBOL}," not in row or row < at("10:02").isoformat()))
    told = late(tmp_path / "state", dark, addresses=hook.address(), like=market)
    try:
        told.run("09:56:50")
        told.world.start_schedules(at("10:09"))
        told.run("10:10")
    finally:
        told.close()
    assert "No quote can be used" not in _titles(hook)
    (post,) = [one for one in hook.posts if one["title"] == f"No quote can be used: {SYMBOL}"]
    assert "5 minutes ago (the quote was too old)" in post["message"]


def test_the_day_s_result_reaches_the_owner(told: Bench, hook: Webhook) -> None:
    """The close tells the day's result, and a second close does not tell it again."""
    told.sign_in_at("09:21")
    for clock in ("16:05", "16:07"):
        told.run(clock)
        told.world.bus.publish("close-ticks", pack(CloseTick()), attributes={})
    told.run("16:08")
    assert _titles(hook) == ["A sign-in was begun", "Signed in", "2013-10-07: +$0.00"]
    assert len(told.of("day_result")) == 2


def test_a_message_that_is_put_aside_reaches_the_owner(told: Bench, hook: Webhook) -> None:
    """A dead letter of the scan is told."""
    assert told.post("market_scan", b"nonsense") == 204
    assert told.push("order_settlement", SettleTick()) == 204
    told.run("09:21")
    assert _titles(hook) == ["A message could not be handled"]


def test_an_owner_who_cannot_be_reached_is_tried_for_a_while(told: Bench, hook: Webhook) -> None:
    """A notice that nobody takes is tried for more than two hours, stays in the journal, and stops no other."""
    (terms,) = TOPOLOGY.function("notify").subscriptions
    hook.answers += [500] * terms.max_attempts
    told.post("market_scan", b"nonsense")
    told.push("order_settlement", SettleTick())
    told.run("11:30")
    assert len(hook.posts) < terms.max_attempts
    told.run("12:20")
    assert len(hook.posts) == terms.max_attempts
    assert [(letter.subscription, letter.attempts) for letter in told.world.bus.dead_letters()] == [
        ("notify.notices", terms.max_attempts)
    ]
    lines = told.lines("notice_not_delivered")
    assert [line["title"] for line in lines] == ["A message could not be handled"] * terms.max_attempts
    (untold,) = told.documents("untold").values()
    assert (untold["title"], untold["tries"]) == ("A message could not be handled", terms.max_attempts)
    told.post("market_scan", b"other nonsense")
    told.push("order_settlement", SettleTick())
    told.run("12:21")
    assert "A message could not be handled" in _titles(hook)[terms.max_attempts :]


@pytest.mark.parametrize("function", [one for one in TOPOLOGY.functions if one.subscriptions], ids=lambda one: one.name)
def test_who_may_publish_notices_does(bench: Bench, function: Function) -> None:
    """The doors that publish notices after their work are those whose function may, and notify, which tells them."""
    wiring.use(bench.world.platform)
    door = import_module(f"shared.wiring.{function.name}").door()
    assert door.tells == ("notices" in function.publishes or function.name == "notify")


def test_addresses_of_the_vault_count_at_once(bench: Bench, hook: Webhook) -> None:
    """Without an address a notice is in the journal only; stored while the function runs, the next one is delivered."""
    for place, clock in enumerate(("09:21", "09:22")):
        bench.push("market_scan", f"nonsense {place}".encode())
        bench.push("order_settlement", SettleTick())
        bench.run(clock)
        bench.world.vault.add(NOTIFY_ADDRESSES, hook.address().encode())
    assert [line["addresses"] for line in bench.lines("notice")] == [0, 1]
    assert len(bench.lines("no_notice_address")) == 1
    assert len(hook.posts) == 1


def _gone(*_: object, **__: object) -> str:
    raise NotSent("the bus is gone")


def test_a_machine_that_was_killed_tells_what_it_had_promised(tmp_path: Path, market: Path, hook: Webhook) -> None:
    """A notice whose row was committed before the machine ended is told by the next machine in the same folder."""
    first = Bench(tmp_path / "state", market, start="09:20")
    first.world.bus.publish = _gone  # type: ignore[method-assign]
    first.push("market_scan", b"nonsense")
    rows = first.documents("outbox")
    first.close()
    second = Bench(tmp_path / "state", market, start="09:30", addresses=hook.address())
    try:
        assert second.documents("outbox") == rows
        assert len(rows) == 1
        second.push("market_scan", ScanTick())
        second.run("09:31")
    finally:
        second.close()
    assert _titles(hook) == ["A message could not be handled"]


def test_a_forged_notice_brings_no_address(told: Bench, hook: Webhook) -> None:
    """What somebody else publishes about a sign-in reaches the owner without their page, and a real one with ours."""
    evil = "https://etrade-login.example/start"
    key = sign_in_key(told.world.vault, OPERATOR)
    signed = key.sign(SeededChance(seed=1, name="forger"), now=told.kernel.now(), lasts=REMINDER_LINK_LIFE)
    for number, part in enumerate((f"{evil}#{signed}", evil, signed)):
        forged = SignInNeeded(signed=part, minutes_to_open=9, occasion=f"forged-{number}", at=told.kernel.now())
        told.world.bus.publish("notices", pack(forged), attributes={})
    refused = SignInRefused(why=f"sign in at {evil}", at=told.kernel.now())
    told.world.bus.publish("notices", pack(refused), attributes={})
    told.run("09:21")
    said = [post["title"] + post["message"] for post in hook.posts]
    assert len(said) == 4
    assert not any(evil in one or "etrade-login.example" in one for one in said)
    assert [f"\n{START_PAGE}#{signed}\n" in one for one in said].count(True) == 1
    assert told.world.denied == []
