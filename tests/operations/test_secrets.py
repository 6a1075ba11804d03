"""Secrets on their way into a vault: checked, read back, one version each, and in no argument and no output."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.one_machine.vault import KEY_VARIABLE
from infra.operations import secrets
from infra.simulated_day.environment import vault_key
from infra.simulated_day.problems import UserError
from shared.errors import StoreDown
from shared.sources.alpaca import AlpacaKey
from shared.topology import ACCESS_TOKEN, ALPACA_KEY, CONSUMER, HALT_KEY, NOTIFY_ADDRESSES, REQUEST_TOKEN, SIGN_IN_KEY
from shared.wiring.keys import stored_key
from tests.doors.fakes import ListVault
from tests.operations.desks import answer, refused, strategy, vault_of, write_card

CANARY = "CANARY5b7e0a9d4c"
ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    CONSUMER: f"{CANARY}-key\n{CANARY}-half\n",
    NOTIFY_ADDRESSES: f"json://{CANARY}@127.0.0.1/hook ntfys://topic\n",
    SIGN_IN_KEY: f"{CANARY}abcdefghijklmnopqrstuvwxyz0123456789\n",
    HALT_KEY: f"{CANARY}9876543210zyxwvutsrqponmlkjihgfedcba\n",
    ALPACA_KEY: f"{CANARY}-id\n{CANARY}-half\n",
}
BAD = {
    CONSUMER: ["", f"{CANARY}-key\n", "short\nshort\n", f"{CANARY} key\n{CANARY}-half\n", f"{CANARY}\n{CANARY}\n"],
    NOTIFY_ADDRESSES: ["", CANARY, "\n".join(f"json://{CANARY}{number}" for number in range(6))],
    SIGN_IN_KEY: ["", CANARY, "x" * 64],
    HALT_KEY: ["", CANARY, "x" * 64],
    ALPACA_KEY: ["", f"{CANARY}-id\n", "short\nshort\n", f"{CANARY}\n{CANARY}\n"],
}


@pytest.fixture
def desk(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a desk of the sandbox, whose vault's key its owner has."""
    write_card(desk, broker="sandbox")
    monkeypatch.setenv(KEY_VARIABLE, base64.urlsafe_b64encode(vault_key(1)).decode())
    return desk


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (CONSUMER, ("the simulator", "ETRADE_CONSUMER_KEY", "--broker sandbox")),
        (ALPACA_KEY, ("days of its own", "--profile cloud")),
    ],
)
def test_a_simulated_desk_takes_no_key_that_somebody_issued(desk: Path, name: str, parts: tuple[str, ...]) -> None:
    """Where anyone can open the vault a real key is refused with what to do, and nothing is stored or lost."""
    write_card(desk)
    before = (desk / "vault.bin").read_bytes()
    result = strategy("secrets", "set", name, "--state", str(desk), given=GOOD[name])
    refused(result, "nothing was stored", *parts)
    assert CANARY not in result.output
    assert (desk / "vault.bin").read_bytes() == before


