"""`strategy init` on a pseudo-terminal: what is asked, what is stored, and that nothing secret is seen."""

import base64
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.exits import INTERRUPTED
from infra.cli.main import app
from infra.one_machine.folder import FolderLock
from infra.one_machine.vault import KEY_VARIABLE, FileVault
from infra.running.registry import VARIABLE
from infra.running.wanted import given, kept, source
from infra.simulated_day.problems import UserError
from shared.wiring.credentials import stored_consumer

ROOT = Path(__file__).resolve().parents[2]
VAULT_KEY = bytes(range(32))
KEY, HALF, OTHER = "CANARY-the-key", "CANARY-the-half", "CANARY-another-half"
WHICH_AGAIN = "sandbox, none) [production]: "
WHICH, REPLACE = "sandbox, none) [none]: ", "Replace it (yes, no) [no]: "
PAIR = [("Consumer key: ", KEY), ("Consumer secret: ", HALF)]
DAY = ("Play the simulated day now (yes, no) [no]: ", "")
REST = [("Symbols [AIG,BAC,IBM,SPY]: ", ""), ("Capital [10000]: ", "2500"), DAY]
AGAIN = [("Symbols [AIG,BAC,IBM,SPY]: ", ""), ("Capital [2500]: ", ""), DAY]
LASTS_S = 120
CTRL_C = "Ctrl-C"
Talk = Sequence[tuple[str, str]]


