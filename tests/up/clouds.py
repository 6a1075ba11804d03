"""Where the tests of real processes may run."""

import os

import pytest

from infra.local import emulators
from shared.errors import ConfigError

REQUIRED = "REQUIRE_EMULATORS"


def require(cloud: str) -> None:
    """Skip where the emulators are not installed, unless they must be."""
    if cloud == "local":
        return
    try:
        emulators.find(os.environ)
    except ConfigError as missing:
        why = "; ".join(missing.problems)
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set, but the emulators are not here: {why}")
        pytest.skip(f"the emulators are not here: {why}")
