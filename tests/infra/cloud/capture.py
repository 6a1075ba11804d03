"""The whole graph of a stack as the engine would see it: every resource with its inputs and what it comes after."""

import gc
import json
import os
import runpy
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime import mocks, settings

from infra.archives import build_all, save
from infra.components import deployment
from infra.components.system import System, SystemArgs
from shared.topology import TOPOLOGY, Topology
from tests.architecture.files import ROOT

INFRA = ROOT / "infra"
STACKS = ("sandbox", "production")
PULUMI_PROJECT = "etrade-strategy"
STACK = "pulumi:pulumi:Stack"
# What a registration says beside the options that its author chose.
SAID_ALWAYS = frozenset({
    "acceptResources", "acceptSecrets", "additionalSecretOutputs", "aliases", "custom", "dependencies", "name",
    "object", "parent", "propertyDependencies", "sourcePosition", "stackTrace", "supportsPartialValues",
    "supportsResultReporting", "type",
})  # fmt: skip
OURS = f"{PULUMI_PROJECT}:"
# What the tests of the graph stand on: the stack files as they are shipped. Who fills those in changes no test.
_EITHER: Mapping[str, Any] = {
    "gcp:project": "example-project",
    "gcp:region": "us-east4",
    f"{OURS}projectNumber": "123456789012",
    f"{OURS}owner": "owner@example.com",
    f"{OURS}alertEmails": ["owner@example.com"],
    f"{OURS}generation": 1,
    f"{OURS}customerKeys": False,
    f"{OURS}callbackRegistered": False,
}
_SETTINGS: Mapping[str, str] = {
    "STRATEGY_MODE": "paper",
    "STRATEGY_OPERATOR": "owner",
    "STRATEGY_CONFIG": "default",
    "STRATEGY_WATCH_LIST": "AIG,BAC,IBM,SPY",
    "STRATEGY_CAPITAL_USD": "10000",
}
SHIPPED: Mapping[str, Mapping[str, Any]] = {
    "sandbox": {**_EITHER, f"{OURS}protect": False, f"{OURS}settings": {**_SETTINGS, "ETRADE_SANDBOX": "true"}},
    "production": {
        **_EITHER,
        f"{OURS}billingAccount": "000000-000000-000000",
        f"{OURS}budget": 50,
        f"{OURS}protect": True,
        f"{OURS}trailDays": 2557,
        f"{OURS}settings": {**_SETTINGS, "ETRADE_SANDBOX": "false"},
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One resource as it was registered; `after` holds the URNs that it depends on, by option or by an input.

    `options` are all others that were chosen for it, by the engine's names for them.
    """

    urn: str
    typ: str
    name: str
    custom: bool
    parent: str
    protect: bool
    provider: str
    inputs: Mapping[str, Any]
    after: frozenset[str]
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Every resource of a stack by its URN, in the order of registration, its outputs, and what it was made from."""

    resources: Mapping[str, Registered]
    outputs: Mapping[str, Any]
    config: Mapping[str, str] = field(default_factory=dict)
    topology: Topology = TOPOLOGY

    def of(self, typ: str) -> list[Registered]:
        """Give what the provider makes of a type, named by the last part of its token."""
        return [one for one in self.custom if one.typ.rpartition(":")[2] == typ]

    def one(self, typ: str, name: str) -> Registered:
        """Give the resource of that type and name."""
        (found,) = [one for one in self.of(typ) if one.name == name]
        return found

    @property
    def custom(self) -> list[Registered]:
        """Give what the provider makes, without components."""
        return [one for one in self.resources.values() if one.custom]

    def before(self, one: Registered) -> set[str]:
        """Give the URNs of everything that exists before this resource is made."""
        found: set[str] = set()
        waiting = list(one.after)
        while waiting:
            urn = waiting.pop()
            if urn not in found:
                found.add(urn)
                waiting += self.resources[urn].after if urn in self.resources else ()
        return found

    def census(self) -> Counter[str]:
        """Count the resources by kind."""
        return Counter(one.typ for one in self.custom)


@dataclass(slots=True)
class _Cloud(mocks.Mocks):
    """Answers a registration as the provider would: the inputs, and what Google adds to them."""

    project: str
    preview: bool
    calls: list[str] = field(default_factory=list)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """Make up the outputs of a resource; at a preview nothing is known but its inputs."""
        outputs = dict(args.inputs)
        if self.preview:
            return None, outputs
        outputs.setdefault("name", args.name)
        full = f"projects/{self.project}"
        match args.typ.rpartition(":")[2]:
            case "Account":
                email = f"{args.inputs['accountId']}@{self.project}.iam.gserviceaccount.com"
                outputs |= {"email": email, "name": f"{full}/serviceAccounts/{email}"}
                return outputs["name"], outputs
            case "Topic":
                return f"{full}/topics/{outputs['name']}", outputs
            case "Repository":
                return f"{full}/locations/{outputs['location']}/repositories/{outputs['repositoryId']}", outputs
            case _:
                return f"{full}/{args.name}", outputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """Remember a look-up of the live cloud."""
        self.calls.append(args.token)
        return {}, None


def config_of(stack: str) -> dict[str, str]:
    """Give a stack's configuration as shipped, the way that the engine hands it to the program."""
    return as_given(SHIPPED[stack])


def committed(stack: str) -> dict[str, Any]:
    """Read the stack file of this checkout, which its owner may have filled in."""
    given: dict[str, Any] = yaml.safe_load((INFRA / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    return given


def as_given(config: Mapping[str, Any]) -> dict[str, str]:
    """Write the values of a stack file as the engine does: texts, JSON where a value has parts."""
    return {name: _text(value) for name, value in config.items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value)


def capture(
    config: Mapping[str, str], stack: str, folder: Path, topology: Topology = TOPOLOGY, root: Path = ROOT
) -> Graph:
    """Build a stack's system, with archives of a checkout saved in `folder`, and give its graph."""
    chosen = deployment.read(config, stack=stack, topology=topology)
    made = {one.function: save(one, folder) for one in build_all(root)}
    extra = {one.name: next(iter(made.values())) for one in topology.functions if one.name not in made}
    args = SystemArgs(deployment=chosen, topology=topology, archives=made | extra)
    return replace(record(lambda: System("desk", args).outputs, config, stack), topology=topology)


def run_program(config: Mapping[str, str], stack: str, *, preview: bool = False) -> Graph:
    """Run the program's folder the way Pulumi's language host does, with the configuration in the environment."""
    path, environ = list(sys.path), dict(os.environ)
    os.environ["PULUMI_CONFIG"] = json.dumps(dict(config))
    try:
        return record(lambda: runpy.run_path(str(INFRA), run_name="__main__") and {}, config, stack, preview=preview)
    finally:
        sys.path[:] = path
        os.environ.clear()
        os.environ.update(environ)


def record(
    build: Callable[[], Mapping[str, Any]], config: Mapping[str, str], stack: str, *, preview: bool = False
) -> Graph:
    """Run something that registers resources and give what it registered.

    What the engine would refuse is refused: two resources of one URN. So is a look-up of the live cloud.
    """
    cloud = _Cloud(config.get("gcp:project", "nowhere"), preview)
    mocks.set_mocks(cloud, project=PULUMI_PROJECT, stack=stack, preview=preview)
    requests: list[Any] = []
    monitor: Any = settings.get_monitor()
    register = monitor.RegisterResource

    def remember(request: Any, *rest: Any, **more: Any) -> Any:
        answer = register(request, *rest, **more)
        requests.append((answer.urn, request))
        return answer

    monitor.RegisterResource = remember
    outputs: dict[str, Any] = {}

    def run() -> None:
        outputs.update(build())

    with _short_stacks(), _uncollected():
        mocks.test(run)()  # type: ignore[no-untyped-call]
    assert not cloud.calls, f"looks up the live cloud: {cloud.calls}"
    twice = [urn for urn, count in Counter(urn for urn, _ in requests).items() if count > 1]
    assert not twice, f"registered more than once: {twice}"
    resources = {urn: _registered(urn, request) for urn, request in requests if request.type != STACK}
    return Graph(resources=resources, outputs=outputs, config=config)


@contextmanager
def _short_stacks() -> Iterator[None]:
    """Let a resource write down a few frames of where it was made, which nobody reads here, and not all of a test's."""
    sys.tracebacklimit = 8
    try:
        yield
    finally:
        del sys.tracebacklimit


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from looking through all classes of Google's package again and again meanwhile."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _registered(urn: str, request: Any) -> Registered:
    after = set(request.dependencies)
    for dependencies in request.propertyDependencies.values():
        after |= set(dependencies.urns)
    return Registered(
        urn=urn,
        typ=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        protect=request.protect,
        provider=request.provider,
        inputs=pulumi.runtime.rpc.deserialize_properties(request.object, keep_unknowns=True),
        after=frozenset(after),
        options=dict(_options(request)),
    )


def _options(request: Any) -> Iterator[tuple[str, Any]]:
    for one, value in request.ListFields():
        if one.name not in SAID_ALWAYS and (option := _option(value)):
            yield one.name, option


def _option(value: Any) -> Any:
    return value if isinstance(value, str | bool) else list(value) if isinstance(value, Sequence) else str(value)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give every value at any depth with its path; [] stands for a list's elements."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from leaves(part, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from leaves(part, f"{path}[]")
    else:
        yield path, value
