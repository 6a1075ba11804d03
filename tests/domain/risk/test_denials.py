"""Every denial of an entry has its sentence, with the figure that was found and the one that is asked."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.domain.base.calendar import session_at
from shared.domain.control.control import Control, TradingState
from shared.domain.orders.positions import Ledger
from shared.domain.risk import denials
from shared.domain.risk.risk import ENTRY_RULES, deny_codes
from tests.domain.made import NOON, OPENS, config, facts, position, quote

CONFIG = config()


def test_every_rule_has_its_words() -> None:
    """A rule that is added without words is found, and no words are left of a rule that is gone."""
    assert set(denials.WORDS) == set(ENTRY_RULES)


@pytest.mark.parametrize("code", sorted(ENTRY_RULES))
def test_what_is_not_known_makes_no_figure(code: str) -> None:
    """A rule whose facts are missing says so in one sentence, and fails nothing."""
    bare = replace(
        facts(), quote=None, ledger=None, positions=None, live_orders=None, holdings=None, balance=None, capital=None,
        control=None, session=None, marks=None, equity_peak=None, realized_before=None, limit_price=None,
    )  # fmt: skip
    wild = replace(quote(when=NOON), bid=Decimal("NaN"), ask=Decimal("Infinity"), last=Decimal("-Infinity"))
    for one in (bare, facts(), facts(quote=wild, limit_price=Decimal("Infinity"))):
        sentence = denials.sentences((code,), one, CONFIG)
        assert sentence.endswith(".")
        assert "None" not in sentence
        assert sentence.count(".") < 12


def test_a_halt_says_who_when_and_why() -> None:
    """The switch names its state, its first instant, its author and the reason."""
    stopped = Control(
        state=TradingState.HALTED, exits_too=False, epoch=2, reason="a wrong price", by="owner",
        at=OPENS + timedelta(minutes=61, seconds=2),
    )  # fmt: skip
    seen = facts(control=stopped)
    assert deny_codes(seen, CONFIG) == ("KILL_SWITCH",)
    assert denials.sentences(("KILL_SWITCH",), seen, CONFIG) == (
        "Trading is HALTED since 10:31:02 New York, by owner: a wrong price."
    )


def test_the_figures_are_those_that_the_rules_compare() -> None:
    """Loss, power, entries and cool-down stand in the sentence as the rule found them, beside their limit."""
    lost = Ledger(session=OPENS.date(), realized=Decimal(-5000), entries=40, reserved=Decimal(99_500))
    seen = facts(ledger=lost, closed_at=NOON - timedelta(minutes=2))
    codes = deny_codes(seen, CONFIG)
    said = denials.sentences(codes, seen, CONFIG)
    assert {"DAILY_LOSS", "ENTRIES_PER_DAY", "BUYING_POWER", "COOLDOWN_SYMBOL"} <= set(codes)
    for part in (
        "stands at -5,000.00 USD", "Entries of the day: 40, at most 40", "99,500.00 USD are reserved",
        "100,000.00 USD may be spent", f"after {CONFIG.limits.symbol_cooldown_minutes} minutes",
    ):  # fmt: skip
        assert part in said


def test_a_sentence_for_each_code_and_none_for_others() -> None:
    """Codes that are no rule's have none here, and one that comes twice is said once."""
    seen = facts(positions=(position(),), marks={"IBM": Decimal(100)})
    said = denials.sentences(
        ("FOREIGN_ORDER", "ONE_LIVE_INTENT_PER_SYMBOL", "ONE_LIVE_INTENT_PER_SYMBOL"), seen, CONFIG
    )
    assert said == "IBM is held or has a live order already."


def test_a_pause_names_the_row_that_began_it() -> None:
    """A profit of what was held then ends the row, not the pause: the sentence still names the losses."""
    won = Ledger(session=NOON.date(), losses_in_a_row=0, cooldown_until=NOON + timedelta(minutes=5))
    sentence = denials.sentences(("CONSECUTIVE_LOSSES",), facts(ledger=won), CONFIG)
    assert sentence.startswith(f"After {CONFIG.limits.losses_in_a_row} losses in a row nothing is bought until ")


def test_a_pause_beyond_the_close_is_one_of_the_day() -> None:
    """Nobody is told to wait for an hour at which the market is closed."""
    row = Ledger(session=NOON.date(), losses_in_a_row=5, cooldown_until=NOON + timedelta(hours=6))
    for session, said in ((session_at(NOON), "nothing more is bought today."), (None, "nothing is bought until ")):
        assert said in denials.sentences(("CONSECUTIVE_LOSSES",), facts(ledger=row, session=session), CONFIG)
