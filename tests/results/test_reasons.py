"""Reasons are sentences with their figures wherever a person reads them: on the page, in the JSON, in the commands."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra.results.ends import ENDS, NOT_OVER, SKIPPED, UNFILLED, came_to, of_code, skipped, why_skipped
from infra.results.figures import figures
from infra.results.page import render
from infra.results.reasons import rules
from infra.results.receipts import Decision, OrderStory, WhyNot, why_not
from shared.domain.base.values import Venue
from shared.domain.orders.orders import Order, State
from shared.domain.risk.risk import ENTRY_RULES
from shared.strategies.decide import RULES
from tests.domain.made import order
from tests.results.made import facts
from tests.simulated_day.sample import quiet_day
from tests.strategies.own import write

ROOT = Path(__file__).resolve().parents[2]
_ENDED = re.compile(r'codes?=\(?"([A-Z][A-Z0-9_]+)"')


def _denied(**changes: Any) -> Order:
    return order(**{"state": State.DENIED, "filled": 0, **changes})


def test_the_kept_sentence_with_its_figures_is_what_is_said() -> None:
    """The order's own sentence stands in the list of skipped signals, and no code or general word beside it."""
    note = "The order costs 900.00 USD and 0.00 USD are reserved, 100.00 USD may be spent."
    made = _denied(codes=("BUYING_POWER",), note=note)
    signal = quiet_day().signals[0]
    (one,) = skipped([Decision(signal=signal, stories=(OrderStory(order=made, events=(), fills=()),))])
    assert (one.code, one.sentence, came_to(made)) == ("BUYING_POWER", note, note)


@pytest.mark.parametrize(
    ("state", "code", "said"),
    [
        (State.CANCELLED, UNFILLED, "the price was above the limit of $7.21, or no shares were for sale."),
        (State.EXPIRED, UNFILLED, "the price was above the limit of $7.21, or no shares were for sale."),
        (State.WORKING, NOT_OVER, "Not over yet: the order may still buy."),
    ],
)
def test_an_entry_that_ended_without_a_share_is_a_skipped_signal(state: State, code: str, said: str) -> None:
    """What was ordered and not filled is told with its limit, what is not over as such; one share is a purchase."""
    signal = quiet_day().signals[0]
    for filled in (0, 1):
        entry = order(state=state, filled=filled, limit_price=Decimal("7.21"))
        found = skipped([Decision(signal=signal, stories=(OrderStory(order=entry, events=(), fills=()),))])
        assert [one.code for one in found] == ([] if filled else [code])
        assert all(one.sentence.endswith(said) for one in found)


@pytest.mark.parametrize(
    ("found", "asked", "said"),
    [
        ("-0.7527", "0.4 % or more", "Found -0.7527 %, needed 0.4 % or more."),
        ("12.5", "10 bps or less", "Found 12.5 bps, needed 10 bps or less."),
        ("180.1", "within 40 % of 100", "Found 180.1, needed within 40 % of 100."),
        ("0:04:00", "more than 5 minutes", "Found 0:04:00, needed more than 5 minutes."),
        ("900", "1000 or more", "Found 900, needed 1000 or more."),
    ],
)
def test_what_was_found_has_the_unit_of_what_was_asked(found: str, asked: str, said: str) -> None:
    """A number stands in the unit of its threshold, and what has none, or one of its own, stays as it is."""
    (one,) = rules("SPREAD_TOO_WIDE", found, asked)
    assert one.sentence.endswith(said)


def test_an_order_that_stands_beside_ours_is_told_beside_the_figures() -> None:
    """The one reason that no kept sentence has is added to it; of a code that nobody knows the words are said."""
    both = _denied(codes=("FOREIGN_ORDER", "QTY"), note="0 shares are no number from 1 to 10000, the largest order.")
    assert came_to(both).startswith("0 shares are no number")
    assert came_to(both).endswith("An order in the symbol that is not the system's is at the broker.")
    assert came_to(_denied(codes=("SOME_NEW_CODE",))) == "Some new code."
    assert came_to(_denied(codes=("preview:1037",))) == "The broker refused it with its code 1037."
    assert came_to(_denied()) == ""


