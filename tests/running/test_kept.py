"""What a desk keeps between its starts: the broker's calls, the simulated instant, and which desk the folder is."""

import json
import resource
from collections.abc import Iterator
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.brokersim.in_xml import in_xml
from infra.brokersim.simulator import CASH_ACCOUNT_KEY, ConnectionDropped, SimulatorSettings
from infra.brokersim.wire import json_answer
from infra.one_machine.timeline import Timeline
from infra.operations import systems
from infra.running.broker import KeptSimulator
from infra.running.folder import Folder
from infra.running.instant import AHEAD_S, KeptInstant
from infra.running.plan import Plan
from infra.simulated_day.problems import UserError
from tests.infra.brokersim.world import (
    CONSUMER_KEY,
    CONSUMER_SECRET,
    NOON,
    URL,
    FakeClock,
    ListedMarket,
    World,
    log_in,
    order_body,
    row,
    session_for,
)
from tests.running.desks import SEED, plan_of

_MARKET = ListedMarket({"ZXAA": [row(-14_400, "10.00", "10.02"), row(600, "9.90", "9.92")]})
_SETTINGS = SimulatorSettings(consumer_key=CONSUMER_KEY, consumer_secret=CONSUMER_SECRET, auto_approve=True)
WAITING = {"clientOrderId": "waits", "limitPrice": "9.95"}
"""An order that fills ten minutes after noon."""
ORDERS = f"{URL}/v1/accounts/{CASH_ACCOUNT_KEY}/orders"


class _Desk:
    """The simulator of one file, opened again and again, and a client that signed in once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = FakeClock(NOON)
        self.simulator = self._open()
        self._token = log_in(self.simulator, self.clock).auth.client

    @property
    def world(self) -> World:
        """The client, in front of the present simulator."""
        token = {"key": self._token.resource_owner_key, "secret": self._token.resource_owner_secret}
        api = session_for(
            self.simulator, self.clock, resource_owner_key=token["key"], resource_owner_secret=token["secret"]
        )
        return World(clock=self.clock, simulator=self.simulator, api=api)

    def again(self) -> World:
        """Close the simulator and open it from its file."""
        self.simulator.close()
        self.simulator = self._open()
        return self.world

    def _open(self) -> KeptSimulator:
        return KeptSimulator(path=self.path, market=_MARKET, now=self.clock, settings=_SETTINGS, seed=1)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[_Desk]:
    """Give a desk."""
    desk = _Desk(tmp_path / "calls")
    yield desk
    desk.simulator.close()


def _state(world: World) -> dict[str, Any]:
    """Give the simulator's books, but for the number of quotes that were asked for."""
    ledger: dict[str, Any] = dict(world.simulator.ledger())
    return {**ledger, "calls": {name: count for name, count in ledger["calls"].items() if name != "quotes"}}


def test_a_simulator_goes_on_where_it_ended(desk: _Desk) -> None:
    """After a restart the books are the same, the token still opens them, and what waits fills at its instant."""
    world = desk.world
    bought = world.buy()
    waits = world.buy(**WAITING)
    gone = world.buy(clientOrderId="gone", limitPrice="1.00")
    assert world.cancel(gone).status_code == 200
    before = _state(world)
    world = desk.again()
    assert _state(world) == before
    assert [world.order(number)["status"] for number in (bought, waits)] == ["EXECUTED", "OPEN"]
    assert world.place(1, clientOrderId="waits").status_code != 200
    desk.clock.forward(700)
    assert world.order(waits)["status"] == "EXECUTED"
    filled = _state(world)
    assert _state(desk.again()) == filled
    assert desk.world.buy(clientOrderId="next") > gone


def test_an_order_in_xml_is_there_after_a_restart(desk: _Desk) -> None:
    """A call is repeated as what it was: a body in XML is read as XML again."""
    xml = {"Content-Type": "application/xml"}
    sent = in_xml(json_answer({"PreviewOrderRequest": order_body()})).body
    world = desk.world
    previewed = world.api.post(f"{ORDERS}/preview.json", data=sent, headers=xml).json()["PreviewOrderResponse"]
    placed = {**order_body(), "PreviewIds": previewed["PreviewIds"]}
    desk.clock.forward(1.5)
    body = in_xml(json_answer({"PlaceOrderRequest": placed})).body
    assert world.api.post(f"{ORDERS}/place.json", data=body, headers=xml).status_code == 200
    desk.clock.forward(5)
    before = _state(world)
    assert [order["status"] for order in before["orders"]] == ["EXECUTED"]
    assert _state(desk.again()) == before


def test_what_happened_between_two_calls_happens_again_at_its_instant(desk: _Desk) -> None:
    """A fill that nobody asked for before the kill is there after it, at the same instant."""
    waits = desk.world.buy(**WAITING)
    desk.clock.forward(3_600)
    first = desk.world.order(waits)
    assert desk.again().order(waits) == first
    assert first["status"] == "EXECUTED"


def test_quotes_are_not_kept(desk: _Desk) -> None:
    """Asking for quotes adds nothing to the file, and every other call adds one line."""
    size = desk.path.stat().st_size
    for _ in range(3):
        assert desk.world.get("/v1/market/quote/ZXAA.json").status_code == 200
    assert desk.path.stat().st_size == size
    lines = len(desk.path.read_bytes().splitlines())
    assert desk.world.get("/v1/accounts/list.json").status_code == 200
    assert len(desk.path.read_bytes().splitlines()) == lines + 1


