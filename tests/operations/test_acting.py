"""What the owner does to a desk: each order counts one epoch, is told of, and needs no part of the desk to be up."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from infra.cli.credentials import asking_code
from infra.cli.exits import NOT_RUNNING
from infra.cli.status_words import commands, status_lines
from infra.cli.up import goes_on, in_force, signing_in
from infra.one_machine.memory_store import MemoryStore
from infra.one_machine.sqlite_store import SqliteStore
from infra.operations.look import overview
from infra.operations.profiles import reach
from shared.codec import loads
from shared.domain.control.control import MOST_LATER, TradingState
from shared.domain.orders.positions import Position
from shared.errors import Conflict
from shared.gcp.chance import SystemChance
from shared.gcp.clock import SystemClock
from shared.gcp.journal import CloudJournal
from shared.gcp.no_bus import NoBus
from shared.ports import Document, Store, Where, Write
from shared.usecases.base.desk import Desk, put, read
from shared.usecases.control import control
from tests.domain.made import NOON, position
from tests.functions.made import at
from tests.operations.desks import answer, refused, running, sign_out, strategy


class Between:
    """A store in which something happens between the first look and the first commit."""

    def __init__(self, store: MemoryStore, deed: Callable[[], object]) -> None:
        self._store = store
        self._deed: Callable[[], object] | None = deed

    def get(self, path: str) -> Document | None:
        """Read as it is."""
        return self._store.get(path)

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Let it happen, then try to write."""
        deed, self._deed = self._deed, None
        if deed is not None:
            deed()
        return self._store.commit(writes)

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Ask as it is."""
        return self._store.query(collection, *where, order_by=order_by, limit=limit)


def _desk_of(actor: str, store: Store) -> Desk:
    journal = CloudJournal(actor, project="one", output=StringIO())
    return Desk(actor=actor, clock=SystemClock(), chance=SystemChance(), store=store, bus=NoBus(), journal=journal)


def _promised(desk: Path) -> list[tuple[str, int, str]]:
    """Give kind, epoch and reason of the notices that wait for a function to publish them."""
    store = SqliteStore(desk / "state.db")
    try:
        rows = store.query("outbox", Where("topic", "==", "notices"))
        plain = [loads(row.data["body"].encode()) for row in rows if row.path.startswith("outbox/owner:")]
    finally:
        store.close()
    told = ((one["kind"], one["body"]["epoch"], one["body"]["reason"]) for one in plain)
    return sorted(told, key=lambda one: one[1])


def test_halt_reduce_and_resume_are_counted_and_told(desk: Path) -> None:
    """Each command writes its state with the next epoch and its reason, and promises its notice with it."""
    before = answer("status", "--state", str(desk))["control"]["epoch"]
    given = [
        answer("halt", "--reason", "a look", "--state", str(desk)),
        answer("halt", "--exits-too", "--reason", "stand still", "--state", str(desk)),
        answer("resume", "--exits-only", "--reason", "sell", "--state", str(desk)),
        answer("resume", "--reason", "all is well", "--state", str(desk)),
        answer("reduce", "--reason", "less", "--state", str(desk)),
    ]
    assert [(one["state"], one["exits_too"]) for one in given] == [
        ("HALTED", False), ("HALTED", True), ("REDUCE_ONLY", False), ("ACTIVE", False),
        ("REDUCE_ONLY", False),
    ]  # fmt: skip
    epochs = [before, *(one["epoch"] for one in given)]
    assert epochs == sorted(set(epochs))
    assert {one["by"] for one in given} == {"owner"}
    assert [one["reason"] for one in given] == ["a look", "a look", "sell", "all is well", "less"]
    assert answer("status", "--state", str(desk))["control"] == given[-1]
    halted, still, reduced, resumed, again = epochs[1:]
    assert _promised(desk) == [
        ("trading_halted", halted, "a look"), ("trading_halted", still, "stand still"),
        ("trading_reduced", reduced, "sell"), ("trading_resumed", resumed, "all is well"),
        ("trading_reduced", again, "less"),
    ]  # fmt: skip


def test_a_halt_is_said_in_a_sentence(desk: Path) -> None:
    """A person reads the state, since when, by whom and why."""
    shown = strategy("halt", "--exits-too", "--reason", "enough", "--state", str(desk)).stdout
    assert shown.startswith(f"The trading state of {desk} (live) is HALTED (no sale is sent either) since ")
    assert shown.splitlines()[0].endswith("by you: enough.")


def test_only_a_resume_loosens(desk: Path) -> None:
    """Neither a second halt nor a reduce takes anything back of a halt that blocks exits."""
    strategy("halt", "--exits-too", "--reason", "enough", "--state", str(desk))
    for words in (("halt",), ("reduce",)):
        done = strategy(*words, "--state", str(desk))
        assert "is HALTED (no sale is sent either) since " in done.stdout
        assert ("only `strategy resume` makes it looser" in done.stderr) is (words == ("reduce",))
    assert answer("status", "--state", str(desk))["control"]["reason"] == "enough"
    eased = strategy("resume", "--exits-only", "--reason", "sell", "--state", str(desk)).stdout
    assert "is REDUCE_ONLY since " in eased


def test_a_desk_that_starts_halted_says_so() -> None:
    """A halt outlives every restart: `strategy up` shows it with its reason and what ends it, and else nothing."""
    store = MemoryStore()
    owner = _desk_of("owner", store)
    assert in_force(store) is None
    control.command(owner, TradingState.HALTED, reason="a wrong price")
    shown = str(in_force(store))
    assert shown.startswith("Trading   HALTED since ")
    assert shown.endswith("by you: a wrong price; only `strategy resume` makes it looser")
    control.command(owner, TradingState.ACTIVE, loosen=True, reason="seen")
    assert in_force(store) is None


def test_a_second_halt_keeps_the_first_reason(desk: Path) -> None:
    """Who halts again reads why and since when it was halted first, and the second reason stands behind it."""
    on = ("--state", str(desk))
    first = answer("halt", "--reason", "a wrong price", *on)
    second = answer("halt", "--reason", "still wrong", *on)
    assert (second["reason"], second["at"]) == ("a wrong price", first["at"])
    assert second["later"] == ["owner: still wrong"]
    shown = " ".join(strategy("status", *on).stdout.split())
    assert (
        "by you: a wrong price; then by you: still wrong. Nothing is bought; stops and sales go on once it runs"
        in shown
    )
    assert answer("resume", "--reason", "seen", *on)["later"] == []


def test_a_halt_of_the_system_after_the_owner_s_is_kept_and_told_once() -> None:
    """What broke while the owner's halt was in force is kept, once whatever its figures, and no poll makes a flood."""
    store = MemoryStore()
    owner, settle = _desk_of("owner", store), _desk_of("settle", store)
    control.command(owner, TradingState.HALTED, reason="lunch")
    for lost in ("501.20", "502", "1,503.7"):
        changed = control.tighten(settle, TradingState.HALTED, reason=f"the session lost {lost} USD")
        assert changed is (lost == "501.20")
    value = control.current(owner).value
    assert (value.by, value.reason, value.later) == ("owner", "lunch", ("settle: the session lost 501.20 USD",))
    assert len(store.query("outbox")) == 2
    for word in "abcdefghijklmnopqrstuvwxyz" * 2:
        control.tighten(settle, TradingState.HALTED, reason=f"order {word}")
    assert len(control.current(owner).value.later) == MOST_LATER
    assert len(store.query("outbox")) == 1 + MOST_LATER
    assert not control.tighten(settle, TradingState.REDUCE_ONLY, reason="less strict")