@pytest.mark.parametrize("name", GOOD)
def test_a_secret_is_stored_read_back_and_alone(desk: Path, name: str) -> None:
    """What stdin gives is the one version that is left, and nothing of it is printed or journalled."""
    first, second = (strategy("secrets", "set", name, "--state", str(desk), given=GOOD[name]) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert CANARY not in first.output + second.output
    vault = vault_of(desk)
    (version,) = vault.versions(name)
    assert CANARY in vault.read(name, version).decode()


def test_a_consumer_pair_is_stored_as_the_functions_read_it(desk: Path) -> None:
    """Key and secret become the JSON object that the functions decode."""
    assert answer("secrets", "set", CONSUMER, "--state", str(desk), given=GOOD[CONSUMER])["destroyed"] == 1
    vault = vault_of(desk)
    pair = json.loads(vault.read(CONSUMER, vault.versions(CONSUMER)[-1]))
    assert pair == {"key": f"{CANARY}-key", "secret": f"{CANARY}-half"}


def test_a_key_of_alpaca_is_stored_as_market_history_reads_it(desk: Path) -> None:
    """Its two parts become the JSON object that the function decodes, and where there is none nothing is read."""
    assert stored_key(vault_of(desk), ALPACA_KEY, AlpacaKey) is None
    answer("secrets", "set", ALPACA_KEY, "--state", str(desk), given=GOOD[ALPACA_KEY])
    stored = stored_key(vault_of(desk), ALPACA_KEY, AlpacaKey)
    assert stored is not None
    assert stored[1] == AlpacaKey(key_id=f"{CANARY}-id", secret=f"{CANARY}-half")
    assert CANARY not in repr(stored)


@pytest.mark.parametrize(("name", "given"), [(name, one) for name, many in BAD.items() for one in many])
def test_a_bad_value_is_refused_and_not_repeated(desk: Path, name: str, given: str) -> None:
    """What cannot be this secret changes nothing, and no message repeats it."""
    before = vault_of(desk).versions(name)
    result = strategy("secrets", "set", name, "--state", str(desk), given=given)
    refused(result, f"this cannot be {secrets.KINDS[name].called}")
    assert CANARY not in result.output
    assert vault_of(desk).versions(name) == before


@pytest.mark.parametrize("name", [SIGN_IN_KEY, HALT_KEY])
def test_a_key_for_links_can_be_drawn(desk: Path, name: str) -> None:
    """A generated key is 32 new bytes each time, and the older one is gone."""
    keys = set()
    for _ in range(2):
        answer("secrets", "set", name, "--generate", "--state", str(desk))
        (version,) = vault_of(desk).versions(name)
        keys.add(vault_of(desk).read(name, version))
    assert {len(key) for key in keys} == {32}
    assert len(keys) == 2


@pytest.mark.parametrize("name", [ACCESS_TOKEN, REQUEST_TOKEN, "mine", ""])
def test_other_names_are_refused(desk: Path, name: str) -> None:
    """A token, which only the sign-in stores, and any unknown name are refused with the names there are."""
    refused(strategy("secrets", "set", name, "--state", str(desk), given="x"), *GOOD)


def test_only_a_key_is_drawn(desk: Path) -> None:
    """What somebody else gave the owner cannot be made up here."""
    refused(strategy("secrets", "set", CONSUMER, "--generate", "--state", str(desk)), "cannot be generated")


def test_a_value_on_the_command_line_is_not_taken(desk: Path) -> None:
    """A secret among the words, which other users of a machine can read, is an error and is not stored."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "infra.cli.main", "secrets", "set", SIGN_IN_KEY, "x" * 40, "--state", str(desk)],
        cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 2
    assert vault_of(desk).read(SIGN_IN_KEY, vault_of(desk).versions(SIGN_IN_KEY)[-1]) != b"x" * 40


def test_a_vault_that_gives_something_else_back_is_found_out() -> None:
    """When the vault returns other bytes, the new version goes and the old one stays."""
    vault = ListVault()
    vault.add(SIGN_IN_KEY, b"old")
    read = vault.read
    vault.read = lambda secret, version: read(secret, version)[:-1]  # type: ignore[method-assign]
    with pytest.raises(UserError, match="did not give"):
        secrets.store(vault, SIGN_IN_KEY, b"n" * 32)
    assert vault.versions(SIGN_IN_KEY) == ("1",)


def test_an_older_version_that_stays_is_told() -> None:
    """When an older version cannot be destroyed, the new one counts and that is said."""
    vault = ListVault()
    vault.add(SIGN_IN_KEY, b"old")
    vault.broken["destroy"] = StoreDown("gone")
    assert secrets.store(vault, SIGN_IN_KEY, b"n" * 32).left == 1
    assert vault.read(SIGN_IN_KEY, "2") == b"n" * 32
