"""Finds the recorded market days that tests read but the repository does not carry."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE_REPOSITORY = Path(__file__).resolve().parents[2] / "shared" / "market-data"


def recorded_day(name: str) -> Path:
    """The recorded file of a day (`2013-10-07`), or a skip that says why; REQUIRE_MARKET_DATA=1 makes it a
    failure.

    The folder is STRATEGY_MARKET_DATA, by default `../shared/market-data` beside the repository.
    """
    folder = Path(os.environ.get("STRATEGY_MARKET_DATA") or _BESIDE_REPOSITORY)
    path = folder / f"{name}.csv.gz"
    if path.exists():
        return path
    problem = f"no recorded day {name} in {folder} (set STRATEGY_MARKET_DATA)"
    if os.environ.get("REQUIRE_MARKET_DATA") == "1":
        pytest.fail(problem)
    pytest.skip(problem)
