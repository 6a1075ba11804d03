"""Every symbol can answer at every tick why it was or was not bought."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from infra.cli.whys import instant
from infra.one_machine.sqlite_store import SqliteStore
from infra.results.reasons import rules
from infra.running.instant import KeptInstant
from infra.simulated_day.hours import NEW_YORK
from infra.simulated_day.problems import UserError
from shared.domain.market.quality import FAULTS
from shared.domain.orders.orders import Order, State
from shared.domain.orders.positions import Position
from shared.domain.telling.codes_said import ERRORS, UNSEEN
from shared.ports import Put, Where
from shared.strategies.decide import RULES
from shared.usecases.base.desk import put, read
from shared.usecases.market.warmth import Prepared
from tests.functions.made import at
from tests.operations.desks import answer, refused, strategy


def _minutes(desk: Path) -> list[str]:
    store = SqliteStore(desk / "state.db")
    found = sorted(row.path for row in store.query("receipts"))
    store.close()
    return found


def written(desk: Path, lines: list[list[object]]) -> str:
    """Let the last minute's receipt have these lines of ZXQ alone, and give when that minute was, in UTC."""
    store = SqliteStore(desk / "state.db")
    path = _minutes(desk)[-1]
    row = store.get(path)
    assert row is not None
    store.commit([Put(path, {**row.data, "configuration": 3, "symbols": {"ZXQ": lines}})])
    store.close()
    minute = path.removeprefix("receipts/")
    return f"{minute[:4]}-{minute[4:6]}-{minute[6:8]}T{minute[9:11]}:{minute[11:13]}"


def test_a_rule_says_what_it_found_and_asked(desk: Path) -> None:
    """The rule in words, its figure, its threshold, where the figure came from, the quote's age, and the version."""
    when = written(desk, [[0, "PRICE_OUT_OF_RANGE", "4.5", "5 to 1000", 250], [30, "STALE", "", "", 12_000]])
    found = answer("why", "zxq", "--at", f"{when}:29+00:00", "--state", str(desk))
    assert (found["symbol"], found["age_s"], found["configuration"]) == ("ZXQ", 0.25, 3)
    (rule,) = found["rules"]
    assert (rule["code"], rule["found"], rule["asked"]) == ("PRICE_OUT_OF_RANGE", "4.5", "5 to 1000")
    assert rule["source"] == "E*TRADE's quote"
    told = strategy("why", "ZXQ", "--at", f"{when}:31+00:00", "--state", str(desk)).stdout
    assert "The quote was too old." in told
    assert "The quote was 12.0 s old. Configuration: version 3" in told


def test_a_quote_of_the_next_second_has_no_negative_age(desk: Path) -> None:
    """A quote whose time lies ahead of the scan's clock is said to be so."""
    when = written(desk, [[0, "held", "", "", -400]])
    told = strategy("why", "ZXQ", "--at", f"{when}:29+00:00", "--state", str(desk)).stdout
    assert "The quote's time was 0.4 s ahead of our clock. Configuration:" in told


def test_before_the_first_look_of_a_minute_the_last_one_holds(desk: Path) -> None:
    """A scan whose tick came late has looked in the minute before, and what it found there is the answer."""
    store = SqliteStore(desk / "state.db")
    first, second = _minutes(desk)[-2:]
    for path, lines in ((first, [[0, "STALE", "", "", 12_000]]), (second, [[2, "held", "", "", 250]])):
        row = store.get(path)
        assert row is not None
        store.commit([Put(path, {**row.data, "symbols": {"ZXQ": lines}})])
    store.close()
    minute = second.removeprefix("receipts/")
    when = f"{minute[:4]}-{minute[4:6]}-{minute[6:8]}T{minute[9:11]}:{minute[11:13]}"
    codes = [
        answer("why", "ZXQ", "--at", f"{when}:{at_second}+00:00", "--state", str(desk))["rules"][0]["code"]
        for at_second in ("00", "02")
    ]
    assert codes == ["STALE", "held"]


def test_what_the_scan_really_wrote_is_told(desk: Path) -> None:
    """On a desk that traded each watched symbol has an answer for each second of a minute, in words."""
    minute = _minutes(desk)[0].removeprefix("receipts/")
    when = f"{minute[:4]}-{minute[4:6]}-{minute[6:8]}T{minute[9:11]}:{minute[11:13]}"
    for second in (0, 17, 58):
        found = answer("why", "AIG", "--at", f"{when}:{second:02}+00:00", "--state", str(desk))
        assert found["rules"]
        assert all(rule["words"].endswith(".") for rule in found["rules"])