@pytest.mark.parametrize(
    "words", [("resume", "--reason", " "), ("resume", "--reason", "..."), ("reduce", "--reason", "")]
)
def test_a_state_without_a_reason_is_refused(desk: Path, words: tuple[str, ...]) -> None:
    """An empty reason, or the dots that a screen leaves for it, changes nothing."""
    before = answer("status", "--state", str(desk))["control"]
    refused(strategy(*words, "--state", str(desk)), "a reason is needed")
    assert answer("status", "--state", str(desk))["control"] == before


def test_what_does_not_print_is_kept_spelled_out(desk: Path) -> None:
    """No reason reaches a terminal, a log or a notice with characters that act on it; letters of any kind stay."""
    kept = r"\x1b[2Ja\nb\t\u202ec \x9b é 株"
    for words in (("halt",), ("resume",), ("reduce",)):
        given = " \x1b[2Ja\nb\t\u202ec \x9b é 株 "
        assert answer(*words, "--reason", given, "--state", str(desk))["reason"] == kept
    assert {reason for _, _, reason in _promised(desk)} == {kept}


def test_a_reason_that_is_too_long_halts_all_the_same(desk: Path) -> None:
    """Of a reason that is too long a halt keeps the beginning and says so; nothing else takes it."""
    long, on = "x" * 201, ("--state", str(desk))
    done = strategy("halt", "--reason", long, *on)
    assert (done.exit_code, "cut to its first 200" in done.stderr) == (NOT_RUNNING, True)
    control = answer("status", *on)["control"]
    assert (control["state"], control["reason"]) == ("HALTED", "x" * 200)
    for words in (("resume",), ("reduce",)):
        refused(strategy(*words, "--reason", long, *on), "201 characters", "200 are the most", "nothing was changed")
    assert answer("status", *on)["control"] == control
    assert answer("resume", "--reason", long[1:], *on)["reason"] == long[1:]


