"""The day's orders are listed with what became of each, in the words of a person; --json has what is stored."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.one_machine.sqlite_store import SqliteStore
from infra.running.instant import KeptInstant
from shared.domain.base.values import Term
from shared.domain.orders.explain import WORDS
from shared.domain.orders.orders import Order, State
from shared.usecases.base.desk import read
from tests.operations.desks import answer, strategy

MORNING = datetime(2013, 10, 7, 11, 20, tzinfo=UTC)


def test_orders_and_positions_are_listed(desk: Path, played_desk: Path) -> None:
    """The day's orders are listed though they are over, a closed position only when all is asked for."""
    KeptInstant(desk).write(MORNING)
    everything = answer("orders", "--state", str(desk))
    assert everything == answer("orders", "--all", "--state", str(played_desk))
    assert [order["kind"] for order in everything] == ["entry", "protect", "exit"]
    assert answer("positions", "--state", str(played_desk)) == []
    (held,) = answer("positions", "--all", "--state", str(played_desk))
    assert (held["symbol"], held["quantity"], held["is_open"]) == ("AIG", 0, False)
    shown = strategy("orders", "--all", "--state", str(played_desk)).stdout
    assert all(order["intent_id"][:8] in shown for order in everything)
    assert "AIG" in strategy("positions", "--all", "--state", str(played_desk)).stdout


def test_only_the_days_orders_and_open_ones_are_listed_unless_all_are_asked_for(desk: Path) -> None:
    """On the next day what ended is not listed, also by its state, and what is open still is; --all lists every one."""
    on = ("--state", str(desk))
    KeptInstant(desk).write(MORNING)
    yesterday = [one["intent_id"] for one in answer("orders", *on)]
    assert len(yesterday) == 3
    KeptInstant(desk).write(MORNING + timedelta(days=1))
    assert answer("orders", *on) == answer("orders", "--state-is", "FILLED", *on) == []
    none = "orders open or of 2013-10-08; --all lists those of every day."
    assert f"No {none}" in strategy("orders", *on).stdout
    assert f"No such {none}" in strategy("orders", "--state-is", "FILLED", *on).stdout
    assert "No such orders.\n" in strategy("orders", "--all", "--symbol", "NONE", *on).stdout
    assert [one["intent_id"] for one in answer("orders", "--all", *on)] == yesterday
    store = SqliteStore(desk / "state.db")
    held = read(store, Order, f"orders/{yesterday[0]}")
    assert held is not None
    store.commit([held.update(replace(held.value, state=State.WORKING, live=True))])
    store.close()
    assert [one["intent_id"] for one in answer("orders", *on)] == yesterday[:1]


@pytest.mark.parametrize(
    ("state", "codes", "note", "said"),
    [
        (
            State.DENIED,
            ("COOLDOWN_SYMBOL", "DAILY_LOSS"),
            "",
            "not sent: The symbol was left a short time ago. Daily loss limit.",
        ),
        (State.REJECTED, ("1037",), "Not enough shares", "rejected: Not enough shares"),
        (
            State.DENIED,
            ("KILL_SWITCH",),
            "Trading is HALTED since 10:31:02 New York, by owner: a wrong price.",
            "not sent: Trading is HALTED since 10:31:02 New York, by owner: a wrong price.",
        ),
    ],
)
def test_why_an_order_came_to_nothing_is_said_in_words(
    desk: Path, state: State, codes: tuple[str, ...], note: str, said: str
) -> None:  # fmt: skip
    """Codes of ours are sentences in the list and the story, and a refusal of the broker's is its own."""
    on = ("--state", str(desk))
    name = answer("orders", "--all", *on)[0]["intent_id"]
    store = SqliteStore(desk / "state.db")
    held = read(store, Order, f"orders/{name}")
    assert held is not None
    store.commit([held.update(replace(held.value, state=state, codes=codes, note=note))])
    store.close()
    shown = " ".join(strategy("orders", "--all", *on, COLUMNS="300").stdout.split())
    assert said in shown
    assert codes[0] not in shown
    story = " ".join(strategy("explain", name, *on, COLUMNS="300").stdout.split())
    assert f"Because {said.partition(': ')[2].rstrip('.')}" in story