@pytest.mark.parametrize(
    ("symbol", "when", "why"),
    [
        ("ZZZZ", None, "ZZZZ is not on the watch list: AIG"),
        ("AIG", "03:00", "no minute at"),
        ("AIG", "noon", "'noon' is not a time"),
    ],
)
def test_where_nobody_looked_that_is_said(desk: Path, symbol: str, when: str | None, why: str) -> None:
    """A symbol that is not watched, an hour without a scan and a word that is no time are told apart."""
    minute = _minutes(desk)[-1].removeprefix("receipts/")
    last = f"{minute[:4]}-{minute[4:6]}-{minute[6:8]}T{minute[9:11]}:{minute[11:13]}:10+00:00"
    refused(strategy("why", symbol, "--at", when or last, "--state", str(desk)), why)


def test_a_watched_symbol_without_a_line_is_not_called_unwatched(desk: Path) -> None:
    """A symbol that is on the watch list and was not looked at in these minutes is said to be just that."""
    store = SqliteStore(desk / "state.db")
    for path in _minutes(desk):
        row = store.get(path)
        assert row is not None
        store.commit([Put(path, {**row.data, "symbols": {}})])
    day = at("10:00").date()
    store.commit([put("prepared/history", Prepared(session=day, at=at("07:00"), days={"AIG": 0}, kept=day))])
    store.close()
    minute = _minutes(desk)[-1].removeprefix("receipts/")
    when = f"{minute[:4]}-{minute[4:6]}-{minute[6:8]}T{minute[9:11]}:{minute[11:13]}:10+00:00"
    refused(strategy("why", "AIG", "--at", when, "--state", str(desk)), "AIG was not looked at by", "--at")


def test_a_time_is_new_yorks_of_today() -> None:
    """An hour alone is today's in New York, a day with an hour too, and an offset is taken as it stands."""
    now = at("11:00")
    assert instant("10:31:02", now) == at("10:31:02")
    assert instant("9:31", now) == instant("09:31", now) == at("09:31")
    assert instant(f"{now:%Y-%m-%d}T10:31:02", now) == at("10:31:02")
    assert instant(f"{at('10:31:02'):%Y-%m-%dT%H:%M:%S}+00:00", now) == at("10:31:02")
    with pytest.raises(UserError):
        instant("25:00", now)


def test_every_rule_has_its_words() -> None:
    """Whatever keeps a symbol from being bought has a sentence and says where its figure comes from."""
    assert len(RULES) >= 18
    assert all(one.words.endswith(".") and one.source for one in RULES.values())


def test_without_a_symbol_each_one_has_its_longest_reason_of_the_day(desk: Path) -> None:
    """For how long it held, with its last figures, and how many others there were; another day counts for nothing."""
    lines = {"ZXQ": [[0, "STALE", "", "", 12_000], [9, "PRICE_OUT_OF_RANGE", "4.5", "5 to 1000", 250]]}
    only_minute(desk, lines)
    found = [
        (one["symbol"], [(reason["rule"]["code"], reason["seconds"]) for reason in one["reasons"]])
        for one in answer("why", "--state", str(desk)) if one["bought"] is None
    ]  # fmt: skip
    assert found == [("ZXQ", [("PRICE_OUT_OF_RANGE", 50), ("STALE", 9)])]
    told = strategy("why", "--state", str(desk), COLUMNS="200")
    (line,) = [line for line in told.stdout.splitlines() if line.startswith("ZXQ")]
    assert line.split()[:4] == ["ZXQ", "50", "s", "1"]
    assert "Found 4.5, needed 5 to 1000." in line
    assert "receipts/bad; the others count." in told.stderr


