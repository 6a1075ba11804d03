"""What the owner sees of a desk: as a table for a person, as JSON for a program, never a secret."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from infra.cli.credentials import signed_in_until
from infra.cli.exits import say_unread
from infra.cli.hand import ELSEWHERE
from infra.cli.status_words import status_lines
from infra.one_machine.folder import FolderLock
from infra.one_machine.memory_store import MemoryStore
from infra.one_machine.queue import SqliteQueue
from infra.one_machine.sqlite_store import SqliteStore
from infra.one_machine.world_file import WorldFile
from infra.operations.letters import GIVEN_UP, Letter
from infra.operations.look import overview
from infra.results.words import plain
from infra.running.folder import Folder
from infra.running.instant import KeptInstant
from infra.running.status import FunctionStatus, Status, standing
from shared.codec import dumps, encode
from shared.domain.broker.tokens import TokenRecord, issued
from shared.domain.orders.explain import PLAIN, WORDS, why_left
from shared.domain.orders.orders import IN_DOUBT, TERMINAL, State
from shared.domain.telling.messages import KINDS
from shared.domain.telling.notices import NOTICES
from shared.door import bury
from shared.errors import Malformed, UnknownVersion
from shared.gcp.chance import SystemChance
from shared.gcp.clock import SystemClock
from shared.gcp.journal import CloudJournal
from shared.gcp.no_bus import NoBus
from shared.ports import Delete, Put
from shared.topology import ACCESS_TOKEN, CONSUMER, HALT_KEY, SIGN_IN_KEY
from shared.usecases.base.desk import Desk, create, put
from shared.usecases.sign_in import token
from tests.operations.desks import answer, refused, strategy, vault_of


def test_every_state_is_told_in_plain_words() -> None:
    """Each state has two sentences, and exactly its ends say that nothing follows."""
    assert set(PLAIN) == set(WORDS) == set(State)
    for state, (stands, next_step) in PLAIN.items():
        assert stands.endswith(".")
        assert next_step.endswith(".")
        assert (next_step == "Nothing more happens.") is (state in TERMINAL)
        assert state not in IN_DOUBT or "nothing was sent" not in stands


def test_a_desk_at_a_glance(played_desk: Path) -> None:
    """The overview counts what the morning left, and says whether the desk runs."""
    seen = answer("status", "--state", str(played_desk))
    assert set(seen) == {
        "name", "at", "running", "mode", "broker", "again", "on", "signed_in", "signed_out", "control",
        "live_orders", "in_doubt",
        "open_positions", "session", "realized", "unpriced", "asked", "dead_letters", "dead_letters_since", "given_up",
        "machine", "sight", "looks", "late_sign_in", "history", "ranked",
        "left_out", "notices", "unreadable", "closing", "elsewhere", "owned", "wealth", "killed", "stops",
    }  # fmt: skip
    signs_in = answer("token", "--state", str(played_desk))["signs_in"]
    assert (seen["mode"], seen["signed_in"]) == ("live", not signs_in)
    assert (seen["running"], seen["live_orders"], seen["in_doubt"], seen["open_positions"]) == (False, 0, [], 0)
    assert (seen["control"]["state"], seen["session"], seen["dead_letters"]) == ("ACTIVE", "2013-10-07", 0)
    assert (seen["given_up"], seen["machine"]) == (0, None)
    shown = strategy("status", "--state", str(played_desk)).stdout
    for part in ("ACTIVE", "2013-10-07", "the system is not running", "Unknown orders"):
        assert part in shown


def test_what_cannot_be_listed_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Documents that cannot be read stand in one line, counted, however often they were met."""
    say_unread(["orders/A", "orders/B", "orders/A"], "look there")
    assert "because 2 documents cannot be read: orders/A, orders/B; look there." in capsys.readouterr().err
    say_unread([], "look there")
    assert capsys.readouterr().err == ""


MORNING = datetime(2013, 10, 7, 11, 20, tzinfo=UTC)
DIES = datetime(2013, 10, 8, 4, 0, tzinfo=UTC)
OURS = issued("1", MORNING)


