"""`strategy probe`: it reads and previews, never places, stops at the first throttle answer, and says what it saw."""

import json
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from requests.adapters import BaseAdapter

from infra.brokersim.faults import Fault
from infra.brokersim.server import serve
from infra.brokersim.settings import Limit
from infra.brokersim.simulator import CASH_ACCOUNT_KEY
from infra.brokersim.standing import Standing
from infra.cli import probed as command
from infra.one_machine.to_simulator import ToSimulator
from infra.operations import key
from infra.operations.probing import judge, run
from infra.operations.probing.facts import Fact, Verdict, word
from infra.operations.probing.heard import Ear, Heard
from infra.operations.probing.measure import Probe, Seen
from infra.operations.probing.pace import Pace, Stage, StageOver, most_in_a_second, stages
from infra.operations.profiles import Hand
from infra.simulated_day.problems import UserError
from shared.domain.broker.turns import Purpose
from shared.errors import InvariantBroken
from shared.etrade.client import EtradeBroker
from shared.etrade.exchange import Endpoint
from shared.etrade.limits import Module
from shared.gcp.threads import Threads
from shared.ports import Clock
from tests.contract.brokers import ticket
from tests.doors.fakes import HandClock
from tests.etrade.world import SeededChance
from tests.infra.brokersim.world import NOON, ListedMarket, row
from tests.operations.keyed import NUMBERS, KeyHome, Slowly

KNOWN, CONTRADICTS, NOT_SEEN = Verdict.KNOWN, Verdict.CONTRADICTS, Verdict.NOT_SEEN
SYMBOLS = ("ZXAA", "ZXBB")
MANY = Limit(per_second=50, per_hour=50_000)


def lively() -> ListedMarket:
    """Give a market in which ZXAA is quoted anew each second and ZXBB never."""
    moving = [row(second, "10.00", "10.02", volume=1200 + second) for second in range(-1200, 900)]
    return ListedMarket({"ZXAA": moving, "ZXBB": [row(-1200, "10.00", "10.02")]})


def probed(home: KeyHome, out: Path, *, minutes: float = 10, hand: Hand | None = None) -> dict[str, Fact]:
    """Probe and give the facts by name."""
    done = run.probe(hand or home.signed_in(), minutes=minutes, symbols=SYMBOLS, out=out, tell=lambda _: None)
    return {fact.name: fact for fact in done.facts}


def test_ten_minutes_measure_and_place_nothing(tmp_path: Path) -> None:
    """Ten minutes end in time, write both files, name every endpoint's round trips, and the simulator has no order."""
    home = KeyHome(lively())
    hand = home.signed_in()
    began = home.clock.at
    found = probed(home, tmp_path, hand=hand)
    assert home.clock.at - began < timedelta(minutes=11)
    home.nothing_was_placed()
    assert home.calls()["preview"] == 2
    text = (tmp_path / run.REPORT).read_text()
    for endpoint in ("accounts", "balance", "orders", "portfolio", "preview", "quotes"):
        assert f"| {endpoint} | " in text
    assert all(fact.name in text for fact in found.values())
    assert json.loads((tmp_path / run.CAPTURE).read_text())["case"] == "probe"


def test_each_fact_has_a_verdict_and_its_source(tmp_path: Path) -> None:
    """Every fact says what is assumed, where, what was seen, and what then changes; names are not given twice."""
    home = KeyHome(lively())
    done = run.probe(home.signed_in(), minutes=1, symbols=SYMBOLS, out=tmp_path, tell=lambda _: None)
    assert len({fact.name for fact in done.facts}) == len(done.facts)
    for fact in done.facts:
        assert all((fact.assumption, fact.source, fact.seen, fact.then)), fact.name
    assert done.contradictions == sum(fact.verdict is CONTRADICTS for fact in done.facts)


