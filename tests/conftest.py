"""What every test may ask for."""

import os
from pathlib import Path

import pytest

from tests.recorded import market_data_folder


@pytest.fixture(scope="session")
def market_data() -> Path:
    """Return the folder of recorded market days, or skip."""
    return market_data_folder(os.environ)