def test_a_resume_does_not_undo_a_halt_that_it_never_saw() -> None:
    """A halt that falls between the owner's look and the write stays, and the owner is told of it."""
    store = MemoryStore()
    desk = _desk_of("owner", store)
    control.command(desk, TradingState.REDUCE_ONLY, reason="less")
    halting = Between(store, lambda: control.tighten(_desk_of("settle", store), TradingState.HALTED, reason="a bug"))
    with pytest.raises(Conflict, match="HALTED meanwhile, by settle: a bug"):
        control.command(_desk_of("owner", halting), TradingState.ACTIVE, loosen=True, reason="go on")
    assert control.current(desk).value.state is TradingState.HALTED
    control.command(_desk_of("owner", store), TradingState.ACTIVE, loosen=True, reason="seen")
    assert control.current(desk).value.state is TradingState.ACTIVE


def test_what_is_no_code_is_asked_for_again_in_a_line(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page and what to do with it are shown once; only another page is shown anew."""
    monkeypatch.setattr("sys.stdin", StringIO("\n\nABCDE\nABCDE\n"))
    with reach("local", desk, {}) as hand:
        ask = asking_code(hand, browser=False)
        answers = [ask(page) for page in ("https://one.example", "https://one.example", "https://one.example")]
        assert (answers, capsys.readouterr().err.count("https://one.example")) == (["", "", "ABCDE"], 1)
        ask("https://two.example")
        assert "https://two.example" in capsys.readouterr().err


def test_a_start_again_says_what_it_goes_on_with(desk: Path) -> None:
    """The instant where it stopped, which no --starts changes, and how much is held and open."""
    store = SqliteStore(desk / "state.db")
    said = goes_on(store, at("10:08"), simulated=True)
    assert said == (
        "from 2013-10-07 10:08:00 New York, where it stopped; --starts is for a new folder; nothing held, 0 orders open"
    )
    held = read(store, Position, "positions/AIG")
    assert held is not None
    store.commit([held.update(replace(held.value, is_open=True, quantity=100))])
    real = goes_on(store, at("10:08"), simulated=False)
    store.close()
    assert real == "with what the folder holds; 1 position held, 0 orders open"


def test_who_is_signed_in_is_not_asked_to_sign_in(desk: Path) -> None:
    """A start again and a sign-in say until when one lasts that is there already; without one the command stands."""
    store, command = SqliteStore(desk / "state.db"), "strategy login"
    until = signing_in(store, at("10:08"), command)
    store.close()
    assert until.startswith("is done, until 2013-10-0")
    with running(desk, at("10:08")):
        done = strategy("login", "--no-browser", "--state", str(desk), given="")
        assert done.stderr.startswith("You are signed in already, until 2013-10-0")
        sign_out(desk)
        assert "You are signed in already" not in strategy("login", "--no-browser", "--state", str(desk)).stderr
    store = SqliteStore(desk / "state.db")
    assert signing_in(store, at("10:08"), command) == command
    store.close()


def test_status_names_the_sign_in_that_a_sale_waits_for() -> None:
    """Signed out the command that signs in stands before that which sells; nothing is sold where nothing is held."""
    store = MemoryStore()
    seen = overview(store, at=NOON, running=True, on="--state one")
    assert dict(commands(seen)) == {
        "To sign in": "strategy login --state one",
        "To stop buying": "strategy halt --state one",
    }
    store.commit([put("positions/IBM", position())])
    held = overview(store, at=NOON, running=True, on="--state one")
    assert list(dict(commands(held))) == ["To sign in", "To stop buying", "To sell all"]
    assert "To sign in" not in dict(commands(replace(held, signed_in=True)))


def test_status_says_how_to_go_on_after_a_halt() -> None:
    """What is halted is said in plain words with who did it, and the command that ends it stands for that which did."""
    store = MemoryStore()
    control.command(_desk_of("owner", store), TradingState.HALTED, reason="the owner halted")
    seen = replace(overview(store, at=NOON, running=True, on="--state one"), signed_in=True)
    said = str(dict(status_lines(seen))["Trading state"])
    assert said.startswith("HALTED since ")
    assert said.endswith("New York, by you. Nothing is bought; stops and sales go on")
    both = replace(seen, stops=("Trading is HALTED.", "Another rule."))
    assert dict(status_lines(both))["NOT BUYING"] == "Another rule."
    assert dict(commands(seen)) == {"To trade again": 'strategy resume --reason "..." --state one'}
