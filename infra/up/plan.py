"""What a person asks `strategy up` for, checked before anything is written or started."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Literal

from infra.day.problems import UserError

Cloud = Literal["local", "emulators"]
Broker = Literal["simulator", "sandbox"]

STARTS = time(9, 25)
"""When a simulated day begins, New York: five minutes for the owner to sign in before the open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One way to run the graph.

    `state` is the folder of this desk; `environ` a person's own environment; `port` is where the sign-in page
    listens, 0 any; `market`, `seed`, `speed`, `config` and `starts` (New York) count for the simulator only.
    """

    state: Path
    environ: Mapping[str, str]
    cloud: Cloud = "local"
    broker: Broker = "simulator"
    market: str = "generated"
    config: str = "demo"
    seed: int = 1
    speed: float = 1.0
    starts: time = STARTS
    port: int = 0


def plan(*, cloud: str, broker: str, speed: float, **rest: object) -> Plan:
    """Check what needs no file; raises UserError."""
    if broker == "production":
        what = "production is not open yet: no order of this version may reach a real account"
        raise UserError(what, remedy="use --broker simulator, or --broker sandbox with a sandbox key")
    if broker == "sandbox" and speed != 1.0:
        raise UserError("the sandbox knows real time only", remedy="leave --speed out, or use --broker simulator")
    return Plan(cloud=cloud, broker=broker, speed=speed, **rest)  # type: ignore[arg-type]
