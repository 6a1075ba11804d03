"""The encrypted file: secrecy, damage and keys."""

import base64
import os
import subprocess
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from infra.one_machine.vault import KEY_VARIABLE, FileVault, lacks_key, vault_key
from shared.errors import ConfigError, InvariantBroken, StoreDown

KEY = bytes(range(32))
SECRET = b"a very secret token"


class _Ring(KeyringBackend):
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring types all but its constructor
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


def test_a_reopened_vault_knows_everything(tmp_path: Path) -> None:
    """What one process stored and destroyed, the next one finds so."""
    first = FileVault(tmp_path / "vault.bin", key=KEY)
    first.add("access", b"one")
    first.add("access", b"two")
    first.destroy("access", "1")
    second = FileVault(tmp_path / "vault.bin", key=KEY)
    assert second.versions("access") == ("2",)
    assert second.read("access", "2") == b"two"
    assert second.add("access", b"three") == "3"


def test_two_who_change_the_file_lose_nothing(tmp_path: Path) -> None:
    """What another process stored or destroyed since the file was opened stays so."""
    one, other = (FileVault(tmp_path / "vault.bin", key=KEY) for _ in range(2))
    assert [one.add("access", b"one"), other.add("access", b"two"), one.add("request", b"r")] == ["1", "2", "1"]
    other.destroy("access", "1")
    one.add("request", b"s")
    left = FileVault(tmp_path / "vault.bin", key=KEY)
    assert (left.versions("access"), left.versions("request")) == (("2",), ("1", "2"))


def test_the_folder_holds_no_plain_text(tmp_path: Path) -> None:
    """Neither a secret nor its base64 stands in any file of the folder, and others cannot read the file."""
    vault = FileVault(tmp_path / "vault.bin", key=KEY)
    vault.add("access", SECRET)
    files = list(tmp_path.iterdir())
    assert [file.name for file in files] == ["vault.bin"]
    raw = files[0].read_bytes()
    assert SECRET not in raw
    assert base64.b64encode(SECRET) not in raw
    assert files[0].stat().st_mode & 0o077 == 0


def test_destroyed_bytes_leave_the_file(tmp_path: Path) -> None:
    """After a destruction the file is shorter by the version's bytes, and its reader finds none."""
    vault = FileVault(tmp_path / "vault.bin", key=KEY)
    vault.add("access", SECRET * 50)
    before = (tmp_path / "vault.bin").stat().st_size
    vault.destroy("access", "1")
    assert (tmp_path / "vault.bin").stat().st_size < before - 50 * len(SECRET)
    with pytest.raises(KeyError):
        FileVault(tmp_path / "vault.bin", key=KEY).read("access", "1")


@pytest.mark.parametrize("damage", ["key", "bit", "cut", "empty", "other"])
def test_a_vault_that_cannot_be_opened_is_left_alone(tmp_path: Path, damage: str) -> None:
    """Another key or a damaged file is a ConfigError with a remedy, and the file stays as it is."""
    path = tmp_path / "vault.bin"
    FileVault(path, key=KEY).add("access", SECRET)
    raw = path.read_bytes()
    changed = {"bit": raw[:-1] + bytes([raw[-1] ^ 1]), "cut": raw[:-5], "empty": b"", "other": b"hello"}.get(
        damage, raw
    )
    path.write_bytes(changed)
    with pytest.raises(ConfigError, match="move the file away"):
        FileVault(path, key=bytes(32) if damage == "key" else KEY)
    assert path.read_bytes() == changed


def test_a_failed_write_changes_nothing(tmp_path: Path) -> None:
    """When the new file cannot be written, the call is StoreDown and the vault holds what it held."""
    vault = FileVault(tmp_path / "vault.bin", key=KEY)
    vault.add("access", b"one")
    (tmp_path / "vault.bin.new").mkdir()
    with pytest.raises(StoreDown):
        vault.add("access", b"two")
    assert vault.versions("access") == ("1",)
    assert FileVault(tmp_path / "vault.bin", key=KEY).versions("access") == ("1",)


