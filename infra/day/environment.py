"""The settings that a one-machine day gives to every function: the only place that knows their names."""

import hashlib
import json
import os
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from infra.brokersim.simulator import CASH_ACCOUNT_KEY
from infra.day.problems import UserError
from shared import settings, topology
from shared.errors import ConfigError

CONFIGS = ("demo", "default")
STARTING_CASH = Decimal(100_000)
CONSUMER_KEY = "one-machine-consumer-key"
GENERATED_WATCH_LIST = 10
# Of the user's own settings these count in a day too; the others name an account, a broker and money that are real.
HONOURED = ("ETRADE_RATE_LIMIT", "ETRADE_BURST_LIMIT")


def environ(*, config: str, watch_list: Sequence[str]) -> dict[str, str]:
    """Give the environment of a day's functions; nothing secret is in it."""
    return {
        **{name: os.environ[name] for name in HONOURED if name in os.environ},
        "ETRADE_SANDBOX": "false",
        "ETRADE_ACCOUNT_ID": CASH_ACCOUNT_KEY,
        "STRATEGY_CONFIG": config,
        "STRATEGY_WATCH_LIST": ",".join(watch_list),
        "STRATEGY_CAPITAL_USD": str(STARTING_CASH),
    }


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


def require_config(name: str) -> None:
    """Refuse a configuration that does not exist, and settings of the user's that no function would take.

    Raises UserError; of the settings it names every problem at once.
    """
    if name not in CONFIGS:
        raise UserError(f"there is no configuration {name!r}", remedy=f"choose {' or '.join(CONFIGS)}")
    try:
        settings.load({**environ(config=name, watch_list=("SPY",)), **os.environ})
    except ConfigError as problem:
        listed = "".join(f"\n  - {one}" for one in problem.problems)
        raise UserError(
            f"settings in the environment cannot be used:{listed}", remedy="correct them or unset them"
        ) from None


def require_market_file(spec: str) -> None:
    """Refuse a market that is neither `generated` nor a file; raises UserError."""
    if spec != "generated" and not Path(spec).is_file():
        raise UserError(f"there is no market file {spec}", remedy="name a .csv or .csv.gz file, or `generated`")


def vault_key(seed: int) -> bytes:
    """Give the key of the run's vault file: derived, as its secrets open nothing outside this process."""
    return hashlib.sha256(f"one-machine-vault-{seed}".encode()).digest()
