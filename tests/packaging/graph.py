"""The whole graph as archives in processes of their own, between Google's emulators of Firestore and Pub/Sub."""

import base64
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud.pubsub_v1 import PublisherClient

from infra.one_machine.emulators import FIRESTORE_VARIABLE, Emulators, provision
from infra.one_machine.loopback import held_port
from shared import divided
from shared.domain.telling.messages import Message
from shared.gcp.chance import SystemChance
from shared.gcp.clock import SystemClock
from shared.gcp.databases import Databases
from shared.ports import Store
from shared.topology import TOPOLOGY
from shared.usecases.base.outbox import pack
from tests.contract.clouds import new_project
from tests.packaging.processes import Runnable, Served, started
from tests.patience import PATIENCE_S

# No credentials, and no way to a metadata server that would give some: Secret Manager stays out of reach.
NO_CLOUD = {"GCE_METADATA_HOST": "127.0.0.1:9", "NO_GCE_CHECK": "true"}
GOOD = {
    "GOOGLE_CLOUD_PROJECT": "my-desk-1", "FIRESTORE_DATABASES": "desk-1", "STRATEGY_WATCH_LIST": "AIG,BAC",
    "STRATEGY_HISTORY_SOURCES": "own,file",
    "STRATEGY_CAPITAL_USD": "10000",
}  # fmt: skip
# Without a login a function would wait for its consumer key. These never sign anything: there is no access token.
KEYS = {"ETRADE_CONSUMER_KEY": "consumer", "ETRADE_CONSUMER_SECRET": "unused"}

Documents = dict[str, dict[str, Any]]


# What work leaves behind, without what tells the owner about it.
BUT_NOTICES = tuple(name for name in TOPOLOGY.collections if name not in {"outbox", "notices", "untold", "paces"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A project on the emulators, and the functions that work in it."""

    project: str
    store: Store
    publisher: PublisherClient
    functions: Mapping[str, Served]
    runnables: Mapping[str, Runnable]
    emulators: Emulators
    firestore: Mapping[str, str]

    def publish(self, topic: str, message: Message | bytes, **attributes: str) -> str:
        """Publish a message as Google's client does, and give its id."""
        data = message if isinstance(message, bytes) else pack(message)
        name = self.publisher.topic_path(self.project, topic)
        return str(self.publisher.publish(name, data, **attributes).result(timeout=PATIENCE_S))

    def documents(self, *collections: str) -> Documents:
        """Read collections, or all, by path."""
        names = collections or tuple(TOPOLOGY.collections)
        return {row.path: row.data for name in names for row in self.store.query(name)}

    def new_documents(self, before: Documents, *collections: str) -> Documents:
        """Read what is there that was not, or that changed."""
        return {path: data for path, data in self.documents(*collections).items() if before.get(path) != data}

    def environ(self, function: str) -> dict[str, str]:
        """Give the environment of one function: its settings, and where the emulators are."""
        keys = {} if TOPOLOGY.function(function).public else KEYS
        store = {FIRESTORE_VARIABLE: self.firestore.get(function, self.emulators.firestore)}
        return {**NO_CLOUD, **GOOD, **keys, "GOOGLE_CLOUD_PROJECT": self.project, **self.emulators.environ, **store}


@contextmanager
def running_graph(
    runnables: Iterable[Runnable], emulators: Emulators, *, firestore: Mapping[str, str]
) -> Iterator[Graph]:
    """Run a function for each archive, in a new project whose subscriptions push to them.

    `firestore` names the functions that find Firestore elsewhere, and where.
    """
    by_name = {one.archive.function: one for one in runnables}
    with ExitStack() as closing:
        ports = {name: closing.enter_context(held_port()) for name in by_name}
        store, publisher, project = closing.enter_context(_project(emulators, ports))
        functions: dict[str, Served] = {}
        graph = Graph(
            project=project, store=store, publisher=publisher, functions=functions, runnables=by_name,
            emulators=emulators, firestore=firestore,
        )  # fmt: skip
        for name, runnable in by_name.items():
            functions[name] = closing.enter_context(started(runnable, graph.environ(name), port=ports[name]))
        for one in functions.values():
            closing.callback(one.process.terminate)  # all at once, before each is waited for
            one.wait_until_listening()
        yield graph


@contextmanager
def _project(emulators: Emulators, ports: Mapping[str, int]) -> Iterator[tuple[Store, PublisherClient, str]]:
    """Make a project with the topology's topics and with the subscriptions of the functions that have a port."""
    project = new_project()
    databases = Databases(
        project=project, prefix=GOOD["FIRESTORE_DATABASES"], clock=SystemClock(), chance=SystemChance()
    )  # fmt: skip
    store = divided.of_owner(databases.stores, TOPOLOGY)
    with ExitStack() as closing:
        closing.callback(databases.close)
        with pytest.MonkeyPatch.context() as patch:  # the libraries look once, when their clients are made
            for name, value in emulators.environ.items():
                patch.setenv(name, value)
            provision(TOPOLOGY, project=project, endpoint=lambda one: f"http://127.0.0.1:{ports.get(one.name, 9)}/")
            publisher = closing.enter_context(PublisherClient())
            store.get("restrictions/main")
        yield store, publisher, project


def push_of(data: bytes | str, message_id: str = "1") -> dict[str, Any]:
    """Give the body of a push; a text is the data as it stands, instead of base64."""
    text = data if isinstance(data, str) else base64.b64encode(data).decode()
    published = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    message = {"data": text, "messageId": message_id, "publishTime": published, "attributes": {}}
    return {"subscription": "projects/p/subscriptions/s", "deliveryAttempt": 1, "message": message}


def versioned(version: object = 1, kind: str = "scan_tick") -> bytes:
    """Give a message of some schema version and kind."""
    return json.dumps({"kind": kind, "schema_version": version, "body": {}}).encode()


def eventually(done: Callable[[], bool], what: str) -> None:
    """Wait until something is so; fail with `what` when it never is."""
    end = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.05)
