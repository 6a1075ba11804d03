"""The one-machine cloud's services: who may call, what they answer, and what never leaves them."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.local.bus import LocalBus
from infra.local.clock import SeededChance
from infra.local.live import LiveKernel
from infra.local.process_world import WorldFile
from infra.local.queue import SqliteQueue
from infra.local.remote import RemoteBus, RemoteVault
from infra.local.services import MAX_BODY, ServiceDesk
from infra.local.timeline import Timeline
from infra.local.vault import FileVault
from infra.local.wire import Services
from shared.errors import InvariantBroken, NotSent, StoreDown
from shared.topology import Topology
from tests.patience import PATIENCE_S

KEY = bytes(range(32))
CANARY = "canary-of-a-secret"
_TOPOLOGY = Topology(functions=(), topics={"works": ""}, schedules=(), secrets={}, collections={})


@contextmanager
def _served(folder: Path) -> Iterator[tuple[Services, SqliteQueue, LiveKernel]]:
    """Serve a bus and a vault that holds one secret, on a kernel that lives."""
    kernel = LiveKernel(timeline=Timeline.real(), seed=1)
    vault = FileVault(folder / "vault.bin", key=KEY)
    vault.add("access", CANARY.encode())

    def live() -> None:
        kernel.run(datetime(9000, 1, 1, tzinfo=UTC))
        kernel.close()

    with closing(SqliteQueue(folder / "state.db")) as queue:
        bus = LocalBus(
            kernel=kernel, topology=_TOPOLOGY, queue=queue, deliver=lambda _function, _body: 204,
            chance=SeededChance(seed=1, name="bus"),
        )  # fmt: skip
        thread = threading.Thread(target=live)
        with ServiceDesk(kernel=kernel, bus=bus, vault=vault) as desk:
            thread.start()
            try:
                yield desk.services, queue, kernel
            finally:
                kernel.stop()
                thread.join()


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
        (b'{"secret":"nothing","version":"1"}', {}, 404),
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
        (b'{"topic":"nowhere","data":"","attributes":{},"ordering_key":""}', {"path": "/publish"}, 409),
        (b'{"topic":["works"],"data":"","attributes":{},"ordering_key":""}', {"path": "/publish"}, 409),
    ],
)
def test_every_question_has_an_answer(services: Services, body: bytes, given: dict[str, Any], expected: int) -> None:
    """What cannot be asked is 409 and what is not there 404; a refusal holds no secret, and the next call is served."""
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
        RemoteBus(services).publish("nowhere", b"x", attributes={})
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