def test_what_agrees_is_known_and_what_nobody_saw_is_not(tmp_path: Path) -> None:
    """At a simulator that does as we assume nothing contradicts us but the quiet quote, and no life of a preview."""
    found = probed(KeyHome(lively()), tmp_path)
    contradicted = {name for name, fact in found.items() if fact.verdict is CONTRADICTS}
    assert contradicted == {"dateTimeUTC when nothing trades", "Age of a quote when it arrives"}
    unseen = {name for name, fact in found.items() if fact.verdict is NOT_SEEN}
    assert {"Life of a preview", "Lag of the order list", "Portfolio", "A second sign-in"} <= unseen
    assert {"Account list", "Balance", "Preview", "Quotes", "Clocks", "Market data entitlement"} <= {
        name for name, fact in found.items() if fact.verdict is KNOWN
    }


def mode(home: KeyHome) -> None:
    """Let the account call itself something else."""
    for account in home.simulator._broker.accounts.values():
        account.mode = "NEW_KIND"


def stands(**changes: Any) -> Callable[[KeyHome], None]:
    """Let E*TRADE say this of the account."""
    return lambda home: home.simulator.stand(Standing(**changes))


Trouble = Callable[[KeyHome], None]
TROUBLES: list[tuple[str, Verdict, Trouble]] = [
    ("Account modes", CONTRADICTS, mode),
    ("Day trader status", CONTRADICTS, stands(day_trader_status="PDT_RES_1XK")),
    ("Account value", CONTRADICTS, stands(leaves_out=frozenset({"RealTimeValues"}))),
    ("Balance", CONTRADICTS, stands(leaves_out=frozenset({"settledCashForInvestment"}))),
    ("Market data entitlement", CONTRADICTS, lambda home: home.simulator.delay_quotes(True)),
    ("Clocks", CONTRADICTS, lambda home: home.simulator.misdate(timedelta(seconds=9))),
    ("Account list", CONTRADICTS, lambda home: home.simulator.inject(Fault(endpoint="accounts", kind="empty-200"))),
    ("Preview", NOT_SEEN, stands(restricted="all")),
    ("Messages of a preview", KNOWN, stands(warned=True)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "verdict", "trouble"), TROUBLES, ids=[name for name, _, _ in TROUBLES])
def test_what_contradicts_us_is_found(name: str, verdict: Verdict, trouble: Trouble, tmp_path: Path) -> None:
    """Where E*TRADE does otherwise the one fact about it says so, and the rest of the probe goes on."""
    home = KeyHome(lively())
    hand = home.signed_in()
    trouble(home)
    found = probed(home, tmp_path, minutes=0.5, hand=hand)
    assert found[name].verdict is verdict, found[name]
    assert found["Quotes"].verdict is KNOWN


def test_delayed_quotes_are_told_once_with_the_remedy(tmp_path: Path) -> None:
    """However many quotes are delayed, the report names the remedy once."""
    home = KeyHome(lively())
    hand = home.signed_in()
    home.simulator.delay_quotes(True)
    probed(home, tmp_path, minutes=0.5, hand=hand)
    assert (tmp_path / run.REPORT).read_text().count("market data agreement") == 1


@pytest.mark.parametrize(("limits", "verdict", "throttled"), [
    ({}, KNOWN, 1), ({"orders_limit": MANY}, KNOWN, 0),
    ({"orders_limit": Limit(per_second=1, per_hour=9_000)}, CONTRADICTS, 1),
])  # fmt: skip
def test_a_stage_ends_with_its_first_throttle_answer(
    limits: dict[str, Any], verdict: Verdict, throttled: int, tmp_path: Path
) -> None:  # fmt: skip
    """A module that is throttled is not asked again at that rate nor a greater one, and the limit is judged by it."""
    home = KeyHome(lively(), accounts_limit=MANY, **limits)
    found = probed(home, tmp_path)
    assert found["Limit of orders"].verdict is verdict
    assert home.simulator.ledger()["throttled"] == throttled
    assert found["Form of a throttle answer"].verdict is (KNOWN if throttled else NOT_SEEN)