def test_a_secret_has_a_size(tmp_path: Path) -> None:
    """A version of more than 64 KiB is refused, as the cloud would."""
    vault = FileVault(tmp_path / "vault.bin", key=KEY)
    with pytest.raises(InvariantBroken):
        vault.add("access", bytes(65_537))


def test_the_key_comes_from_the_environment_first() -> None:
    """A key in the environment is used as it is, and what is none is refused with a way to make one."""
    assert vault_key({KEY_VARIABLE: base64.urlsafe_b64encode(KEY).decode()}, ring=_Ring()) == KEY
    for wrong in ("", "x", "å" * 44, base64.b64encode(KEY[:31]).decode()):
        with pytest.raises(ConfigError, match="Make one with"):
            vault_key({KEY_VARIABLE: wrong}, ring=_Ring())


def test_the_key_is_kept_in_the_keyring() -> None:
    """Without a value in the environment a key is made once, kept in the keyring, and found there again."""
    ring = _Ring()
    made = vault_key({}, ring=ring)
    assert len(made) == 32
    assert vault_key({}, ring=ring, locked=[Path("vault.bin")]) == made
    assert vault_key({}, ring=_Ring()) != made


def test_without_a_keyring_the_remedy_is_told() -> None:
    """A machine without a keyring gets a ConfigError with the command that makes a key, alone on its line."""
    ring = NoKeyring()  # type: ignore[no-untyped-call]  # the same
    with pytest.raises(ConfigError, match=f'echo "export {KEY_VARIABLE}=') as refused:
        vault_key({}, ring=ring)
    assert "pypi" not in str(refused.value)
    assert lacks_key({}, ring=ring) == refused.value.problems[0]
    assert refused.value.problems[0].splitlines().count(_command(refused.value.problems[0])) == 1


def _command(words: str) -> str:
    """Give the line that is to be pasted."""
    (line,) = (line for line in words.splitlines() if "echo" in line)
    return line


def test_the_line_that_makes_a_key_makes_one_once(tmp_path: Path) -> None:
    """Pasted into a shell it adds a line with a usable key to ~/.bashrc; pasted again it leaves that one."""
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    line = _command(lacks_key({}, ring=NoKeyring()) or "")  # type: ignore[no-untyped-call]  # the same
    assert not line.endswith(".")
    for _ in range(2):
        subprocess.run(["bash", "-c", line], env=home, check=True)  # noqa: S603, S607 - our own line, and the shell
    assert [path.name for path in tmp_path.iterdir()] == [".bashrc"]
    added = (tmp_path / ".bashrc").read_text().splitlines()
    assert len(added) == 1
    assert len(vault_key(dict([added[0].removeprefix("export ").split("=", 1)]))) == 32


def test_where_a_vault_exists_no_other_key_is_made() -> None:
    """A missing, unusable or other key is told with the earlier one to set, and never with a way to make one."""
    locked, ring = [Path("state/production-paper/vault.bin")], _Ring()
    for environ in ({}, {KEY_VARIABLE: "x"}):
        with pytest.raises(ConfigError, match=r"Set the key that you made earlier\. Do not make a new one") as refused:
            vault_key(environ, locked=locked, ring=ring)
        assert "token_bytes" not in str(refused.value)
        assert f"\n  grep {KEY_VARIABLE} ~/.bashrc\n" in refused.value.problems[0]
    assert ring.kept == {}
    assert "production-paper/vault.bin" in (lacks_key({}, locked=locked, ring=ring) or "")


def test_looking_for_a_place_makes_no_key() -> None:
    """A keyring, or a value in the environment, is a place; to look leaves nothing behind."""
    ring = _Ring()
    assert lacks_key({}, ring=ring) is None
    assert lacks_key({KEY_VARIABLE: ""}, ring=ring) is None
    assert ring.kept == {}
