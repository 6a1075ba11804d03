"""The world: real apps, real pushes, one folder, and a restart after a kill."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from infra.one_machine.history import MarketHistory
from infra.one_machine.kernel import Kernel
from infra.one_machine.world import World
from shared import wiring
from shared.errors import ConfigError, InvariantBroken
from shared.stored import Collection, Domain
from shared.topology import Function, Schedule, Subscription, Topology

START = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
KEY = bytes(range(32))
_ROOT = Path(__file__).resolve().parents[2]
_TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

_CALL = "import sys; from pathlib import Path; from tests.one_machine.test_world import _day, _die; {}"
_FRONT = """
import flask
from datetime import timedelta
from shared.ports import Put
from shared.wiring import platform

NAME = "front"

def main(request: flask.Request) -> tuple[str, int]:
    ports = platform(NAME)
    ports.journal.line("asked", path=request.path)
    if request.path == "/denied":
        ports.journal.line("undeclared_access", collection="secrets")
    if request.path == "/long":
        ports.clock.sleep_until(ports.clock.now() + timedelta(seconds=5))
    ports.vault.add("token", request.get_data())
    ports.store.commit([Put("asked/1", {"path": request.path, "by": ports.environ["OWNER"]})])
    ports.bus.publish("work", request.get_data(), attributes={"traceparent": request.headers["traceparent"]})
    return f"{NAME} {request.path} {flask.request.args.get('q')}", 200
"""
_BACK = """
import base64
import flask
from shared.ports import Create
from shared.wiring import platform

NAME = "back"

def main(request: flask.Request) -> tuple[str, int]:
    ports = platform(NAME)
    push = request.get_json()
    message = push["message"]
    if ports.environ.get("STUBBORN"):
        return "", 500
    text = base64.b64decode(message["data"]).decode()
    path = f"done/{message['messageId']}"
    ports.journal.line("done", message=message["messageId"])
    if ports.store.get(path) is None:
        ports.store.commit([Create(path, {"text": text, "draw": ports.chance.token(8)})])
    return "", 204
"""
_TOPOLOGY = Topology(
    functions=(
        Function(name="front", purpose="asks", home=Domain.MARKET, publishes=frozenset({"work"}), concurrency=2),
        Function(
            name="back",
            purpose="does",
            home=Domain.BOOK,
            subscriptions=(Subscription(topic="work"), Subscription(topic="ticks")),
            concurrency=4,
        ),
    ),
    topics={"work": "", "ticks": ""},
    schedules=(Schedule(name="tick", cron="* * * * *", topic="ticks", message="tick"),),
    secrets={},
    collections={
        "asked": Collection(purpose="what was asked", domain=Domain.MARKET),
        "done": Collection(purpose="what was done", domain=Domain.BOOK),
    },
)


def _functions(folder: Path) -> Path:
    for name, code in (("front", _FRONT), ("back", _BACK)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "main.py").write_text(code)
    return folder


def _world(folder: Path, seed: int = 1, start: datetime = START, **environ: str) -> World:
    return World(
        kernel=Kernel(start=start, seed=seed),
        topology=_TOPOLOGY,
        state=folder / "state",
        environ={"OWNER": "me", **environ},
        http=None,
        history=MarketHistory({}),
        vault_key=KEY,
        seed=seed,
        body_of=str.encode,
        functions_dir=_functions(folder / "functions"),
    )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a fresh world of two functions."""
    world = _world(tmp_path)
    yield world
    world.close()


def _after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_request_becomes_a_message_becomes_a_document(world: World) -> None:
    """A call to one app is published through its ports and pushed to the other app, which does its work."""
    status, headers, body = world.request("front", "POST", "/go%20on?q=1", {"traceparent": _TRACEPARENT}, b"hello")
    assert (status, body) == (200, b"front /go on 1")
    assert dict(headers)["Content-Type"].startswith("text/html")
    asked = world.store.get("asked/1")
    assert asked is not None
    assert asked.data == {"path": "/go on", "by": "me"}
    assert world.vault.read("token", "1") == b"hello"
    world.run(_after(5))
    (done,) = world.store.query("done")
    assert done.data["text"] == "hello"
    assert world.bus.pending == 0


def test_the_journal_tells_who_did_what(world: World, tmp_path: Path) -> None:
    """Each function's lines carry its name and the simulated instant."""
    world.request("front", "POST", "/", {"traceparent": _TRACEPARENT})
    world.run(_after(5))
    lines = [json.loads(line) for line in (tmp_path / "state" / "journal.jsonl").read_text().splitlines()]
    assert [(line["event"], line["function"]) for line in lines] == [("asked", "front"), ("done", "back")]
    assert lines[0]["at"] == START.isoformat()
    assert world.journal.counts == {"asked": 1, "done": 1}


def test_undeclared_accesses_are_listed(world: World) -> None:
    """What the guard has journalled as an undeclared access stands in `denied`."""
    assert world.denied == []
    world.request("front", "GET", "/denied", {"traceparent": _TRACEPARENT})
    assert [line["collection"] for line in world.denied] == ["secrets"]