def test_an_order_that_the_owner_places_meanwhile_shows_the_lag(tmp_path: Path) -> None:
    """An order that comes into the list while the probe lists tells by when it was there, and its order is compared."""
    home = KeyHome(lively(), orders_limit=MANY)
    hand = home.signed_in()
    given, desk = key.credentials_of(hand), hand.desk
    by_hand = EtradeBroker(
        credentials=lambda: given, sandbox=False, clock=desk.clock, chance=SeededChance(9), journal=desk.journal,
        limits=Pace(desk.clock), side_by_side=Threads(desk.clock), caller="owner", purpose=Purpose.ENTER,
        http=home.http,
    )  # fmt: skip

    def tell(said: str) -> None:
        if said.startswith("orders: 2 "):
            for name in ("ByHand1", "ByHand2"):
                wanted = ticket(name, limit="9.00", symbol="ZXAA", quantity=1)
                answer: Any = by_hand.preview(CASH_ACCOUNT_KEY, wanted)
                late = home.clock.at + timedelta(seconds=9)
                by_hand.place(CASH_ACCOUNT_KEY, wanted, answer.preview_ids, deadline=late)

    done = run.probe(hand, minutes=0.5, symbols=SYMBOLS, out=tmp_path, tell=tell)
    found = {fact.name: fact for fact in done.facts}
    assert (found["Lag of the order list"].verdict, found["Order of the list"].verdict) == (KNOWN, KNOWN)
    assert found["Order list"].verdict is KNOWN


@pytest.mark.parametrize(("said", "verdict"), [("1700000000000", KNOWN), ("17", CONTRADICTS), (None, NOT_SEEN)])
def test_the_marker_is_compared_with_the_last_order(said: str | None, verdict: Verdict) -> None:
    """The marker of a page is the instant of its last order, or it contradicts us; without one nobody saw it."""
    rows = [{"OrderDetail": [{"placedTime": at}]} for at in (1_700_000_000_001, 1_700_000_000_000)]
    body = json.dumps({"OrdersResponse": {"Order": rows, **({"marker": said} if said else {})}}).encode()
    heard = Heard(endpoint=Endpoint.ORDERS, sent_at=NOON, received_at=NOON, status=200, body=body)
    assert judge.marker(Seen(symbols=SYMBOLS, began_at=NOON, heard=[heard])).verdict is verdict


def test_a_throttle_answer_beside_a_system_proves_nothing(tmp_path: Path) -> None:
    """Where a system used the key meanwhile the report says so, and its calls contradict no limit."""
    home = KeyHome(lively(), accounts_limit=MANY, orders_limit=Limit(per_second=1, per_hour=9_000))
    hand = replace(home.signed_in(), running=True, simulated=True)
    found = probed(home, tmp_path, hand=hand)
    assert found["Limit of orders"].verdict is NOT_SEEN
    assert "used this key at the same time" in (tmp_path / run.REPORT).read_text()


def test_the_market_is_not_asked_four_times_a_second(tmp_path: Path) -> None:
    """Three calls a second prove nothing about a fourth, and the report says that nobody saw it."""
    assert probed(KeyHome(lively()), tmp_path)["Limit of market"].verdict is NOT_SEEN


def test_a_sandbox_whose_quotes_are_others_is_previewed_all_the_same(tmp_path: Path) -> None:
    """At the sandbox a symbol that it does not quote is previewed at a dollar; at production it is not."""
    for sandbox, previews in ((True, 2), (False, 0)):
        home = KeyHome(lively())
        hand = home.signed_in(sandbox=sandbox)
        home.simulator.inject(Fault(endpoint="quotes", kind="empty-200", count=500))
        assert probed(home, tmp_path, minutes=0.5, hand=hand)["Quotes"].verdict is CONTRADICTS
        assert home.calls()["preview"] == previews
        assert ("sandbox's answers are made up" in (tmp_path / run.REPORT).read_text()) is sandbox


