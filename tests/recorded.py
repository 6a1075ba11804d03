"""Where the recorded market days lie, and what happens when they are not there."""

from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BESIDE_THE_REPOSITORY = ROOT.parent / "shared" / "market-data"


def market_data_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of recorded days; without it skip the test, or fail it where they are required."""
    folder = Path(environment.get("STRATEGY_MARKET_DATA") or BESIDE_THE_REPOSITORY)
    if any(folder.glob("*.csv.gz")):
        return folder
    sentence = f"no recorded market days in {folder} (set STRATEGY_MARKET_DATA)"
    if environment.get("REQUIRE_MARKET_DATA") == "1":
        pytest.fail(sentence)
    pytest.skip(sentence)