@pytest.mark.parametrize(
    ("record", "now", "signed_in"),
    [
        (None, MORNING, False),
        (OURS, MORNING + timedelta(hours=9), True),
        (replace(OURS, dies_at=MORNING + timedelta(hours=1)), MORNING + timedelta(hours=1), False),
        (OURS, DIES - timedelta(seconds=31), True),
        (OURS, DIES - timedelta(seconds=30), False),
        (replace(OURS, dies_at=DIES + timedelta(days=2)), DIES + timedelta(hours=1), False),
    ],
)
def test_signed_in_means_that_calls_are_signed(record: TokenRecord | None, now: datetime, signed_in: bool) -> None:
    """The overview and the status say that somebody is signed in exactly while the functions would use the token."""
    store = MemoryStore()
    if record is not None:
        store.commit([create(token.PATH, record)])
    assert overview(store, at=now, running=True).signed_in is signed_in
    assert standing(store, now)["signed_in"] is signed_in


def test_buried_messages_are_listed_without_what_they_hold(desk: Path) -> None:
    """How many and since when is in the overview; each shows its function, kind and reason, and never its content."""
    strategy_on = ("--state", str(desk))
    assert answer("dead-letters", *strategy_on) == []
    assert strategy("dead-letters", *strategy_on).stdout == "No message failed.\n"
    store = SqliteStore(desk / "state.db")
    hands = Desk(
        actor="notify", clock=SystemClock(), chance=SystemChance(), store=store, bus=NoBus(),
        journal=CloudJournal("notify", project="one", output=StringIO()),
    )  # fmt: skip
    inside = base64.b64encode(b'{"kind":"sign_in_needed","body":{"link":"CANARY"}}').decode()
    raw = json.dumps({"message": {"data": inside, "attributes": {"secret": "CANARY"}}}).encode()
    bury(hands, Malformed("a field is missing"), raw)
    bury(hands, UnknownVersion("version 9"), b"CANARY")
    store.commit([Put("dead_letters/damaged", {"at": "yesterday", "body": 1})])
    store.close()
    first, second, third = answer("dead-letters", *strategy_on)
    assert (first["function"], first["message"], first["reason"]) == ("notify", "sign_in_needed", "Malformed")
    assert (second["message"], second["reason"], second["detail"]) == ("", "UnknownVersion", "version 9")
    assert (third["name"], third["at"]) == ("damaged", None)
    seen = answer("status", *strategy_on)
    assert (seen["dead_letters"], seen["dead_letters_since"]) == (3, first["at"])
    shown = strategy("dead-letters", *strategy_on).stdout + strategy("status", *strategy_on).stdout
    assert "CANARY" not in shown + repr([first, second, third])
    for part in ("a field is missing", "damaged", first["name"], "`strategy dead-letters`"):
        assert part in shown
    for columns in ("20", "40", "80"):
        narrow = strategy("dead-letters", *strategy_on, COLUMNS=columns).stdout
        for part in ("a field is missing", "sign in needed", first["name"], "version 9", "no money and no stop is"):
            assert _squeezed(part) in _squeezed(narrow)
    assert strategy("dead-letters", *strategy_on, COLUMNS="80").stdout.count("Why") == 3


@pytest.mark.parametrize("columns", ["24", "40", "60", "79", "80", "200"])
def test_nothing_of_a_table_is_cut(played_desk: Path, columns: str) -> None:
    """However narrow the terminal is every order is there, each word in one piece; from 80 columns on in a table."""
    everything = answer("orders", "--all", "--state", str(played_desk))
    shown = strategy("orders", "--all", "--state", str(played_desk), COLUMNS=columns).stdout
    for order in everything:
        reason = why_left(order["reason"]) if order["kind"] == "exit" else plain(order["reason"])
        for word in (order["intent_id"][:8], *WORDS[order["state"]].split(), *reason.split()):
            assert word in shown.split()
    assert shown.count("Symbol") == 1 or int(columns) < 80
    opening, command, prices, *lines = shown.splitlines()
    assert (opening[:12], command.lstrip()[:12], prices[:8]) == ("NOT RUNNING:", "strategy up ", "Prices: ")
    assert all(len(line) <= int(columns) for line in lines)