def environ(folder: Path) -> dict[str, str]:
    """Give what a person's terminal has: no key, no symbols, no capital, and a vault's key of their own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ETRADE_", "STRATEGY_"))}
    vault = base64.urlsafe_b64encode(VAULT_KEY).decode()
    return {**kept, KEY_VARIABLE: vault, VARIABLE: str(folder / "running"), "PYTHONPATH": str(ROOT)}


def init(folder: Path, talk: Talk, **changes: str | None) -> tuple[int, str]:
    """Run it on a terminal of its own, type each answer when its question is there, and give code and screen."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "infra.cli.main", "init"]
    done = subprocess.Popen(  # noqa: S603 - our own program
        words,
        cwd=folder,
        env={name: value for name, value in (environ(folder) | changes).items() if value is not None},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    screen, ends = "", time.monotonic() + LASTS_S
    try:
        for question, answer in talk:
            seen = len(screen)
            while question not in screen[seen:]:
                screen += read(ours, ends)
            if answer == CTRL_C:
                done.send_signal(signal.SIGINT)
            else:
                os.write(ours, f"{answer}\n".encode())
        while part := read(ours, ends):
            screen += part
        return done.wait(LASTS_S), screen.replace("\r\n", "\n")
    finally:
        os.close(ours)
        if done.poll() is None:
            done.kill()
            done.wait()


def read(terminal: int, ends: float) -> str:
    """Give what is on the screen next, nothing where the program has ended."""
    ready, _, _ = select.select([terminal], [], [], max(0.0, ends - time.monotonic()))
    assert ready, "the program neither asks nor ends"
    try:
        return os.read(terminal, 4096).decode()
    except OSError:  # Linux says so where nobody has the other end any more
        return ""


def stored(folder: Path, of: str) -> tuple[str, str]:
    """Give the pair in a vault."""
    return stored_consumer(FileVault(folder / "state" / of / "vault.bin", key=VAULT_KEY))


def nothing_secret(screen: str, folder: Path) -> None:
    """Check that no part of a key is on the screen, or in any file as it was typed."""
    assert "CANARY" not in screen
    assert not any(b"CANARY" in path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("broker", ["production", "sandbox"])
def test_a_key_is_stored_and_never_shown(tmp_path: Path, broker: str) -> None:
    """Both vaults have the pair, neither screen nor file shows it, and the last words name what comes next."""
    code, screen = init(tmp_path, [(WHICH, broker), *PAIR, *REST])
    assert code == 0, screen
    assert [stored(tmp_path, f"{broker}-{of}") for of in ("paper", "key")] == [(KEY, HALF)] * 2
    nothing_secret(screen, tmp_path)
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"vault.bin", "state.db", "wanted.json"}
    assert [path for path in files if path.stat().st_mode & 0o077] == []
    for part in (
        f"strategy doctor --broker {broker}", f"strategy up --broker {broker}", "strategy login", "strategy demo",
    ):  # fmt: skip
        assert f"  {part}\n" in screen or f"`{part}`" in screen
    for part in ("made-up answers", "real quotes", "Paper means", "refuses to send orders"):
        assert part in screen
    assert max(map(len, screen.splitlines())) <= 80


def test_again_it_keeps_what_is_stored(tmp_path: Path) -> None:
    """The second time broker and key stay where nothing is typed, also in a vault that had lost the key."""
    init(tmp_path, [(WHICH, "production"), *PAIR, *REST])
    (tmp_path / "state" / "production-key" / "vault.bin").unlink()
    code, screen = init(tmp_path, [(WHICH_AGAIN, ""), (REPLACE, ""), *AGAIN])
    assert code == 0, screen
    assert "With Enter alone it may use 2,500 USD, as before.\n" in screen
    assert "The stored key stays." in screen
    assert [stored(tmp_path, f"production-{of}") for of in ("paper", "key")] == [(KEY, HALF)] * 2


def test_a_key_is_replaced_by_a_good_one_only(tmp_path: Path) -> None:
    """What is no pair is refused with a sentence while the old key stays, and the good one after it replaces that."""
    init(tmp_path, [(WHICH, "production"), *PAIR, *REST])
    bad = [("Consumer key: ", "short"), ("Consumer secret: ", "short")]
    asked = [(WHICH_AGAIN, "production"), (REPLACE, "yes")]
    code, screen = init(tmp_path, [*asked, *bad, *bad, *bad])
    assert code == 2, screen
    assert "This cannot be a consumer key with its secret, and nothing was changed: give the consumer key" in screen
    assert stored(tmp_path, "production-paper") == (KEY, HALF)
    code, screen = init(tmp_path, [*asked, *bad, ("Consumer key: ", KEY), ("Consumer secret: ", OTHER), *AGAIN])
    assert code == 0, screen
    assert stored(tmp_path, "production-paper") == stored(tmp_path, "production-key") == (KEY, OTHER)
    nothing_secret(screen, tmp_path)


def test_an_empty_part_of_a_key_is_asked_for_again_at_once(tmp_path: Path) -> None:
    """Who only presses Enter is asked for that part again, before the next one."""
    (key, secret) = PAIR
    code, screen = init(tmp_path, [(WHICH, "sandbox"), ("Consumer key: ", ""), key, ("secret: ", ""), secret, *REST])
    assert code == 0, screen
    assert screen.count("Nothing was typed: paste the consumer") == 2
    assert stored(tmp_path, "sandbox-paper") == (KEY, HALF)


def test_a_bad_setting_is_asked_for_again(tmp_path: Path) -> None:
    """Another word than a broker, symbols or capital that the functions would refuse are told, and asked for again."""
    talk = [
        (WHICH, "etrade"), (WHICH, "production"), *PAIR, ("Symbols", "apples IBM 3M"), ("Symbols", "ibm,,not a symbol"),
        ("Symbols", "ibm, brk.b,ibm"), ("Capital", "5"), ("Capital", "$5,000"), DAY,
    ]  # fmt: skip
    code, screen = init(tmp_path, talk)
    assert code == 0, screen
    assert "Type production, sandbox or none." in screen
    assert "'APPLES', '3M' are no symbols: 1 to 5 letters" in screen
    assert "'NOT A SYMBOL' is no symbol: 1 to 5 letters" in screen
    assert "Named more than once, and counted once: IBM." in screen
    assert "It may buy 2 symbols: IBM, BRK.B.\nIt may use 5,000 USD.\n" in screen
    assert "With Enter alone it may buy AIG, BAC, IBM, SPY: an example, not advice.\n" in screen
    assert "With Enter alone it may use 10,000 USD: an example, not advice.\n" in screen
    assert "'5' cannot be used: give an amount from 100 to 10,000,000" in screen
    wanted_of = {"STRATEGY_WATCH_LIST": "IBM,BRK.B", "STRATEGY_CAPITAL_USD": "5000"}
    assert [kept(tmp_path / "state" / f"production-{of}") for of in ("paper", "key")] == [wanted_of] * 2


def test_one_letter_is_a_symbol_only_where_it_was_meant(tmp_path: Path) -> None:
    """What may be an answer to another question is shown as it was read, and kept after a yes."""
    right = "Is that right (yes, no) [no]: "
    talk = [
        (WHICH, "sandbox"), *PAIR, ("Symbols", "n"), (right, ""), ("Symbols", "F, ibm"), (right, "yes"),
        ("Capital", "2500"), DAY,
    ]  # fmt: skip
    code, screen = init(tmp_path, talk)
    assert code == 0, screen
    assert "Read as 1 symbol: N.\nN may be an answer to another question.\n" in screen
    assert "Read as 2 symbols: F, IBM." in screen
    assert kept(tmp_path / "state" / "sandbox-paper")["STRATEGY_WATCH_LIST"] == "F,IBM"


def test_what_has_the_form_of_a_fund_is_asked_about(tmp_path: Path) -> None:
    """A mutual fund, or a word that is an answer, is taken for a symbol after a yes alone."""
    right = "Is that right (yes, no) [no]: "
    talk = [(WHICH, "sandbox"), *PAIR, ("Symbols", "vfinx"), (right, ""), ("Symbols", "none,ibm"), (right, "yes")]
    code, screen = init(tmp_path, [*talk, ("Capital", ""), DAY])
    assert code == 0, screen
    assert "VFINX has the form of a mutual fund" in screen
    assert "NONE may be an answer" in screen
    assert kept(tmp_path / "state" / "sandbox-paper")["STRATEGY_WATCH_LIST"] == "NONE,IBM"


def test_ctrl_c_ends_with_a_word(tmp_path: Path) -> None:
    """Whoever presses Ctrl-C at a question reads that nothing further was stored, and sees no traceback."""
    code, screen = init(tmp_path, [(WHICH, "production"), *PAIR, ("Symbols", CTRL_C)])
    assert code == INTERRUPTED
    assert "Ended; nothing further was stored." in screen
    assert "Traceback" not in screen
    assert stored(tmp_path, "production-paper") == (KEY, HALF)
    assert kept(tmp_path / "state" / "production-paper") == {}


def test_what_was_answered_is_what_counts(tmp_path: Path) -> None:
    """A start takes symbols and capital from the folder, a variable of the environment instead, and says which."""
    init(tmp_path, [(WHICH, "sandbox"), *PAIR, *REST])
    folder, variable = tmp_path / "state" / "sandbox-paper", {"STRATEGY_CAPITAL_USD": "300"}
    asked = {"STRATEGY_WATCH_LIST": "AIG,BAC,IBM,SPY", "STRATEGY_CAPITAL_USD": "2500"}
    assert (given(folder, {}), given(folder, variable)) == (asked, asked | variable)
    assert source("STRATEGY_CAPITAL_USD", folder, {}) == str(folder / "wanted.json")
    assert source("STRATEGY_CAPITAL_USD", folder, variable) == "the variable STRATEGY_CAPITAL_USD"
    (folder / "wanted.json").write_text("[]")
    with pytest.raises(UserError, match="cannot be used"):
        given(folder, variable)


def test_without_a_key_nothing_is_written(tmp_path: Path) -> None:
    """Who has no key is told of the simulated day, and no folder is made."""
    code, screen = init(tmp_path, [(WHICH, ""), DAY])
    assert code == 0, screen
    assert "  strategy demo " in screen
    assert not (tmp_path / "state").exists()


def test_a_system_that_runs_is_left_alone(tmp_path: Path) -> None:
    """While a system holds the folder, no key is asked for, and the way out is named."""
    lock = FolderLock(tmp_path / "state" / "production-paper")
    code, screen = init(tmp_path, [(WHICH, "production")])
    lock.release()
    assert code == 2
    assert "nothing was changed" in screen
    assert "Ctrl-C" in screen


def test_without_a_place_for_the_vaults_key_no_key_is_asked_for(tmp_path: Path) -> None:
    """Where the vault's own key is no key, that is told with how to make one, before anything secret is typed."""
    code, screen = init(tmp_path, [(WHICH, "production")], **{KEY_VARIABLE: "nonsense"})
    assert code == 2
    assert f"{KEY_VARIABLE} is not 32 bytes" in screen
    assert "Consumer key" not in screen


def test_a_missing_keyring_is_told_before_the_first_question(tmp_path: Path) -> None:
    """Without a keyring the line to add stands before the key is chosen, in our words; who has no key goes on."""
    changes = {KEY_VARIABLE: None, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    code, screen = init(tmp_path, [(WHICH, "none"), DAY], **changes)
    assert code == 0, screen
    assert f'echo "export {KEY_VARIABLE}=$(python3 -c' in screen.partition(WHICH)[0]
    assert "pypi" not in screen
    code, screen = init(tmp_path, [(WHICH, "production")], **changes)
    assert code == 2
    assert "pypi" not in screen


def test_a_key_that_was_made_earlier_is_not_made_again(tmp_path: Path) -> None:
    """Where something is stored, a terminal without the key is told to set the earlier one, for any broker."""
    init(tmp_path, [(WHICH, "production"), *PAIR, *REST])
    changes = {KEY_VARIABLE: None, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    code, screen = init(tmp_path, [(WHICH_AGAIN, "sandbox")], **changes)
    assert code == 2
    assert "state/production-paper/vault.bin is locked with a key that you made earlier" in " ".join(screen.split())
    assert screen.count("Do not make a new one") == 2
    assert "token_bytes" not in screen
    assert stored(tmp_path, "production-paper") == (KEY, HALF)


def test_what_was_prepared_is_known_before_its_first_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Limits are seen and set there, each other command names the whole start, and the simulator is kept out."""
    init(tmp_path, [(WHICH, "production"), *PAIR, *REST])
    monkeypatch.chdir(tmp_path)
    for name, value in environ(tmp_path).items():
        monkeypatch.setenv(name, value)
    ask, folder = CliRunner().invoke, "state/production-paper"
    start = "start it once: `strategy up --broker production`."
    assert ask(app, ["config", "set", "limits.positions_max", "5"]).exit_code == 0
    assert "10 -> 5" in ask(app, ["config", "history", "--state", folder]).stdout
    for words in (["positions"], ["close", "--all"], ["orders"]):
        assert start in ask(app, [*words, "--state", folder]).stderr
    assert "start one with `strategy up --broker production`" in ask(app, ["positions"]).stderr
    other = ask(app, ["up", "--state", folder])
    assert other.exit_code == 2
    assert "for E*TRADE's production, and holds its key" in other.stderr
    assert stored(tmp_path, "production-paper") == (KEY, HALF)
    (tmp_path / folder / "logs").mkdir()
    assert start not in ask(app, ["positions", "--state", folder]).stderr


def test_without_a_terminal_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a pipe nothing is asked and nothing stored: the variables and the command for a program are named."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["init"], input=f"production\n{KEY}\n{HALF}\n")
    assert done.exit_code == 2
    assert "nothing was changed" in done.stderr
    assert "ETRADE_CONSUMER_KEY" in done.stderr
    assert "CANARY" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_shown_secret_would_be_noticed(tmp_path: Path) -> None:
    """A key that is echoed on the screen, or lies in a file as it was typed, is found."""
    with pytest.raises(AssertionError):
        nothing_secret(f"Consumer key: {KEY}", tmp_path)
    (tmp_path / "notes").write_text(HALF)
    with pytest.raises(AssertionError):
        nothing_secret("", tmp_path)