def changed(desk: Path, **changes: object) -> str:
    """Change the entry of the day and give its id."""
    name = answer("orders", "--all", "--state", str(desk))[0]["intent_id"]
    store = SqliteStore(desk / "state.db")
    held = read(store, Order, f"orders/{name}")
    assert held is not None
    store.commit([held.update(replace(held.value, **changes))])  # type: ignore[arg-type]
    store.close()
    return str(name)


def test_the_reason_of_an_order_is_read_in_whole_lines_at_80_columns(desk: Path) -> None:
    """A reason that would have a narrow column stands under its row instead, and every row is one line."""
    note = "ZXAE was sold at 15:13:07 New York, and is bought again after 15 minutes."
    name = changed(desk, state=State.DENIED, codes=("COOLDOWN_SYMBOL",), note=note)
    lines = strategy("orders", "--all", "--state", str(desk), COLUMNS="80").stdout.splitlines()
    row = next(number for number, line in enumerate(lines) if line.startswith(name[:8]))
    assert lines[row].endswith("not sent")
    assert lines[row + 1].startswith("  ")
    reason = " ".join(" ".join(line for line in lines[row + 1 : row + 4] if line.startswith("  ")).split())
    assert reason.endswith(note)


@pytest.mark.parametrize(
    ("filled", "term", "said"),
    [
        (100, Term.IMMEDIATE_OR_CANCEL, "bought 100 of 104, the rest cancelled at once (immediate or cancel)"),
        (100, Term.GOOD_FOR_DAY, "bought 100 of 104, the rest cancelled"),
        (0, Term.IMMEDIATE_OR_CANCEL, "bought 0 of 104, cancelled at once (immediate or cancel)"),
    ],
)
def test_an_order_that_was_not_filled_to_its_end_says_how_much_it_bought(
    desk: Path, filled: int, term: Term, said: str
) -> None:  # fmt: skip
    """The list and the story say how many shares of how many, and that the rest was not left open for some seconds."""
    name = changed(desk, state=State.CANCELLED, quantity=104, filled=filled, term=term)
    on = ("--state", str(desk))
    (line,) = [one for one in strategy("orders", "--all", *on, COLUMNS="250").stdout.splitlines() if name[:8] in one]
    assert line.rstrip().endswith(f"; {said}")
    assert f"In short {said} " in f"{' '.join(strategy('explain', name, *on, COLUMNS='250').stdout.split())} "


def test_a_possible_wash_sale_is_said_of_its_order(desk: Path) -> None:
    """The mark of an entry soon after a loss is in its story, in the list of orders, and in both as JSON."""
    on = ("--state", str(desk))
    name = answer("orders", "--all", *on)[0]["intent_id"]
    assert "wash sale" not in strategy("explain", name, *on).stdout
    store = SqliteStore(desk / "state.db")
    held = read(store, Order, f"orders/{name}")
    assert held is not None
    store.commit([held.update(replace(held.value, possible_wash_sale=True))])
    store.close()
    assert "possible wash sale" in " ".join(strategy("explain", name, *on).stdout.split())
    assert "possible wash sale" in " ".join(strategy("orders", "--all", *on, COLUMNS="200").stdout.split())
    assert answer("orders", "--all", *on)[0]["possible_wash_sale"] is True
    assert answer("explain", name, *on)["order"]["possible_wash_sale"] is True


@pytest.mark.parametrize("state", [State.DENIED, State.UNKNOWN, State.CANCEL_REQ])
def test_a_state_is_a_word_for_a_person_and_a_name_in_json(desk: Path, state: State) -> None:
    """The table and the story show no name of the code; JSON has it, and the filter takes the one as the other."""
    on = ("--all", "--state", str(desk))
    name = answer("orders", *on)[0]["intent_id"]
    store = SqliteStore(desk / "state.db")
    held = read(store, Order, f"orders/{name}")
    assert held is not None
    store.commit([held.update(replace(held.value, state=state))])
    store.close()
    story = strategy("explain", name, "--state", str(desk)).stdout
    shown = strategy("orders", *on, COLUMNS="200").stdout
    for told in (story, shown):
        assert WORDS[state] in told
        assert state not in told
    assert answer("explain", name, "--state", str(desk))["order"]["state"] == state
    for asked in (WORDS[state].replace(" ", "-"), state):
        assert [one["state"] for one in answer("orders", "--state-is", asked, *on)] == [state]
