"""An hour of a simulated day on the slow network, recorded: decided again it gives the same signals and receipts."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.brokersim.network import Network
from infra.one_machine.looks import WANTED, KeptLooks, lines_of
from infra.simulated_day.replayed import replay
from shared.codec import encode
from tests.cases.short_day import Played, play
from tests.simulated_day.made import HALF_DAY as DAY
from tests.simulated_day.made import market_file
from tests.simulated_day.seeded import PLAIN

pytestmark = pytest.mark.days


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> tuple[Played, Path]:
    """Return the last hour of a half-day, played at a slow broker with a late scheduler, and its recording."""
    folder = tmp_path_factory.mktemp("looks")
    (folder / WANTED).touch()
    around = replace(PLAIN, network=Network.SLOW, looks=KeptLooks(folder))
    market = market_file(tmp_path_factory.mktemp("market"))
    return play(market, tmp_path_factory.mktemp("runs"), around=around), folder


def test_a_recorded_hour_is_decided_again_as_it_was(hour: tuple[Played, Path]) -> None:
    """Signals and receipts of an hour in which something was bought, held and sold come out byte for byte."""
    day, folder = hour
    found = replay(lines_of(folder, DAY))
    assert found.differences == []
    assert found.differing == 0
    assert found.given > 0  # shares were held
    assert found.signals == len(day.result.book.signals) > 0


def test_the_recording_has_every_signal_and_receipt_of_the_store(hour: tuple[Played, Path]) -> None:
    """What the recording compares with is what the store holds."""
    day, folder = hour
    lines: list[Any] = list(lines_of(folder, DAY))
    signals = {line[2]["signal_id"]: line[2] for line in lines if line[0] == "signal"}
    assert signals == {one.signal_id: encode(one) for one in day.result.book.signals}
    written = {line[2]: line[3] for line in lines if line[0] == "wrote"}
    for receipt in day.result.book.receipts:
        kept = written[receipt.minute.replace("+00:00", "Z")]
        assert {name: [row[:2] for row in rows] for name, rows in kept.items()} == {
            name: [list(mark)[:2] for mark in marks] for name, marks in receipt.symbols.items()
        }


def test_every_signal_of_the_hour_bought_or_is_skipped_with_a_reason(hour: tuple[Played, Path]) -> None:
    """The report counts each signal once: with shares, in whole or in part, or without any and why."""
    facts = hour[0].result.facts
    bought = sum(1 for one in facts.decisions if one.shares)
    assert bought == len(facts.trades) > 0
    assert facts.signals == len(facts.decisions) == bought + len(facts.skipped)
    assert all(one.code and one.sentence for one in facts.skipped)


def test_another_price_would_be_found(hour: tuple[Played, Path]) -> None:
    """Where one symbol's quotes are a tenth higher than they were, the replay differs."""
    lines = [json.loads(json.dumps(line)) for line in lines_of(hour[1], DAY)]
    for line in lines:
        for row in line[4] if line[0] == "look" else ():
            if isinstance(row[4], list):
                row[4][4] = str(round(float(row[4][4]) * 1.1, 2))
    assert replay(lines).differing > 0
