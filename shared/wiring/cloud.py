"""The cloud: Google's services behind the ports of one function, and the end of a start that cannot succeed."""

import os
import re
from collections.abc import Mapping
from time import thread_time
from typing import NoReturn

from requests.adapters import BaseAdapter

from shared import divided, settings
from shared.errors import ConfigError, InvariantBroken
from shared.gcp.chance import SystemChance
from shared.gcp.clock import SystemClock
from shared.gcp.databases import Databases
from shared.gcp.journal import CloudJournal
from shared.gcp.no_bus import NoBus
from shared.gcp.secret_vault import SecretVault
from shared.gcp.threads import Threads
from shared.ports import Severity
from shared.topology import TOPOLOGY
from shared.wiring import OpenBus, Platform, chosen

PROJECT = "GOOGLE_CLOUD_PROJECT"
DATABASES = "FIRESTORE_DATABASES"

_PROJECT_ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_PREFIX = re.compile(r"[a-z][a-z0-9-]{1,40}[a-z0-9]")


def cloud(
    name: str, open_bus: OpenBus | None, environ: Mapping[str, str] | None = None, *, http: BaseAdapter | None = None,
    simulated: bool = False,
) -> Platform:  # fmt: skip
    """Give a function its world, with a bus exactly when the topology lets it publish; connects nowhere yet.

    `http` carries broker calls, None means the network, where no live order may reach production, unless the broker is
    `simulated`: then who calls none needs no carrier.

    Raises ConfigError that names the problems of the cloud's own values and of all settings together.
    """
    function = TOPOLOGY.function(name)
    if bool(function.publishes) != (open_bus is not None):
        raise InvariantBroken(f"{name}: its wiring and the topology differ about whether it publishes")
    environ = os.environ if environ is None else environ
    problems = [*settings.problems_of(place, environ), *chosen.problems(environ)]
    problems += settings.network_problems(environ) if http is None and not simulated else ()
    if problems:
        raise ConfigError(tuple(problems))
    project, prefix = place(environ)
    clock, chance = SystemClock(), SystemChance()
    databases = Databases(
        project=project, prefix=prefix, clock=clock, chance=chance, domains=TOPOLOGY.access(function),
        lifetimes=TOPOLOGY.lifetimes,
    )  # fmt: skip
    return Platform(
        function=function, environ=environ, clock=clock, chance=chance, side_by_side=Threads(clock),
        store=divided.of_function(databases.stores, TOPOLOGY, function),
        bus=NoBus() if open_bus is None else open_bus(project, clock, chance),
        vault=SecretVault(project=project, clock=clock, chance=chance, adds_only=function.adds_only),
        journal=CloudJournal(name, project=project), http=http, cpu=thread_time,
    )  # fmt: skip


def place(environ: Mapping[str, str]) -> tuple[str, str]:
    """Give the project and how its databases' names begin; raises ConfigError that names the problems of both."""
    project, prefix = environ.get(PROJECT, ""), environ.get(DATABASES, "")
    problems = []
    if not project:
        problems.append(f"{PROJECT} is not set: the id of the Google Cloud project")
    elif not _PROJECT_ID.fullmatch(project):
        problems.append(f"{PROJECT}={project!r} cannot be used: the id of a Google Cloud project, such as my-desk-1")
    if not prefix:
        problems.append(
            f"{DATABASES} is not set: how the stack's databases' names begin, as `pulumi stack output databases` says"
        )
    elif not _PREFIX.fullmatch(prefix):
        problems.append(f"{DATABASES}={prefix!r} cannot be used: how the names of Firestore databases begin")
    if problems:
        raise ConfigError(tuple(problems))
    return project, prefix


def give_up(name: str, wrong: ConfigError) -> NoReturn:
    """End the process with code 2: one line in the log names every problem, and no traceback follows."""
    journal = CloudJournal(name, project=os.environ.get(PROJECT, ""))
    journal.line("cannot_start", Severity.CRITICAL, problems="; ".join(wrong.problems))
    raise SystemExit(2) from None