def test_on_paper_what_ended_an_order_was_done_in_the_paper_account() -> None:
    """No reason of an order on paper, kept or general, names a broker that never had it."""
    refused = _denied(venue=Venue.PAPER, codes=("preview:1037",))
    assert came_to(refused) == "The paper account refused it with its code 1037."
    for code in ENDS:
        assert "the broker" not in came_to(_denied(venue=Venue.PAPER, codes=(code,)))
    for venue, whose in ((Venue.PAPER, "the paper account"), (Venue.PRODUCTION, "the broker")):
        assert f"lists of {whose}" in came_to(_denied(venue=venue, codes=("ABSENT",)))
    assert not any("broker" in why_skipped(code) for code in SKIPPED)


def test_every_code_that_ends_an_order_has_a_sentence() -> None:
    """Whatever ends an order in the functions, or is a rule of risk, is told in words of its own, never as a code."""
    texts = [path.read_text() for path in (ROOT / "shared" / "usecases").rglob("*.py")]
    ended = {code for text in texts for code in _ENDED.findall(text)}
    assert len(ended) > 10
    for code in ended | {code for code in ENTRY_RULES if code in SKIPPED}:
        assert code in ENDS or code in SKIPPED, code
        assert code not in of_code(code)


def test_a_strategys_own_reason_is_said_in_the_words_of_its_file(tmp_path: Path) -> None:
    """Of an owner's file by its folder, of one that ships by itself; one that is not here says whose it is."""
    folder = str(write(tmp_path))
    ours, mine = rules("momentum:RISE_TOO_SMALL+mine:CHEAP", "0.2; 3", "0.4 or more; 5", folder)
    assert ours.sentence.endswith("Found 0.2, needed 0.4 or more.")
    assert mine.words == "It costs too little."
    assert mine.code == "mine:CHEAP"
    (gone,) = rules("gone:NOT_YET", "", "")
    assert gone.sentence == "The strategy gone said NOT_YET, and its file is not here."


class _Minute:
    """A receipt in which two strategies refuse at once."""

    def __init__(self) -> None:
        self.symbols = {"IBM": ((0, "SPREAD_TOO_WIDE"), (12, "momentum:RISE_TOO_SMALL+opening_range:INSIDE_RANGE"))}
        self.compared = {
            "IBM": {"SPREAD_TOO_WIDE": ("55", "40 or less"), "momentum:RISE_TOO_SMALL": ("0.2", "0.4 or more")}
        }


def test_the_page_says_why_a_symbol_was_not_bought_in_sentences() -> None:
    """Each reason that held has its sentence, what it found and asked last, its seconds, and no code."""
    (line,) = why_not([_Minute()], ["IBM"])
    assert dict(line.seconds) == {
        "SPREAD_TOO_WIDE": 12, "momentum:RISE_TOO_SMALL": 47, "opening_range:INSIDE_RANGE": 47,
    }  # fmt: skip
    text = _page(line)
    assert f"{RULES['SPREAD_TOO_WIDE'].words} Found 55, needed 40 or less." in text
    assert "Found 0.2, needed 0.4 or more." in text
    assert "SPREAD_TOO_WIDE" not in text


@pytest.mark.parametrize("words", ["spread too wide", "momentum: rise too small"])
def test_no_code_stands_on_the_page_as_words(words: str) -> None:
    """A code with its underlines taken out is no sentence."""
    seconds = (("SPREAD_TOO_WIDE", 12), ("momentum:RISE_TOO_SMALL", 47))
    assert words not in _page(WhyNot(symbol="IBM", seconds=seconds))


def _page(line: WhyNot) -> str:
    run = facts((), ())
    run = type(run)(**{name: getattr(run, name) for name in type(run).__dataclass_fields__} | {"why_not": (line,)})
    return render(run, figures(run))