def test_a_system_that_never_traded_has_no_last_session(desk: Path) -> None:
    """The line of the last session is left out where there is none, and stands where there is one."""
    on = ("--state", str(desk))
    assert "Last session" in strategy("status", *on).stdout
    store = SqliteStore(desk / "state.db")
    store.commit([Delete(row.path) for row in store.query("ledger")])
    store.close()
    assert not [part for part in ("Last session", "nothing traded") if part in strategy("status", *on).stdout]


def test_all_times_are_new_yorks_and_say_so(desk: Path) -> None:
    """Each instant that a person reads is New York's, labelled, and with its date where that is not the order's day."""
    on = ("--state", str(desk))
    store = SqliteStore(desk / "state.db")
    store.commit([put(token.PATH, OURS), Put("dead_letters/one", {"at": DIES.isoformat(), "body": ""})])
    store.close()
    KeptInstant(desk).write(MORNING)
    (entry, *_), (held,) = answer("orders", "--all", *on), answer("positions", "--all", *on)
    assert "2013-10-07 07:20:00 New York, simulated time (the system is not running)" in strategy("status", *on).stdout
    assert "1 since 2013-10-08 00:00:00 New York" in strategy("status", *on).stdout
    signed_in = " ".join(strategy("token", *on).stdout.split())
    assert "Signed in until midnight New York" in signed_in
    assert "Expires 2013-10-08 00:00:00 New York" in signed_in
    assert answer("token", *on)["state"] == "fresh"
    assert "2013-10-08 00:00:00 New York" in strategy("dead-letters", *on).stdout
    since = datetime.fromisoformat(held["opened_at"]) - timedelta(hours=4)
    shown = strategy("positions", "--all", *on).stdout
    assert f"{since:%Y-%m-%d}, New York" in shown
    assert f"{since:%H:%M:%S}" in shown
    story, told = answer("explain", entry["intent_id"], *on), strategy("explain", entry["intent_id"], *on).stdout
    steps = [datetime.fromisoformat(one["at"]) - timedelta(hours=4) for one in (*story["events"], *story["fills"])]
    assert all(f"{step:%H:%M:%S.%f}"[:-3] in told for step in steps)
    decided = datetime.fromisoformat(entry["decided_at"]) - timedelta(hours=4)
    assert f"{decided:%Y-%m-%d %H:%M:%S} New York" in told
    assert "until 2013-10-08 00:00:00 New York at the latest" in signed_in_until(OURS)


def test_the_first_minute_is_not_missed_before_it_can_be_over() -> None:
    """Until two minutes after the open no minute can be written down, and no alarm is shown; from then on it is."""
    opens = MORNING.replace(hour=13, minute=30)
    told = (
        (-1, "the market is closed"), (0, "the market has just opened"), (119, "the market has just opened"),
        (120, "NO minute was scanned"),
    )  # fmt: skip
    for seconds, said in told:
        seen = overview(MemoryStore(), at=opens + timedelta(seconds=seconds), running=True)
        assert str(dict(status_lines(seen))["Scan"]).startswith(said)


def _squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("is_running", [False, True])
def test_what_the_bus_gave_up_is_counted_and_listed(desk: Path, is_running: bool) -> None:
    """It is counted apart and listed beside what was put aside, of a running desk as of another, and stays."""
    queue = SqliteQueue(desk / "state.db")
    message = queue.add(
        topic="notices", data=b'{"kind":"sign_in_needed","body":{"link":"CANARY"}}', attributes={"secret": "CANARY"},
        ordering_key="", published_at=MORNING, subscriptions=("notify.notices",),
    )  # fmt: skip
    queue.bury("notify.notices", message.message_id, 20)
    held = FolderLock(desk) if is_running else None
    if held is not None:
        WorldFile(cloud="local", push_key="x", state=str(desk / "state.db")).write(desk / "world.json")
    on = ("--state", str(desk))
    (letter,) = answer("dead-letters", *on)
    assert (letter["function"], letter["message"], letter["reason"]) == ("notify", "sign_in_needed", "GivenUp")
    assert (letter["at"], "20 attempts" in letter["detail"]) == ("2013-10-07T11:20:00Z", True)
    seen = answer("status", *on)
    assert (seen["running"], seen["dead_letters"], seen["given_up"]) == (is_running, 0, 1)
    listed = strategy("dead-letters", *on).stdout
    shown = listed + strategy("status", *on).stdout
    assert "CANARY" not in shown + repr(letter)
    assert not [word for word in ("GivenUp", "acknowledged", "published", "sign_in_needed") if word in listed]
    assert "1: `strategy dead-letters` shows them" in shown
    assert [one.message for one in queue.dead_letters()] == [message]
    queue.close()
    if held is not None:
        held.release()


