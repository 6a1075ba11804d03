"""What a person asks `strategy up` for, checked before anything is written or started."""

from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from infra.brokersim.network import Network
from infra.simulated_day.problems import UserError
from shared.frozen import frozen
from shared.settings import OWN_STRATEGIES, Mode

if TYPE_CHECKING:
    from infra.simulated_day.chosen import OwnFile

Cloud = Literal["local", "emulators"]
Broker = Literal["simulator", "sandbox", "production"]

_SIMULATED = ("market", "config", "seed", "starts", "network")
FASTEST = 60.0
"""Simulated seconds in a real one, at most."""
STARTS = time(9, 25)
"""When a simulated day begins, New York: five minutes for the owner to sign in before the open."""


@frozen
class Plan:
    """One way to run the graph.

    `state` is the folder of this desk; `environ` a person's own environment; `port` is where the sign-in page
    listens, 0 any; `mode` says whether orders are filled on paper or go to the broker; `market`, `seed`, `speed`,
    `starts` (New York), `network` and `config`, a configuration that ships, count for the simulator only; `own` is a
    file's configuration, which counts with every broker.
    """

    state: Path
    environ: Mapping[str, str]
    cloud: Cloud = "local"
    broker: Broker = "simulator"
    mode: Mode = Mode.PAPER
    market: str = "generated"
    config: str = "demo"
    own: "OwnFile | None" = None
    seed: int = 1
    speed: float = 1.0
    starts: time = STARTS
    network: Network = Network.SLOW
    port: int = 0


def plan(
    *, cloud: str, broker: str, mode: Mode, speed: float, environ: Mapping[str, str], config: str | None = None,
    **rest: object,
) -> Plan:  # fmt: skip
    """Check what needs no other file than `config`'s; raises UserError. What is not given has the default of Plan."""
    if config is not None:
        from infra.simulated_day.chosen import choose  # here: every command imports this file

        chosen = choose(config, environ.get(OWN_STRATEGIES, ""))
        rest["own"] = chosen.file
        if broker == "simulator" or chosen.file is None:
            rest["config"] = chosen.name
    if broker == "production" and mode is Mode.LIVE:
        what = "live orders at production are not enabled yet: no order of this version may reach a real account"
        raise UserError(what, remedy="use --mode paper, or --broker simulator")
    if broker != "simulator" and cloud == "emulators":
        what = "the emulators hold secrets in the open, and lose the book at their end"
        raise UserError(what, remedy="use them with --broker simulator only")
    if broker != "simulator" and speed != 1.0:
        raise UserError(f"{broker} knows real time only", remedy="leave --speed out, or use --broker simulator")
    if broker != "simulator" and (given := [_said(name, rest) for name in _SIMULATED if name in rest]):
        what = f"{' and '.join(given)} count{'s' * (len(given) == 1)} for the simulator only, not for {broker}"
        remedy = (
            "leave that out: STRATEGY_WATCH_LIST says what is traded, STRATEGY_CONFIG or --config FILE.toml by what"
        )
        raise UserError(what, remedy=remedy)
    return Plan(cloud=cloud, broker=broker, mode=mode, speed=speed, environ=environ, **rest)  # type: ignore[arg-type]


def _said(name: str, rest: Mapping[str, object]) -> str:
    """Give an option as it was said; a configuration with its name, for a file's counts with every broker."""
    return f"--{name} {rest[name]}" if name == "config" else f"--{name}"