def test_the_chosen_account_is_asked_about_first(tmp_path: Path) -> None:
    """Where an account is chosen it is the one that is previewed and measured, and without a choice the first is."""
    for account_id, wanted in ((NUMBERS[1], "MARGIN"), ("", "CASH")):
        home = KeyHome(lively())
        hand = home.signed_in(account_id=account_id)
        probed(home, tmp_path, minutes=0.5, hand=hand)
        case = json.loads((tmp_path / run.CAPTURE).read_text())
        first = next(one for one in case["answers"] if one["endpoint"] == "balance")
        assert first["body"]["BalanceResponse"]["accountMode"] == wanted


def test_a_token_that_ends_in_the_middle_is_said(tmp_path: Path) -> None:
    """When the token dies between, what was seen until then is written, and the report says that it is not all."""
    home = KeyHome(lively())
    hand = home.signed_in()
    home.end_token(hand)
    found = probed(home, tmp_path, minutes=0.5, hand=hand)
    assert found["Account list"].verdict is NOT_SEEN
    assert "The access token ended during the probe" in (tmp_path / run.REPORT).read_text()


def test_the_probe_does_not_run_beside_a_system_that_works(tmp_path: Path) -> None:
    """In the hours of a system that runs with the key nothing is asked; in the evening, and without one, it is."""
    home = KeyHome(lively())
    hand = home.signed_in()
    with pytest.raises(UserError, match="its stops and exits need the calls"):
        run.require_alone(replace(hand, running=True), 10)
    run.require_alone(replace(hand, running=True, simulated=True), 10)
    run.require_alone(hand, 10)
    home.clock.at = NOON + timedelta(hours=7)
    run.require_alone(replace(hand, running=True), 10)
    home.clock.at = NOON + timedelta(hours=18, minutes=55)
    with pytest.raises(UserError):
        run.require_alone(replace(hand, running=True), 10)


def test_a_folder_that_cannot_be_written_is_found_before_the_first_call(tmp_path: Path) -> None:
    """Where the files cannot be written nothing is asked of E*TRADE."""
    home = KeyHome(lively())
    hand = home.signed_in()
    before = sum(home.calls().values())
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be made"):
        probed(home, tmp_path / "file", hand=hand)
    assert sum(home.calls().values()) == before


def test_a_pace_is_never_faster_than_asked() -> None:
    """Whatever a call takes, no more calls leave within a second than the stage wants, and none after its end."""
    clock = HandClock(NOON)
    pace, left = Pace(clock), list[datetime]()
    pace.begin(Stage(module=Module.MARKET, rate=3, lasts=timedelta(seconds=20)))
    with suppress(StageOver):
        while clock.at < NOON + timedelta(minutes=1):
            turn = pace.take(Module.MARKET, Purpose.ENTER)
            assert turn is not None
            clock.forward((0.0, 0.3, 0.01)[len(left) % 3])  # a machine that is busy sends late
            pace.sent(Module.MARKET, turn)
            left.append(clock.at)
            clock.forward((0.01, 0.4, 0.02, 1.2)[len(left) % 4])
    assert most_in_a_second(left) <= 3
    assert left[-1] < NOON + timedelta(seconds=20)


def test_the_stages_take_the_minutes_that_were_given() -> None:
    """Each module has each rate once, the slowest first, and all of them together last as long as was asked for."""
    found = stages(10)
    assert abs(sum((one.lasts for one in found), timedelta(0)) - timedelta(minutes=10)) < timedelta(milliseconds=1)
    assert [one.rate for one in found] == sorted(one.rate for one in found)
    assert len({(one.module, one.rate) for one in found}) == 9


