"""Quotes as the owner sees them: each with its age and quality, once or anew each second, and never as if alive."""

import io
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
import typer
from rich.console import Console

from infra.brokersim.faults import Fault
from infra.cli import quoted, with_key
from infra.cli.outlet import Outlet
from infra.operations import key, tables
from infra.operations.market import market_data
from infra.operations.profiles import Hand
from infra.operations.tables import Quotes
from shared.domain.market.fallback import FallbackQuote
from shared.errors import TokenDead
from shared.usecases.base.desk import put
from tests.domain.made import quote
from tests.operations.keyed import KeyHome
from tests.operations.test_probe import lively
from tests.operations.test_with_key import SHOWN

DOWN = Fault(endpoint="quotes", kind="empty-200", count=50)


def asking(hand: Hand, *symbols: str) -> Callable[[], Quotes]:
    """Give what a round of watching asks."""
    data = market_data(hand, key.reads(hand))
    return lambda: tables.quotes(hand, data, symbols)


class Rounds:
    """Waits in a time that only waiting moves, and ends after so many rounds; `pauses` are the seconds waited."""

    def __init__(self, home: KeyHome, rounds: int, between: Callable[[], object] = lambda: None) -> None:
        self._home, self._left, self._between = home, rounds, between
        self.pauses: list[float] = []

    def __call__(self, seconds: float) -> bool:
        """Let the seconds pass."""
        self.pauses.append(seconds)
        self._home.clock.forward(seconds)
        self._between()
        self._left -= 1
        return self._left <= 0


def test_a_quote_says_source_age_delay_and_quality(capsys: pytest.CaptureFixture[str]) -> None:
    """The table has them beside the prices, and what lowers the quality in words."""
    hand = KeyHome(lively()).signed_in()
    with_key.quote(hand, ["ZXAA"], json=False, **SHOWN)
    shown = capsys.readouterr()
    assert "Quality" in shown.out
    assert "a spread of" in " ".join(shown.out.split())
    assert shown.err.count("\n") == 1
    with_key.quote(hand, ["ZXAA"], json=True, **SHOWN)
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["source"], row["fresh"], row["delayed"]) == ("E*TRADE's production", True, False)
    assert 0.5 <= float(row["quality"]) <= 1
    assert row["reasons"]


def test_where_etrade_fails_the_last_known_quote_is_shown_as_old(capsys: pytest.CaptureFixture[str]) -> None:
    """What the scan stored a minute ago stands there marked, with E*TRADE's failure, and the exit code is 2."""
    home = KeyHome(lively())
    hand = home.signed_in()
    home.store.commit([put("quotes/IBM", quote(when=home.clock.at - timedelta(minutes=1)))])
    home.simulator.inject(DOWN)
    with pytest.raises(typer.Exit) as ended:
        with_key.quote(hand, ["IBM"], json=False, **SHOWN)
    assert ended.value.exit_code == 2
    shown = " ".join(capsys.readouterr().out.split())
    assert "99.99" in shown
    assert "NOT FRESH, the last that the scan stored" in shown
    assert "gave no usable answer" in shown


def test_a_price_from_elsewhere_is_shown_with_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    """Where E*TRADE fails and somebody else was asked, his last price stands there, marked, with source and delay."""
    home = KeyHome(lively())
    hand = home.signed_in()
    now = home.clock.at
    price = FallbackQuote(
        symbol="IBM", last=Decimal("51.20"), at=now - timedelta(seconds=20), source="yahoo",
        asked_at=now - timedelta(seconds=5), since=now - timedelta(minutes=1),
    )  # fmt: skip
    home.store.commit([put("fallback_quotes/IBM", price)])
    home.simulator.inject(DOWN)
    with pytest.raises(typer.Exit):
        with_key.quote(hand, ["IBM"], json=False, **SHOWN)
    shown = " ".join(capsys.readouterr().out.split())
    for part in ("51.20", "NOT FRESH", "(source: yahoo)", "nothing is traded on it", "its delay is not known"):
        assert part in shown