def only_minute(desk: Path, lines: dict[str, list[list[object]]]) -> str:
    """Let the day have one minute's receipt, with these lines, and an unreadable one; give when the minute was."""
    store, first = SqliteStore(desk / "state.db"), _minutes(desk)[0]
    row = store.get(first)
    assert row is not None
    for path in _minutes(desk)[1:]:
        other = store.get(path)
        assert other is not None
        store.commit([Put(path, {**other.data, "session": "2013-10-04"})])
    store.commit([Put(first, {**row.data, "symbols": lines}), Put("receipts/bad", {**row.data, "symbols": {"A": [1]}})])
    store.close()
    KeptInstant(desk).write(at("12:00"))
    minute = first.removeprefix("receipts/")
    return f"{minute[:4]}-{minute[4:6]}-{minute[6:8]}T{minute[9:11]}:{minute[11:13]}"


def entry_of(desk: Path, **changes: object) -> Order:
    """Change the one entry of the desk's day, and give it as it is then."""
    store = SqliteStore(desk / "state.db")
    (row,) = store.query("orders", Where("kind", "==", "entry"))
    held = read(store, Order, row.path)
    assert held is not None
    order = replace(held.value, **changes)  # type: ignore[arg-type]
    store.commit([held.update(order)])
    store.close()
    return order


def day_of(desk: Path, symbol: str = "AIG") -> str:
    """Give what the list says of a symbol."""
    told = strategy("why", "--state", str(desk), COLUMNS="300").stdout
    (line,) = [line for line in told.splitlines() if line.startswith(symbol)]
    return " ".join(line.removeprefix(symbol).split())


def test_a_symbol_that_was_bought_has_no_reason_why_not(desk: Path) -> None:
    """The list says how often it was bought and since when it is held; of an earlier instant none of that is said."""
    when = only_minute(desk, {"AIG": [[0, "NO_RSI", "", "", 250], [50, "signal:momentum", "", "", 250]]})
    assert day_of(desk) == "Bought once today."
    store = SqliteStore(desk / "state.db")
    held = read(store, Position, "positions/AIG")
    assert held is not None
    store.commit([held.update(replace(held.value, is_open=True, quantity=100))])
    store.close()
    opened = f"{held.value.opened_at.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S}"
    assert day_of(desk) == f"Held since {opened}: 100 shares. Bought once today."
    of_then = strategy("why", "AIG", "--at", f"{when}:30+00:00", "--state", str(desk)).stdout
    assert "Bought" not in of_then
    assert "Held" not in of_then


def test_a_signal_that_bought_nothing_is_told_with_its_time_its_reason_and_its_order(desk: Path) -> None:
    """The list and the symbol's own answer name the order, whose story `strategy explain` tells by the same id."""
    sold = "It was sold at 10:22:05 and is bought again after 15 minutes"
    order = entry_of(desk, state=State.DENIED, filled=0, codes=("COOLDOWN_SYMBOL",), note=sold)
    when = only_minute(desk, {"AIG": [[0, "signal:momentum", "", "", 250]]})
    then = f"{order.decided_at.astimezone(NEW_YORK):%H:%M:%S}"
    said = f"A purchase was wanted at {then} and none came of it: {sold} (order {order.intent_id[:8]})."
    assert day_of(desk) == said
    KeptInstant(desk).write(datetime.fromisoformat(f"{when}:58+00:00"))
    (row,) = [one for one in answer("why", "--state", str(desk)) if one["symbol"] == "AIG"]
    name = row["bought"]["last"]["order"]
    assert answer("explain", name, "--state", str(desk))["order"]["intent_id"] == order.intent_id
    told = strategy("why", "AIG", "--state", str(desk)).stdout
    assert said in told
    assert "A signal to buy was given." in told


@pytest.mark.parametrize("code", sorted({*ERRORS, *UNSEEN, *FAULTS}))
def test_no_code_of_ours_is_shown(code: str) -> None:
    """Whatever kept a quote from coming is said in a sentence, and not by the name that it has in our code."""
    (rule,) = rules(code, "", "")
    assert "could not be judged" not in rule.words
    assert rule.words[0].isupper()
    assert rule.words.endswith(".")


def test_a_day_without_a_scan_has_no_list(desk: Path) -> None:
    """Before the first minute of a day that is said, and a time is asked of one symbol alone."""
    KeptInstant(desk).write(at("12:00") + timedelta(days=1))
    refused(strategy("why", "--state", str(desk)), "no minute was scanned on 2013-10-08", "--at")
    refused(strategy("why", "--at", "10:31", "--state", str(desk)), "--at is for one symbol", "why IBM --at")