@pytest.mark.parametrize(("text", "shown"), [
    ("PDT_MIN_EQUITY_RES_1XK", True), ("REG T", True), ("12345678", False), ("A1234567", False), ("Jane", False),
    ("", False),
])  # fmt: skip
def test_only_words_of_etrade_are_repeated(text: str, shown: bool) -> None:
    """A word in capitals is repeated, a name or a number never is."""
    assert (word(text) == text) is shown


class Places:
    """A seeded mistake: reads whose preview places the order, over a transport that is guarded or not."""

    def __init__(self, home: KeyHome, *, guarded: bool) -> None:
        self._hand, self._home = home.signed_in(), home
        given, desk = key.credentials_of(self._hand), self._hand.desk
        self.pace, self.ear = Pace(desk.clock), Ear(home.http, desk.clock)
        way: BaseAdapter = key.ReadsAlone(self.ear) if guarded else home.http
        self._broker = EtradeBroker(
            credentials=lambda: given, sandbox=False, clock=desk.clock, chance=desk.chance, journal=desk.journal,
            limits=self.pace, side_by_side=Threads(desk.clock), caller="owner", purpose=Purpose.ENTER, http=way,
        )  # fmt: skip

    def run(self) -> None:
        """Probe with it."""
        clock: Clock = self._hand.desk.clock
        reads = replace(key.reads(self._hand), preview=self._place)
        Probe(
            reads=reads, ear=self.ear, pace=self.pace, clock=clock, chance=self._hand.desk.chance, symbols=SYMBOLS,
            tell=lambda _: None, sandbox=False,
        ).run(0.5)  # fmt: skip

    def _place(self, account: str, ticket: Any) -> Any:
        answer: Any = self._broker.preview(account, ticket)
        late = self._hand.desk.clock.now() + timedelta(seconds=9)
        self._broker.place(account, ticket, answer.preview_ids, deadline=late)
        return answer


def test_a_probe_that_would_place_is_found_and_stopped() -> None:
    """Seeded: a probe whose broker places is seen by the check, and over the guarded transport it places nothing."""
    home = KeyHome(lively(), accounts_limit=MANY, orders_limit=MANY)
    Places(home, guarded=False).run()
    with pytest.raises(AssertionError):
        home.nothing_was_placed()
    home = KeyHome(lively(), accounts_limit=MANY, orders_limit=MANY)
    with pytest.raises(InvariantBroken, match="not sent"):
        Places(home, guarded=True).run()
    home.nothing_was_placed()


def test_the_command_shows_what_contradicts_us(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command names what contradicts us and where the two files are, in words and as JSON."""
    home = KeyHome(lively())
    hand = home.signed_in()
    command.probe(hand, SYMBOLS, minutes=0.5, out=tmp_path, anew=False, browser=False, json=False)
    shown = capsys.readouterr().out
    assert "Contradicts our assumption: " in shown
    assert str(tmp_path / run.REPORT) in shown
    command.probe(hand, SYMBOLS, minutes=0.5, out=tmp_path, anew=False, browser=False, json=True)
    assert json.loads(capsys.readouterr().out)["capture"] == str(tmp_path / run.CAPTURE)


def test_it_probes_over_loopback(tmp_path: Path) -> None:
    """Over real sockets, in a time that only waiting moves, the client that trades is measured all the same."""
    home = KeyHome(lively())

    class AsSigned:
        """The simulator, which believes a proxy's word for the scheme, as signatures name it."""

        def __call__(self, environ: Any, start_response: Any) -> Any:
            environ["wsgi.url_scheme"] = environ.get("HTTP_X_FORWARDED_PROTO", "http")
            return home.simulator(environ, start_response)

    with nullcontext(AsSigned()) as application, serve(application, 0) as served:  # type: ignore[arg-type]
        home.http = Slowly(ToSimulator(served.url), home.clock)
        found = probed(home, tmp_path, minutes=0.5)
    assert found["Account list"].verdict is KNOWN
    assert found["Preview"].verdict is KNOWN
    home.nothing_was_placed()
