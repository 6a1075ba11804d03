"""The graphs that these tests look at: each stack as shipped, and production with keys of the owner's own."""

import os
from collections.abc import Mapping
from typing import Any

import pytest

from tests.infra.cloud import trial
from tests.infra.cloud.capture import Graph, capture, config_of
from tests.recorded import provider_rules

KEYS, OWNER = "etrade-strategy:customerKeys", "etrade-strategy:owner"


@pytest.fixture(scope="session")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Graph]:
    """Give the graph of every stack; "keys" is production with customer keys, "closed" the sandbox without owner."""
    folder = tmp_path_factory.mktemp("archives")
    with_keys = {**config_of("production"), KEYS: "true"}
    closed = {**config_of("sandbox"), OWNER: ""}
    return {
        "sandbox": capture(config_of("sandbox"), "sandbox", folder),
        "production": capture(config_of("production"), "production", folder),
        "keys": capture(with_keys, "production", folder),
        "closed": capture(closed, "sandbox", folder),
    }


@pytest.fixture(scope="session")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """Give the graph of a stack of other values, with a function, a topic, a schedule, a secret and more besides."""
    return capture(trial.CONFIG, trial.STACK, tmp_path_factory.mktemp("archives"), trial.EXTENDED)


@pytest.fixture(scope="session")
def rules() -> Mapping[str, Any]:
    """Give what the provider refuses at preview."""
    return provider_rules(os.environ)
