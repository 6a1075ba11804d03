"""The whole system of one stack, in the order in which a new project can take it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi

from infra.components.code import Code, CodeArgs
from infra.components.data import Databases, DatabasesArgs, Secrets, SecretsArgs
from infra.components.deployment import Deployment
from infra.components.foundation import Foundation, FoundationArgs
from infra.components.functions import Functions, FunctionsArgs
from infra.components.latch import Latch, LatchArgs
from infra.components.messages import Pushes, PushesArgs, Schedules, SchedulesArgs, Topics, TopicsArgs
from infra.components.stage import Stage
from infra.components.trail import Trail, TrailArgs
from infra.components.watch import Watch, WatchArgs
from shared.errors import ConfigError
from shared.topology import Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemArgs:
    """What a system is built from: the stack's choices, the topology, and an archive for each of its functions."""

    deployment: Deployment
    topology: Topology
    archives: Mapping[str, Path]


class System(pulumi.ComponentResource):
    """Everything that the topology names. Raises ConfigError when functions and archives are not the same ones.

    First what others rest on, then code and topics, then the databases, then the functions with all that they use in
    place, then what calls them; a stack is taken down the other way round.
    A new grant takes Google minutes to honour, and a function whose build is refused fails for good. The settings of
    the databases' fields, which take minutes too, therefore come between the build's grants and the first build.
    """

    def __init__(self, name: str, args: SystemArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _agree(args)
        super().__init__("strategy:index:System", name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)
        first = Stage(deployment=args.deployment, topology=args.topology)
        foundation = Foundation("foundation", FoundationArgs(stage=first), inside)
        stage, key = foundation.ready, foundation.key
        trail = Trail("trail", TrailArgs(stage=stage), inside)
        secrets = Secrets("secrets", SecretsArgs(stage=stage, key=key), inside)
        topics = Topics("topics", TopicsArgs(stage=stage, key=key), inside)
        code = Code("code", CodeArgs(stage=stage, archives=args.archives), inside)
        databases = Databases("databases", DatabasesArgs(stage=stage.following(*code.granted), key=key), inside)
        stage = stage.following(*secrets.granted, *topics.granted, *trail.ready, *databases.ready)
        functions = Functions("functions", FunctionsArgs(stage=stage, code=code, accounts=foundation.accounts), inside)
        stage = stage.following(*functions.granted)
        pushes = Pushes("pushes", PushesArgs(stage=stage, topics=topics.topics), inside)
        schedules = Schedules("schedules", SchedulesArgs(stage=stage, topics=topics.topics), inside)
        watch = Watch("watch", WatchArgs(stage=stage), inside)
        parts = (foundation, trail, secrets, topics, code, databases, functions, pushes, schedules, watch)
        Latch("latch", LatchArgs(deployment=args.deployment, parts=parts), inside)
        self.outputs = {
            "archives": {one: archive.name for one, archive in code.archives.items()},
            "addresses": {one.name: stage.address(one) for one in args.topology.functions},
            "public": {one.name: bool(args.deployment.owner) for one in args.topology.functions if one.public},
            "states": functions.states,
            "databases": stage.databases,
        }
        self.register_outputs(self.outputs)


def _agree(args: SystemArgs) -> None:
    named, there = {one.name for one in args.topology.functions}, set(args.archives)
    problems = [f"{one}: the topology names it, but functions/ has no such folder" for one in sorted(named - there)]
    problems += [f"{one}: functions/ has it, but the topology does not name it" for one in sorted(there - named)]
    if problems:
        raise ConfigError(tuple(problems))
