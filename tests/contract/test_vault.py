"""What every Vault promises."""

import pytest

from shared.ports import Vault


def test_versions_are_numbered_and_read_back(vault: Vault) -> None:
    """Each version keeps its own bytes under the next number, also past nine."""
    values = [bytes([n, 0, 255]) * (n + 1) for n in range(11)]
    numbers = [vault.add("access", value) for value in values]
    assert numbers == [str(n + 1) for n in range(11)]
    assert vault.versions("access") == tuple(numbers)
    assert [vault.read("access", number) for number in numbers] == values


def test_secrets_are_apart(vault: Vault) -> None:
    """Two secrets number their versions for themselves, and an unused one has none."""
    vault.add("access", b"a")
    assert vault.add("consumer", b"b") == "1"
    assert vault.read("consumer", "1") == b"b"
    assert vault.versions("request") == ()


def test_what_is_missing_is_a_key_error(vault: Vault) -> None:
    """Reading a secret or a version that never was is a KeyError."""
    vault.add("access", b"a")
    for secret, version in (("access", "2"), ("access", "latest"), ("request", "1")):
        with pytest.raises(KeyError):
            vault.read(secret, version)


def test_a_destroyed_version_is_gone_for_ever(vault: Vault) -> None:
    """A destroyed version cannot be read, destroying it again is no error, and its number stays used."""
    vault.add("access", b"first")
    vault.add("access", b"second")
    vault.destroy("access", "2")
    vault.destroy("access", "2")
    with pytest.raises(KeyError):
        vault.read("access", "2")
    assert vault.versions("access") == ("1",)
    assert vault.add("access", b"third") == "3"
    assert vault.versions("access") == ("1", "3")