def test_requests_at_once_keep_apart_and_are_limited(world: World) -> None:
    """Two invocations of one app in flight each see their own request, and the third is answered 429."""
    answers: dict[str, tuple[int, bytes]] = {}

    def ask(query: str) -> None:
        answer = world.request("front", "GET", f"/long?q={query}", {"traceparent": _TRACEPARENT})
        answers[query] = (answer.status, answer.body)

    for place, query in enumerate("abc"):
        world.kernel.spawn(partial(ask, query), at=_after(place), name="caller")
    world.run(_after(20))
    assert answers == {
        "a": (200, b"front /long a"),
        "b": (200, b"front /long b"),
        "c": (429, b"Rate exceeded."),
    }
    world.request("front", "GET", "/", {"traceparent": _TRACEPARENT})
    assert len(world.store.query("done")) == 2


def test_schedules_reach_their_function(world: World) -> None:
    """Each minute's tick is published with its body and pushed."""
    world.start_schedules(_after(180))
    world.run(_after(300))
    assert [one.data["text"] for one in world.store.query("done")] == ["tick"] * 4


def test_apps_leave_no_trace_in_the_process(tmp_path: Path) -> None:
    """Starting functions changes neither the modules, the search path nor the environment of the process."""
    before = (sys.modules.get("main"), list(sys.path), dict(os.environ))
    _world(tmp_path).close()
    assert (sys.modules.get("main"), list(sys.path), dict(os.environ)) == before


def test_a_closed_world_gives_no_ports(tmp_path: Path) -> None:
    """After `close` the wiring has no world any more, the folder is free, and closing again is no error."""
    world = _world(tmp_path)
    with pytest.raises(InvariantBroken):
        world.platform("nobody")
    world.close()
    world.close()
    with pytest.raises(ConfigError, match="closed"):
        wiring.platform("front")
    _world(tmp_path).close()


def test_a_folder_in_use_or_with_another_key_is_refused(tmp_path: Path) -> None:
    """A second world on one folder, or a damaged vault, is a ConfigError that leaves the folder usable."""
    first = _world(tmp_path)
    with pytest.raises(ConfigError, match="a system runs in"):
        _world(tmp_path)
    first.vault.add("token", b"x")
    first.close()
    raw = (tmp_path / "state" / "vault.bin").read_bytes()
    (tmp_path / "state" / "vault.bin").write_bytes(raw[:-1])
    with pytest.raises(ConfigError, match="another key"):
        _world(tmp_path)
    (tmp_path / "state" / "vault.bin").write_bytes(raw)
    _world(tmp_path).close()


def _day(folder: Path, seed: int) -> bytes:
    world = _world(folder, seed)
    world.start_schedules(_after(600))
    for n in range(5):
        world.request("front", "POST", f"/{n}", {"traceparent": _TRACEPARENT}, b"x")
    world.run(_after(700))
    world.close()
    return (folder / "state" / "journal.jsonl").read_bytes()


def test_equal_seeds_live_equal_days(tmp_path: Path) -> None:
    """Two worlds of one seed write the same journal to the byte, and another seed's differs."""
    one = _day(tmp_path / "one", 1)
    assert one == _day(tmp_path / "two", 1)
    assert one != _day(tmp_path / "three", 2)


def test_the_hash_seed_changes_nothing(tmp_path: Path) -> None:
    """Under two hash seeds a world of one seed writes the same journal to the byte."""
    code = _CALL.format("_day(Path(sys.argv[1]), 3)")
    for hash_seed in ("1", "2"):
        subprocess.run(  # noqa: S603 - our own interpreter, fixed code
            [sys.executable, "-c", code, str(tmp_path / hash_seed)],
            cwd=_ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
        )
    journals = {(tmp_path / hash_seed / "state" / "journal.jsonl").read_bytes() for hash_seed in ("1", "2")}
    assert len(journals) == 1


def _die(folder: Path) -> None:
    """Take three messages, refuse to handle them, and be killed in the middle of it."""
    world = _world(folder, STUBBORN="1")
    for _ in range(3):
        world.request("front", "POST", "/", {"traceparent": _TRACEPARENT}, b"survivor")
    world.run(_after(15))
    world.kernel.spawn(lambda: os.kill(os.getpid(), signal.SIGKILL), at=_after(16), name="reaper")
    world.run(_after(20))


def test_a_killed_world_goes_on_where_it_was(tmp_path: Path) -> None:
    """After a SIGKILL the next world takes the folder up and delivers what was not acknowledged."""
    code = _CALL.format("_die(Path(sys.argv[1]))")
    died = subprocess.run(  # noqa: S603 - our own interpreter, fixed code
        [sys.executable, "-c", code, str(tmp_path)], cwd=_ROOT, check=False
    )
    assert died.returncode == -signal.SIGKILL
    world = _world(tmp_path, start=_after(3600))
    assert world.bus.pending == 3
    assert world.vault.versions("token") == ("1", "2", "3")
    world.run(_after(3700))
    assert [one.data["text"] for one in world.store.query("done")] == ["survivor"] * 3
    assert world.bus.pending == 0
    world.close()


def test_an_interrupted_run_can_be_closed(tmp_path: Path) -> None:
    """An interrupt leaves `run` at once, and after `close` another world takes the folder up."""
    world = _world(tmp_path)

    def interrupt() -> None:
        raise KeyboardInterrupt

    def waiting() -> None:
        world.request("front", "GET", "/long", {"traceparent": _TRACEPARENT})

    world.kernel.spawn(waiting, name="caller")
    world.kernel.spawn(interrupt, at=_after(2), name="owner")
    with pytest.raises(KeyboardInterrupt):
        world.run(_after(60))
    world.close()
    following = _world(tmp_path)
    assert following.journal.counts == {}
    following.close()
