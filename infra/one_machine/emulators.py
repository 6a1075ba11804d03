"""Google's emulators of Firestore and Pub/Sub as child processes on loopback, found in an installed Google Cloud SDK.

They are started with java directly: it takes half the time of `gcloud emulators`, and leaves no second process behind.
State is in memory and ends with them; a new project id is a new world, so a session of tests shares one of each.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import IO

from infra.one_machine.loopback import LOOPBACK, held_port
from shared.errors import ConfigError
from shared.frozen import frozen
from shared.topology import Function, Topology

ROOT_VARIABLE = "CLOUDSDK_ROOT"
FIRESTORE_VARIABLE = "FIRESTORE_EMULATOR_HOST"
PUBSUB_VARIABLE = "PUBSUB_EMULATOR_HOST"
DEAD_LETTERS = "dead-letters"

# Where the packages of Debian, Fedora and snap put the SDK.
_USUAL_ROOTS = ("/usr/lib/google-cloud-sdk", "/usr/lib64/google-cloud-sdk", "/snap/google-cloud-sdk/current")
_FIRESTORE_JAR = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
_FIRESTORE_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
_PUBSUB_JARS = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
_PASSED_ON = ("HOME", "JAVA_HOME", "LANG", "PATH", "TMPDIR")
_READY_S = 60.0
_END_S = 10.0
# They live for minutes: what the optimising compiler and parallel collection cost is never earned back.
_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
_NEEDS_JAVA = 17


@frozen
class Sdk:
    """What is needed to start the emulators."""

    java: str
    firestore_jar: Path
    pubsub_jar: Path


@frozen
class Emulators:
    """Two running emulators: addresses as host and port, process ids."""

    firestore: str
    pubsub: str
    pids: tuple[int, int]

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which Google's libraries find them."""
        return {FIRESTORE_VARIABLE: self.firestore, PUBSUB_VARIABLE: self.pubsub}


def find(environ: Mapping[str, str]) -> Sdk:
    """Find java and the emulators' files; raises ConfigError that names all that is missing."""
    problems = []
    java = shutil.which("java", path=environ.get("PATH"))
    if java is None:
        problems.append(f"no java in PATH: the emulators need Java {_NEEDS_JAVA} or newer")
    root = next((one for one in _roots(environ) if (one / "platform").is_dir()), None)
    if root is None:
        problems.append(f"no Google Cloud SDK: put its gcloud in PATH, or name its folder in {ROOT_VARIABLE}")
        raise ConfigError(tuple(problems))
    firestore = root / _FIRESTORE_JAR
    pubsub = max(root.glob(_PUBSUB_JARS), key=_version, default=None)
    if not firestore.is_file():
        problems.append("the SDK has no cloud-firestore-emulator: install that component")
    if pubsub is None:
        problems.append("the SDK has no pubsub-emulator: install that component")
    if problems or java is None or pubsub is None:
        raise ConfigError(tuple(problems))
    return Sdk(java=java, firestore_jar=firestore, pubsub_jar=pubsub)


@contextmanager
def running(sdk: Sdk, logs: Path) -> Iterator[Emulators]:
    """Run both emulators, ready to use, with their output in `logs`; raises ConfigError when one does not start."""
    with held_port() as one, held_port() as other:
        yield from _serving(sdk, logs, firestore=f"{LOOPBACK}:{one}", pubsub=f"{LOOPBACK}:{other}")


def _serving(sdk: Sdk, logs: Path, *, firestore: str, pubsub: str) -> Iterator[Emulators]:
    commands = {
        "firestore": [
            sdk.java, *_JVM, "-Xmx384m", "-cp", str(sdk.firestore_jar), _FIRESTORE_MAIN, "start",
            *_address(firestore), "--database-mode=firestore-native",
        ],
        "pubsub": [sdk.java, *_JVM, "-Xmx256m", "-jar", str(sdk.pubsub_jar), *_address(pubsub)],
    }  # fmt: skip
    with (
        _process(commands["firestore"], logs / "firestore.log") as first,
        _process(commands["pubsub"], logs / "pubsub.log") as second,
    ):
        for address, process in ((firestore, first), (pubsub, second)):
            _await_ready(address, process, logs)
        yield Emulators(firestore=firestore, pubsub=pubsub, pids=(first.pid, second.pid))


def provision(topology: Topology, *, project: str, endpoint: Callable[[Function], str]) -> None:
    """Make a topology's topics, its push subscriptions to the functions' endpoints, and one topic of dead letters.

    Dead letters can be pulled from the subscription `dead-letters`. The emulator is found as the library finds it.
    """
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        for name in (*topology.topics, DEAD_LETTERS):
            publisher.create_topic(name=publisher.topic_path(project, name))
        given_up = publisher.topic_path(project, DEAD_LETTERS)
        subscriber.create_subscription(name=subscriber.subscription_path(project, DEAD_LETTERS), topic=given_up)
        for function in topology.functions:
            for one in function.subscriptions:
                name = subscriber.subscription_path(project, f"{function.name}.{one.topic}")
                backoff = {
                    "minimum_backoff": timedelta(seconds=one.min_backoff_s),
                    "maximum_backoff": timedelta(seconds=one.max_backoff_s),
                }
                request = {
                    "name": name,
                    "topic": publisher.topic_path(project, one.topic),
                    "push_config": {"push_endpoint": endpoint(function)},
                    "ack_deadline_seconds": one.ack_deadline_s,
                    "retry_policy": backoff,
                    "dead_letter_policy": {"dead_letter_topic": given_up, "max_delivery_attempts": one.max_attempts},
                }
                subscriber.create_subscription(request=request)


def _roots(environ: Mapping[str, str]) -> Iterator[Path]:
    if given := environ.get(ROOT_VARIABLE):
        yield Path(given)
        return
    gcloud = shutil.which("gcloud", path=environ.get("PATH"))
    if gcloud is not None:
        yield Path(gcloud).resolve().parents[1]
    yield from map(Path, _USUAL_ROOTS)


def _version(jar: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", jar.name))


def _address(address: str) -> list[str]:
    host, port = address.split(":")
    return [f"--host={host}", f"--port={port}"]


@contextmanager
def _process(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a child and end it by its id."""
    with log.open("wb") as output, _started(command, output) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _started(command: list[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a child with nothing of our environment but the way to programs, ended by the system when we are killed."""
    dies_with_us = shutil.which("setpriv")
    before = [dies_with_us, "--pdeathsig", "TERM"] if dies_with_us else []
    environ = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return subprocess.Popen(  # noqa: S603 - the SDK's own files, found above
        [*before, *command], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environ,
        start_new_session=True,
    )  # fmt: skip


def _await_ready(address: str, process: subprocess.Popen[bytes], logs: Path) -> None:
    end = time.monotonic() + _READY_S
    while time.monotonic() < end and process.poll() is None:
        connection = HTTPConnection(address, timeout=1)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except OSError:
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
    raise ConfigError((f"an emulator did not start on {address}; its output is in {logs}",))