def test_each_kind_of_failed_message_says_what_follows_from_it() -> None:
    """Whatever one function tells another, its owner reads what is touched, and a command or that none is needed."""
    letter = Letter(name="", at=None, function="", message="", reason=GIVEN_UP, detail="")
    unknown = letter.means
    for kind in KINDS.keys() - NOTICES.keys():
        means = replace(letter, message=kind).means
        assert means != unknown
        assert "`strategy " in means or means.endswith("nothing is to be done")
    assert "MAY NOT BE IN FORCE" in replace(letter, message="halt_asked").means


def test_what_pubsub_gave_up_is_looked_for_where_it_is() -> None:
    """The help names the subscription in which Pub/Sub keeps it, and how to look there."""
    assert "gcloud pubsub subscriptions pull dead-letters" in " ".join(
        strategy("dead-letters", "--help").stdout.split()
    )
    assert "without --auto-ack it stays" in ELSEWHERE["cloud"]


def _shown_beside(desk: Path, content: str | None) -> tuple[str, Any]:
    """Give the status of a desk that runs and has written this down."""
    held = FolderLock(desk)
    WorldFile(cloud="local", push_key="x", state=str(desk / "state.db")).write(desk / "world.json")
    if content is not None:
        Folder(path=desk).status.write_text(content)
    on = ("--state", str(desk))
    shown = " ".join(strategy("status", *on).stdout.split()), answer("status", *on)["machine"]
    held.release()
    return shown


def _written(ago_s: float, refused: str | None) -> str:
    functions = tuple(
        FunctionStatus(name=name, address="", pid=1, answers=answers, restarts=restarts)
        for name, answers, restarts in (("notify", False, 0), ("market_scan", True, 2), ("console", True, 0))
    )
    status = Status(
        at=MORNING, wall=datetime.now(UTC) - timedelta(seconds=ago_s), desk=1, trading=None,
        signed_out=False, signed_in=None,
        functions=functions, pending=0, given_up=0, refused=refused,
    )  # fmt: skip
    return dumps(encode(status)).decode()


def test_trouble_of_the_machine_is_on_the_page(desk: Path) -> None:
    """Beside a running desk the page names who does not answer or was started again, what is refused, and the age."""
    page, plain = _shown_beside(desk, _written(2, "no space left"))
    assert "NOT ANSWERING: notify; market_scan started again, 2 so far; REFUSED: no space left; updated" in page
    assert "TOO OLD" not in page
    assert (plain["silent"], plain["restarted"], plain["refused"]) == (["notify"], {"market_scan": 2}, "no space left")
    page, plain = _shown_beside(desk, _written(300, None))
    assert "TOO OLD, look at its terminal" in page
    assert (plain["age_s"] >= 300, plain["refused"]) == (True, None)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"functions": [1]}'])
def test_a_machine_that_is_not_known_is_told_as_unknown(desk: Path, content: str | None) -> None:
    """A running desk that has written nothing that can be read is not told as well."""
    page, plain = _shown_beside(desk, content)
    assert "This machine UNKNOWN" in page
    assert plain["age_s"] is None


def test_what_cannot_be_read_hides_nothing_else(desk: Path) -> None:
    """A damaged order or position is named, and the others are listed and counted as before."""
    on = ("--state", str(desk))
    whole = answer("orders", "--all", *on)
    store = SqliteStore(desk / "state.db")
    store.commit([Put("orders/damaged", {"live": True}), Put("positions/XYZ", {"is_open": True})])
    store.close()
    seen = answer("status", *on)
    assert (seen["live_orders"], seen["open_positions"]) == (0, 0)
    assert seen["unreadable"] == ["orders/damaged", "positions/XYZ"]
    assert "orders/damaged, positions/XYZ" in strategy("status", *on).stdout
    assert answer("orders", "--all", *on) == whole
    assert "orders/damaged" in strategy("orders", *on).stderr
    assert "positions/XYZ" in strategy("positions", *on).stderr