def test_a_torn_last_line_was_never_answered(desk: _Desk) -> None:
    """Half of a last line, as a kill leaves it, is dropped, and the next call begins a line of its own."""
    desk.world.buy()
    before = _state(desk.world)
    whole = desk.path.read_bytes()
    desk.path.write_bytes(whole + whole.splitlines()[-1][:40])
    assert _state(desk.again()) == before
    assert desk.path.read_bytes() == whole
    number = desk.world.buy(clientOrderId="next")
    assert desk.again().order(number)["client_order_id"] == "next"


def test_a_damaged_file_is_refused(desk: _Desk) -> None:
    """A line that is whole but no call is a UserError that names it, and the file stays as it is."""
    whole = desk.path.read_bytes()
    for line in (b"{}", b"[]", b"hello", b'{"body":"","at":"noon"}'):
        desk.path.write_bytes(whole + line + b"\n" + whole)
        with pytest.raises(UserError, match=f"damaged in line {len(whole.splitlines()) + 1}"):
            desk.again()
        assert desk.path.read_bytes() == whole + line + b"\n" + whole
    desk.path.write_bytes(whole)


def test_a_call_that_the_disk_does_not_take_is_never_done(desk: _Desk) -> None:
    """On a full disk a call ends without an answer and without an effect, and no half of it is in the file."""
    previewed = desk.world.preview().json()["PreviewOrderResponse"]["PreviewIds"][0]["previewId"]
    before, whole = _state(desk.world), desk.path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for room in (0, 40):
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + room, limits[1]))
        try:
            with pytest.raises(ConnectionDropped):
                desk.world.place(previewed)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert desk.path.read_bytes() == whole
        assert _state(desk.world) == before
    assert desk.world.place(previewed).status_code == 200
    assert len(_state(desk.again())["orders"]) == 1


@pytest.mark.parametrize("speed", [1.0, 20.0])
def test_time_never_goes_back_after_a_kill(tmp_path: Path, speed: float) -> None:
    """Whenever the desk dies, the instant that is written lies ahead of all that it saw, and not far ahead."""
    kept, timeline = KeptInstant(tmp_path), Timeline.starting(NOON, speed)
    assert kept.read() is None
    for _ in range(20):
        before = timeline.now()
        kept.lease(timeline)
        found = KeptInstant(tmp_path).read()
        assert found is not None
        ahead = timedelta(seconds=AHEAD_S * speed)
        assert before + ahead <= found <= timeline.now() + ahead
    kept.write(NOON)
    assert KeptInstant(tmp_path).read() == NOON


@pytest.mark.parametrize(
    ("changes", "was"),
    [
        ({"seed": SEED + 1}, f"seed {SEED}"),
        ({"cloud": "emulators"}, "cloud local"),
        ({"config": "default"}, "config demo"),
        ({"market": "day.csv"}, "market generated"),
        ({"broker": "sandbox", "speed": 1.0}, "broker simulator"),
    ],
)
def test_a_folder_stays_the_desk_that_it_is(tmp_path: Path, changes: dict[str, Any], was: str) -> None:
    """A folder is refused to a desk of another kind, with what it was and a remedy; speed and hours may change."""
    folder = Folder(path=tmp_path)
    folder.require_same(plan_of(tmp_path, seed=SEED + 1))  # nothing runs here yet
    folder.remember(plan_of(tmp_path))
    folder.require_same(plan_of(tmp_path, speed=1.0))
    with pytest.raises(UserError, match=was) as refused:
        folder.require_same(plan_of(tmp_path, **changes))
    assert "--state" in refused.value.remedy
    folder.require_same(plan_of(tmp_path))


def test_a_system_goes_on_as_it_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that goes on has the speed and the hours of the start, and serves in any folder."""
    monkeypatch.chdir(tmp_path)
    folder = Folder(path=Path("desk"))
    folder.path.mkdir()
    folder.remember(plan_of(folder.path, speed=20.0, starts=time(9, 5)))
    command = systems.again(folder.path) or ""
    assert command.endswith(f"--speed 20 --starts 09:05 --network fast --state {tmp_path / 'desk'}"), command
    folder.remember(Plan(state=folder.path, environ={}))
    assert not any(one in (systems.again(folder.path) or "") for one in ("--speed", "--starts", "--network"))


@pytest.mark.parametrize("content", [b"", b"7", b"[1]", b"{"])
def test_a_damaged_card_is_told(tmp_path: Path, content: bytes) -> None:
    """A card that cannot be read is a UserError that says what to write into it."""
    folder = Folder(path=tmp_path)
    (tmp_path / "desk.json").write_bytes(content)
    with pytest.raises(UserError, match="damaged") as refused:
        folder.require_same(plan_of(tmp_path))
    assert f'"seed":"{SEED}"' in refused.value.remedy
    card = refused.value.remedy.removeprefix("write ").partition(" into")[0]
    (tmp_path / "desk.json").write_text(card)
    assert json.loads(card)["broker"] == "simulator"
    folder.require_same(plan_of(tmp_path))
