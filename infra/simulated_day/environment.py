"""The settings that a one-machine day gives to every function: the only place that knows their names."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path

from infra.simulated_day.account import account_of
from infra.simulated_day.problems import UserError
from shared import settings, topology
from shared.settings import OWN_STRATEGIES, Mode
from shared.strategies import config as strategies

STARTING_CASH = Decimal(100_000)
CONSUMER_KEY = "one-machine-consumer-key"
OPERATOR = "owner"
START_PAGE = "https://localhost/start"
GENERATED_WATCH_LIST = 10

_SAID = {"STRATEGY_CONFIG": "--config", "STRATEGY_WATCH_LIST": "--market", "STRATEGY_MODE": "--mode"}
"""Which option says what a person's environment does not."""

"""Names the folder of a person's own strategies."""

HONOURED = ("ETRADE_RATE_LIMIT", "ETRADE_BURST_LIMIT", "STRATEGY_CAPITAL_USD", "STRATEGY_WATCH_LIST")
"""What a person's own environment decides about a day; account, keys and configuration are the simulated ones.

So does the folder of a person's own strategies. A generated day has symbols of its own, so there the watch list does
not count. Whatever else is set is not used, but it has to be well formed: a day does not begin with a setting that the
functions in the cloud would refuse.
"""


def environ(
    given: Mapping[str, str], *, config: str, market_spec: str, symbols: Sequence[str], mode: Mode = Mode.LIVE
) -> dict[str, str]:
    """Give the environment of a day's functions, with what `given` has of `HONOURED`; nothing secret is in it.

    A day trades as at production, at the simulator: whatever host the client names, nothing leaves this machine.
    Raises UserError with every problem at once, also of settings that are not honoured.
    """
    simulated = {
        "STRATEGY_MODE": mode.value,
        "ETRADE_SANDBOX": "false",
        "ETRADE_ACCOUNT_ID": account_of(config),
        "STRATEGY_CONFIG": config,
        "STRATEGY_WATCH_LIST": ",".join(watch_list(market_spec, symbols)),
        "STRATEGY_CAPITAL_USD": str(STARTING_CASH),
        "STRATEGY_OPERATOR": OPERATOR,
        "STRATEGY_SIGN_IN_URL": START_PAGE,
    }
    generated = market_spec == "generated"
    said = {name: option for name, option in _SAID.items() if name not in given}
    read = partial(settings.load, said=said)
    problems = (
        *_problems({**simulated, **given}, None if generated else symbols, read), *settings.network_problems(given),
        *(f"--market names {one!r}: write symbols in capitals" for one in symbols if one != one.upper()),
        *(f"{problem} (--config {config})" for problem in strategies.problems_of(config)),
    )  # fmt: skip
    if problems:
        what = "the settings cannot be used:\n" + "\n".join(f"  - {problem}" for problem in problems)
        raise UserError(what, remedy="correct it, or leave it out")
    honoured = [name for name in HONOURED if name in given and not (generated and name == "STRATEGY_WATCH_LIST")]
    return simulated | {name: given[name] for name in honoured} | own_strategies(given)


def own_strategies(given: Mapping[str, str]) -> dict[str, str]:
    """Give the folder of a person's own strategies from wherever it is looked at; raises UserError where it is none."""
    said = given.get(OWN_STRATEGIES, "").strip()
    if not said:
        return {}
    folder = Path(said)
    if not folder.is_dir():
        what = f"{OWN_STRATEGIES}={said!r} is no folder"
        raise UserError(what, remedy="name the folder that has your strategies' files, or unset it")
    return {OWN_STRATEGIES: str(folder.resolve())}


def watch_list(market_spec: str, symbols: Sequence[str]) -> tuple[str, ...]:
    """Give what is scanned: everything of a recorded day, the head of a generated one."""
    return tuple(symbols[:GENERATED_WATCH_LIST] if market_spec == "generated" else symbols)


def consumer_secret(seed: int) -> str:
    """Give the secret half of the simulated consumer; it opens nothing outside this process."""
    return f"one-machine-consumer-secret-{seed}"


def consumer(seed: int) -> tuple[str, bytes]:
    """Give the vault entry of the consumer pair: the secret's name and its JSON."""
    pair = {"key": CONSUMER_KEY, "secret": consumer_secret(seed)}
    return topology.CONSUMER, json.dumps(pair, sort_keys=True).encode()


def sign_in_key(seed: int) -> tuple[str, bytes]:
    """Give the vault entry of the key that signs sign-in links: the secret's name and its bytes."""
    return topology.SIGN_IN_KEY, hashlib.sha256(f"one-machine-sign-in-{seed}".encode()).digest()


def halt_key(seed: int) -> tuple[str, bytes]:
    """Give the vault entry of the key that signs halt links: the secret's name and its bytes."""
    return topology.HALT_KEY, hashlib.sha256(f"one-machine-halt-{seed}".encode()).digest()


def require_market_file(spec: str) -> None:
    """Refuse a market that is neither `generated` nor a file; raises UserError."""
    if spec != "generated" and not Path(spec).is_file():
        raise UserError(f"there is no market file {spec}", remedy="name a .csv or .csv.gz file, or `generated`")


def vault_key(seed: int) -> bytes:
    """Give the key of the run's vault file: derived, as its secrets open nothing outside this process."""
    return hashlib.sha256(f"one-machine-vault-{seed}".encode()).digest()


def _problems(
    environment: Mapping[str, str], symbols: Sequence[str] | None, read: Callable[[Mapping[str, str]], object]
) -> tuple[str, ...]:
    """Name every setting that cannot be used, and each watched symbol that is not among `symbols`, if given."""
    problems = settings.problems_of(read, environment)
    if symbols is None or any(problem.startswith(("STRATEGY_WATCH_LIST", "--market")) for problem in problems):
        return problems
    watched = [part.strip().upper() for part in environment["STRATEGY_WATCH_LIST"].split(",") if part.strip()]
    unknown = [symbol for symbol in watched if symbol not in symbols]
    missing = f"STRATEGY_WATCH_LIST names {', '.join(unknown)}: the market has no such symbol"
    return (*problems, missing) if unknown else problems