def test_an_orders_story_is_told_by_any_of_its_names(played_desk: Path) -> None:
    """An id, its beginning in any case and the broker's number give the same chain: signal, steps, fills, the end."""
    entry, stop, _ = answer("orders", "--all", "--state", str(played_desk))
    names = (entry["intent_id"], entry["intent_id"][:10].lower(), str(entry["broker_order_id"]))
    story, *others = [answer("explain", name, "--state", str(played_desk)) for name in names]
    assert others == [story, story]
    assert story["signal"]["signal_id"] == entry["signal_id"]
    assert [one["seq"] for one in story["events"]] == list(range(len(story["events"])))
    assert story["events"][-1]["after"] == "FILLED"
    assert sum(fill["quantity"] for fill in story["fills"]) == entry["quantity"]
    assert [story["stands"], story["next_step"]] == list(PLAIN[State.FILLED])
    assert answer("explain", stop["intent_id"], "--state", str(played_desk))["signal"] is None
    shown = strategy("explain", entry["intent_id"], "--state", str(played_desk)).stdout
    assert PLAIN[State.FILLED][0] in shown
    assert "ordering" in shown
    assert not {one["actor"] for one in story["events"]} & set(shown.split())


def test_no_order_is_meant_by_a_number_that_it_has_not(desk: Path) -> None:
    """An order that the broker has not is found by its id alone; no word stands for the number that is not there."""
    store = SqliteStore(desk / "state.db")
    row = store.query("orders")[0]
    store.commit([Put(row.path, {**row.data, "broker_order_id": None})])
    store.close()
    refused(strategy("explain", "None", "--state", str(desk)), "no order is called None", "orders --all")


def test_an_order_that_is_not_there_or_not_one_is_refused(played_desk: Path) -> None:
    """A name of no order, or of several, is refused with where to find one."""
    refused(strategy("explain", "nothing", "--state", str(played_desk)), "no order is called nothing", "orders --all")
    for none in ("", " "):
        refused(strategy("explain", none, "--state", str(played_desk)), "no order was named", "orders --all")
    refused(strategy("explain", "I", "--state", str(played_desk)), "3 orders begin with I", "orders --all")


def test_the_token_is_told_of_and_never_shown(played_desk: Path) -> None:
    """State and instants of the token show, and nothing that the vault holds is in any output."""
    seen = answer("token", "--state", str(played_desk))
    assert set(seen) == {"state", "signs_in", "issued_at", "renewed_at", "dies_at", "ended_at"}
    words = [("status",), ("orders", "--all"), ("positions", "--all"), ("token",)]
    shown = "".join(strategy(*each, "--state", str(played_desk)).output for each in words)
    assert "no: the sign-in has ended; `strategy login` signs in" in shown
    vault = vault_of(played_desk)
    held = {name: vault.versions(name) for name in (ACCESS_TOKEN, CONSUMER, SIGN_IN_KEY, HALT_KEY)}
    assert held[CONSUMER]
    for name, versions in held.items():
        for version in versions:
            text = vault.read(name, version).decode("latin-1")
            assert all(part not in shown for part in text.split('"') if len(part) > 8)


def test_after_a_settled_day_nobody_is_alarmed() -> None:
    """Where the day's token was ended with its day, that is said on that day, and the alarm on the next morning."""
    store, ended = MemoryStore(), MORNING + timedelta(hours=6)
    record = issued("1", MORNING)
    store.commit([put(token.PATH, replace(record, dies_at=ended, ended_at=ended))])
    seen = overview(store, at=ended + timedelta(minutes=5), running=True)
    assert (seen.signed_in, seen.signed_out, dict(status_lines(seen))["Signed in"]) == (
        False, True, "no: the day is settled",
    )  # fmt: skip
    morning = overview(store, at=ended + timedelta(hours=18), running=True)
    assert "strategy login" in str(dict(status_lines(morning))["Signed in"])
    assert not morning.signed_out
