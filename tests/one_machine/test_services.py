"""The one-machine cloud's services: who may call, for what, what they answer, and what never leaves them."""

import http.client
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.one_machine.bus import LocalBus
from infra.one_machine.clock import SeededChance
from infra.one_machine.live import LiveKernel
from infra.one_machine.queue import SqliteQueue
from infra.one_machine.remote import RemoteBus, RemoteVault
from infra.one_machine.services import MAX_BODY, OWNER, ServiceDesk
from infra.one_machine.timeline import Timeline
from infra.one_machine.vault import FileVault
from infra.one_machine.wire import Services, text
from infra.one_machine.world_file import WorldFile
from shared.errors import InvariantBroken, NotSent, StoreDown
from shared.stored import Domain
from shared.topology import RW, TOPOLOGY, Function, Right, Topology
from tests.doors.fakes import Lines
from tests.patience import PATIENCE_S

_Served = tuple[ServiceDesk, SqliteQueue, LiveKernel]
KEY = bytes(range(32))
CANARY = "canary-of-a-secret"
_WORKER = Function(
    name="worker", purpose="", home=Domain.BOOK, publishes=frozenset({"works", "unmade"}),
    secrets={"access": RW, "empty": RW},
)  # fmt: skip
_TOPOLOGY = Topology(
    functions=(_WORKER,), topics={"works": ""}, schedules=(), secrets={"access": "", "empty": ""}, collections={}
)


@contextmanager
def _desk_of(folder: Path, topology: Topology, secrets: Sequence[str], journal: Lines) -> Iterator[_Served]:
    """Serve a bus and a vault that holds some secrets, on a kernel that lives."""
    kernel = LiveKernel(timeline=Timeline.real(), seed=1)
    vault = FileVault(folder / "vault.bin", key=KEY)
    for secret in secrets:
        vault.add(secret, CANARY.encode())

    def live() -> None:
        kernel.run(datetime(9000, 1, 1, tzinfo=UTC))
        kernel.close()

    with closing(SqliteQueue(folder / "state.db")) as queue:
        bus = LocalBus(
            kernel=kernel, topology=topology, queue=queue, deliver=lambda _function, _body: 204,
            chance=SeededChance(seed=1, name="bus"),
        )  # fmt: skip
        thread = threading.Thread(target=live)
        with ServiceDesk(kernel=kernel, bus=bus, vault=vault, topology=topology, journal=journal) as desk:
            thread.start()
            try:
                yield desk, queue, kernel
            finally:
                kernel.stop()
                thread.join()


@contextmanager
def _served(folder: Path) -> Iterator[tuple[Services, SqliteQueue, LiveKernel]]:
    """Serve the one function of a small graph."""
    with _desk_of(folder, _TOPOLOGY, ["access"], Lines()) as (desk, queue, kernel):
        yield desk.services("worker"), queue, kernel


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Services, SqliteQueue, LiveKernel]]:
    """Give the services, the bus's queue and the kernel."""
    with _served(tmp_path) as given:
        yield given


@pytest.fixture
def services(served: tuple[Services, SqliteQueue, LiveKernel]) -> Services:
    """Give where the services are."""
    return served[0]