def test_watching_asks_once_a_second_at_most(capsys: pytest.CaptureFixture[str]) -> None:
    """Each round is a line for each symbol where nobody sits before it, and between two of them is a second of rest."""
    home = KeyHome(lively())
    hand = home.signed_in()
    before, rounds = home.calls()["quotes"], Rounds(home, 3)
    quoted.watch(asking(hand, "ZXAA", "ZXBB"), rounds, json=False)
    assert rounds.pauses == [1.0, 1.0, 1.0]
    assert home.calls()["quotes"] - before == 3
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["ZXAA", "ZXBB"] * 3
    assert all("age " in line and "quality 0." in line for line in lines)


def test_watching_goes_on_through_an_outage_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """A round that E*TRADE does not answer shows no price as fresh, and the next good one is fresh again."""
    home = KeyHome(lively())
    hand = home.signed_in()
    once = [Fault(endpoint="quotes", kind="empty-200")]

    def fail() -> None:
        if once:
            home.simulator.inject(once.pop())

    rounds = Rounds(home, 3, fail)
    quoted.watch(asking(hand, "ZXAA"), rounds, json=False)
    first, second, third = capsys.readouterr().out.splitlines()
    assert "bid 10.00" in first
    assert "bid - ask - last -" in second
    assert "gave no usable answer" in second
    assert "bid 10.00" in third


def test_watching_on_a_terminal_draws_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the table is drawn over the one before, in 80 columns, and names what is not fresh."""
    home = KeyHome(lively())
    hand = home.signed_in()
    screen = io.StringIO()
    monkeypatch.setattr(quoted, "Console", lambda **more: Console(file=screen, force_terminal=True, width=80, **more))
    quoted.watch(asking(hand, "ZXAA", "NONE"), Rounds(home, 2), json=False)
    text = screen.getvalue()
    assert text.count("\x1b[1A") >= 3, "the cursor goes back over the table before"
    assert "NO FRESH QUOTE of NONE" in text
    assert "Ctrl-C ends this." in " ".join(text.split())


def test_watching_as_json_is_a_line_a_round(capsys: pytest.CaptureFixture[str]) -> None:
    """A program gets one line of JSON for each round, and nothing else."""
    home = KeyHome(lively())
    quoted.watch(asking(home.signed_in(), "ZXAA"), Rounds(home, 2), json=True)
    rounds = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["rows"][0]["symbol"] for one in rounds] == ["ZXAA", "ZXAA"]
    assert rounds[1]["served"]["asked"] == 2


def test_watching_ends_with_its_token() -> None:
    """A token that ends is no old price: the command ends, as the next sign-in is the owner's."""
    home = KeyHome(lively())
    hand = home.signed_in()
    rounds = Rounds(home, 9, lambda: home.end_token(hand))
    with pytest.raises(TokenDead):
        quoted.watch(asking(hand, "ZXAA"), rounds, json=False)
    assert len(rounds.pauses) == 1


def test_watching_ends_with_its_reader(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Where the reader of a pipe is gone nothing is asked on: `strategy quote IBM --watch | head` ends."""
    home = KeyHome(lively())
    hand = home.signed_in()
    with (tmp_path_factory.mktemp("out") / "closed").open("wb") as file:
        outlet = Outlet(file.fileno(), "w", closefd=False)
        outlet.unread = True
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(outlet), line_buffering=True))
        rounds = Rounds(home, 9)
        quoted.watch(asking(hand, "ZXAA"), rounds, json=False)
    assert rounds.pauses == []


def test_a_quality_below_a_half_is_a_fault() -> None:
    """What E*TRADE calls delayed is graded below a half, and what is fresh above it."""
    home = KeyHome(lively())
    hand = home.signed_in()
    (good,) = asking(hand, "ZXAA")().rows
    home.simulator.delay_quotes(True)
    (late,) = asking(hand, "ZXAA")().rows
    assert late.quality < Decimal("0.5") <= good.quality
    assert (late.delayed, late.delay) == (True, "DELAYED")
