"""A long watch list through the slow network: what the scan must see of it, and that the measurement would notice."""

from pathlib import Path

import pytest
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from infra.brokersim.generated import SYMBOL_COUNT
from infra.brokersim.network import Network
from infra.one_machine.kernel import Kernel
from infra.one_machine.world import JOURNAL_FILE
from shared.settings import Mode
from tests.benchmarks.wide_scan import measure, table
from tests.between import Between

pytestmark = pytest.mark.days
LEAST_PCT = 95
HELD_UNSEEN_S = 8
AGE_P99_MS = 1_500


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.PAPER])
def test_a_long_list_is_looked_at(tmp_path: Path, mode: Mode) -> None:
    """Of 118 symbols what is held and hot is seen in 95 % of the seconds, and no call is throttled."""
    seen = measure(tmp_path, minutes=18, mode=mode)
    assert (seen.share_pct >= LEAST_PCT, seen.throttled) == (True, 0), seen
    assert seen.held_unseen_s <= HELD_UNSEEN_S
    assert seen.age_p99_ms <= AGE_P99_MS
    assert seen.held > 0
    assert seen.signals > 0
    assert table([(mode, Network.SLOW, seen)]).row_count == 1


class Stalling(Between):
    """A way to the broker on which each fifth call for many quotes stands still for three seconds."""

    def __init__(self, kernel: Kernel, way: BaseAdapter) -> None:
        super().__init__(way)
        self._kernel = kernel
        self._calls = 0

    def carry(self, request: PreparedRequest) -> Response:
        """Carry a call."""
        self._calls += "market/quote" in str(request.url)
        if self._calls % 5 == 0:
            self._kernel.sleep(3)
        return super().carry(request)


def test_a_way_that_stalls_is_seen_in_the_figures(tmp_path: Path) -> None:
    """Calls that hold the ticks up cost seconds, in which others are not asked for, either."""
    stalled = measure(tmp_path, symbols=SYMBOL_COUNT // 2, minutes=2, over=Stalling)
    assert stalled.share_pct < LEAST_PCT
    assert stalled.age_p99_ms > AGE_P99_MS


def test_equal_seeds_give_equal_journals(tmp_path: Path) -> None:
    """Calls side by side leave and come in one order for one seed, to the byte, and another seed gives another one."""
    journals = []
    for number, seed in enumerate((8, 8, 9)):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        measure(folder, symbols=60, minutes=1, seed=seed)
        journals.append((folder / JOURNAL_FILE).read_bytes())
    assert journals[0] == journals[1] != journals[2]
    assert b'"call":2' in journals[0]