def _raw(services: Services, body: bytes, **given: Any) -> tuple[int, bytes]:
    """Send what a client of ours would not."""
    headers = {"Authorization": f"Bearer {services.key}"} | given.pop("headers", {})
    with closing(http.client.HTTPConnection(services.address, timeout=PATIENCE_S)) as connection:
        connection.request(given.get("method", "POST"), given.get("path", "/vault/read"), body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()


READ = json.dumps({"secret": "access", "version": "1"}).encode()


@pytest.mark.parametrize("key", ["", "Bearer ", "Bearer wrong", "Basic eDp5", "Bearer \xe4"])
def test_who_has_no_key_learns_nothing(services: Services, key: str) -> None:
    """A call without the run's key is 403, whatever it asks for, and its answer holds neither key nor secret."""
    for path in ("/vault/read", "/publish", "/nowhere"):
        status, said = _raw(services, READ, path=path, headers={"Authorization": key})
        assert status == 403
        assert CANARY.encode() not in said
        assert services.key.encode() not in said


@pytest.mark.parametrize(
    ("body", "given", "expected"),
    [
        (READ, {}, 200),
        (b'{"secret":"access","version":"2"}', {}, 404),
        (b'{"secret":"empty","version":"1"}', {}, 404),
        (b'{"secret":"nothing","version":"1"}', {}, 403),
        (b'{"secret":"access"}', {}, 409),
        (b'{"secret":"access","version":["1"]}', {}, 409),
        (b'["access","1"]', {}, 409),
        (b'"access"', {}, 409),
        (b"{", {}, 409),
        (b"", {}, 409),
        (b"\xff\xfe", {}, 409),
        (READ, {"path": "/vault/list"}, 409),
        (READ, {"path": "/"}, 409),
        (READ, {"method": "PUT"}, 409),
        (READ, {"headers": {"Content-Length": "-5"}}, 409),
        (READ, {"path": "/vault/add"}, 409),
        (b'{"secret":"access","value":"no base64!"}', {"path": "/vault/add"}, 409),
        (b'{"topic":"works","data":"","attributes":7,"ordering_key":""}', {"path": "/publish"}, 409),
        (b'{"topic":"nowhere","data":"","attributes":{},"ordering_key":""}', {"path": "/publish"}, 403),
        (b'{"topic":"unmade","data":"","attributes":{},"ordering_key":""}', {"path": "/publish"}, 409),
        (b'{"topic":["works"],"data":"","attributes":{},"ordering_key":""}', {"path": "/publish"}, 409),
    ],
)
def test_every_question_has_an_answer(services: Services, body: bytes, given: dict[str, Any], expected: int) -> None:
    """What cannot be asked is 409, not there 404, not one's own 403, without a secret, and the next call is served."""
    status, said = _raw(services, body, **given)
    assert status == expected
    if expected != 200:
        assert CANARY.encode() not in said
        assert services.key.encode() not in said
    assert RemoteVault(services).read("access", "1") == CANARY.encode()


def test_what_is_too_large_is_refused_unread(services: Services) -> None:
    """A question beyond the largest is 409, or its connection ends, and nothing of it is stored."""
    large = json.dumps({"secret": "access", "value": "A" * MAX_BODY}).encode()
    try:
        status, _ = _raw(services, large, path="/vault/add")
    except OSError:
        status = 409
    assert status == 409
    assert RemoteVault(services).versions("access") == ("1",)


def test_a_disk_that_refuses_is_told_as_such(served: tuple[Services, SqliteQueue, LiveKernel]) -> None:
    """When the queue's disk refuses, publishing is NotSent for the function; a bug stays a bug."""
    services, queue, _ = served
    queue.close()
    with pytest.raises(NotSent, match="closed"):
        RemoteBus(services).publish("works", b"x", attributes={})
    with pytest.raises(InvariantBroken):
        RemoteBus(services).publish("unmade", b"x", attributes={})
    with pytest.raises(InvariantBroken):
        RemoteVault(services).add("access", b"x" * 65_537)


def test_a_desk_that_ends_refuses(served: tuple[Services, SqliteQueue, LiveKernel]) -> None:
    """While the desk ends, publishing is NotSent at once, and nothing is queued."""
    services, queue, kernel = served
    kernel.stop()
    with pytest.raises(NotSent, match="closing"):
        RemoteBus(services).publish("works", b"x", attributes={})
    assert queue.pending() == []


def test_services_that_are_gone_are_not_sent_and_store_down(tmp_path: Path) -> None:
    """When nobody listens any more, publishing is NotSent and the vault is StoreDown, without the key in the words."""
    with _served(tmp_path) as (services, _, _):
        pass
    with pytest.raises(NotSent) as lost:
        RemoteBus(services).publish("works", b"x", attributes={})
    with pytest.raises(StoreDown) as down:
        RemoteVault(services).read("access", "1")
    assert services.key not in f"{lost.value!r}{down.value!r}{services!r}"


def test_the_worlds_file_is_the_owners_alone(tmp_path: Path) -> None:
    """The file that holds the key is its owner's only, also over one that was not, and no text shows the key."""
    path = tmp_path / "world.json"
    path.write_text("{}")
    path.chmod(0o666)
    world = WorldFile(cloud="local", push_key="x", services="127.0.0.1:1", key=CANARY)
    world.write(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert WorldFile.read(path) == world
    assert CANARY not in f"{world!r}{world}"


def test_a_world_whom_nobody_delivers_to_lets_nobody_in() -> None:
    """The owner's world has no key for deliveries, and nothing that is shown counts as that."""
    answered: list[str] = []
    app = WorldFile(cloud="local", push_key="").admitting(lambda *_: [b"in"], public=False)
    for shown in ("", "Bearer ", "Bearer x"):
        asked = {"HTTP_AUTHORIZATION": shown, "PATH_INFO": "/", "REQUEST_METHOD": "POST"}
        assert list(app(asked, lambda status, _headers: answered.append(status))) != [b"in"]
    assert answered == ["403 Forbidden"] * 3


_ALL_RIGHTS = replace(
    TOPOLOGY,
    functions=tuple(
        replace(one, publishes=frozenset(TOPOLOGY.topics), secrets=dict.fromkeys(TOPOLOGY.secrets, RW))
        for one in TOPOLOGY.functions
    ),
)
"""What one key for all amounts to: whoever has it may do all that anybody may."""


def _attempts(services: Services) -> dict[tuple[str, str], int]:
    """Ask for everything there is with one caller's key: publish anywhere, do anything to each secret."""
    found = {}
    for topic in TOPOLOGY.topics:
        asked = {"topic": topic, "data": "", "attributes": {}, "ordering_key": ""}
        found["publish", topic], _ = services.ask("/publish", **asked)
    for secret in TOPOLOGY.secrets:
        found["read", secret], _ = services.ask("/vault/read", secret=secret, version="1")
        found["versions", secret], _ = services.ask("/vault/versions", secret=secret)
        found["add", secret], _ = services.ask("/vault/add", secret=secret, value=text(b"x"))
        found["destroy", secret], _ = services.ask("/vault/destroy", secret=secret, version="2")
    return found


def _declared(caller: Function) -> dict[tuple[str, str], int]:
    """Answer each of these attempts as the topology has it."""
    needs = {"read": Right.READ, "versions": Right.READ, "add": Right.CREATE, "destroy": Right.WRITE}
    allowed = {("publish", topic): topic in caller.publishes for topic in TOPOLOGY.topics}
    for secret in TOPOLOGY.secrets:
        held = caller.secrets.get(secret, Right(0))
        allowed |= {(what, secret): right in held for what, right in needs.items()}
    return {attempt: 200 if may else 403 for attempt, may in allowed.items()}


def _differs(folder: Path, caller: Function, topology: Topology, journal: Lines) -> dict[tuple[str, str], int]:
    """Give what a caller is answered on one machine and should not be."""
    with _desk_of(folder, topology, [*TOPOLOGY.secrets, *TOPOLOGY.secrets], journal) as (desk, _, _):
        answers = _attempts(desk.services(caller.name))
    declared = _declared(caller)
    return {attempt: status for attempt, status in answers.items() if status != declared[attempt]}


@pytest.mark.parametrize("name", [one.name for one in TOPOLOGY.functions])
def test_a_key_opens_what_its_function_may_and_no_more(tmp_path: Path, name: str) -> None:
    """A function's key opens just the topics and secrets of the topology, and each refusal is a 403 and a line."""
    function, journal = TOPOLOGY.function(name), Lines()
    assert _differs(tmp_path, function, TOPOLOGY, journal) == {}
    refused = [one for one in journal.lines if one["event"] == "undeclared_access"]
    assert len(refused) == list(_declared(function).values()).count(403)
    assert {(one["function"], one["severity"]) for one in refused} == {(name, "CRITICAL")}


@pytest.mark.parametrize("name", [one.name for one in TOPOLOGY.functions])
def test_one_key_for_all_is_found(tmp_path: Path, name: str) -> None:
    """A desk whose every key opens what anybody may lets each function to what it may not, and that is seen."""
    assert _differs(tmp_path, TOPOLOGY.function(name), _ALL_RIGHTS, Lines())


def test_the_owners_key_opens_every_secret_and_no_topic(tmp_path: Path) -> None:
    """The owner's commands may do all with every secret and publish nothing."""
    owner = Function(name=OWNER, purpose="", home=Domain.OWNER, secrets=dict.fromkeys(TOPOLOGY.secrets, RW))
    assert _differs(tmp_path, owner, TOPOLOGY, Lines()) == {}


def test_no_two_callers_have_the_same_key(tmp_path: Path) -> None:
    """Every function and the owner have a key each, another one in the next run."""
    keys = []
    for _ in range(2):
        with _desk_of(tmp_path, TOPOLOGY, [], Lines()) as (desk, _, _):
            keys += [desk.services(name).key for name in (OWNER, *(one.name for one in TOPOLOGY.functions))]
    assert len(set(keys)) == 2 * (1 + len(TOPOLOGY.functions))
