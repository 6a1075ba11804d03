"""The Vault port as one encrypted file, and where its key comes from.

The file is a fixed header, a nonce and AES-256-GCM over the JSON of all secrets. Each change writes a new
file beside it, forces it to the disk and renames it over the old one: a crash leaves the old secrets or the
new ones, and a destroyed version is in neither. Nothing is ever written in plain text.
"""

import base64
import binascii
import fcntl
import os
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.codec import dumps, loads
from shared.errors import ConfigError, InvariantBroken, StoreDown

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

KEY_VARIABLE = "STRATEGY_VAULT_KEY"
KEY_BYTES = 32
MAX_SECRET_BYTES = 65_536

_HEADER = b"strategy vault 1\n"
_NONCE_BYTES = 12
_SERVICE, _USER = "strategy", "vault key"
_CODE = "import base64, secrets; print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())"
_ADD = (
    f"grep -qs {KEY_VARIABLE} ~/.bashrc || "  # a second line would put another key in the place of the first
    f"echo \"export {KEY_VARIABLE}=$(python3 -c '{_CODE}')\" >> ~/.bashrc"
)
_MAKE_ONE = f"""\
what you store is encrypted, and this machine has no keyring
(password store) to hold the key to it. Make that key, once, with this line,
which adds it to ~/.bashrc and changes none that is there:

  {_ADD}

Then open a new terminal. Keep the line that it adds as you keep a password:
without it what is stored can never be read again"""
_ANOTHER = f"""\
Make one with this line:

  python3 -c "{_CODE}"

Then put what it prints in the place of the value that cannot be used"""
_SET_AGAIN = f"""\
Set the key that you made earlier. Do not make a new one: it opens nothing that
is stored. To look for the earlier one:

  grep {KEY_VARIABLE} ~/.bashrc

Where that shows a line, open a new terminal, which has it. If it is lost for
good, so is what was stored: move the file away, and run `strategy init` again"""

_Secrets = dict[str, dict[str, str | None]]


def vault_key(
    environ: Mapping[str, str], *, locked: Sequence[Path] = (), ring: "KeyringBackend | None" = None
) -> bytes:  # fmt: skip
    """Give the vault's 32 bytes from the environment, else from the system's keyring, made on first use.

    `locked` are vaults that a key was made for: where there is one, another is never made. Raises ConfigError when the
    value is no key, or when there is neither a value nor a keyring, with what to do.
    """
    given = environ.get(KEY_VARIABLE)
    if given is not None:
        return _decoded(given, KEY_VARIABLE, locked)
    import keyring.errors  # late: it looks for the keyrings of the whole installation

    ring = ring or keyring.get_keyring()
    try:
        kept = ring.get_password(_SERVICE, _USER)
        if kept is None and not locked:
            kept = base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()
            ring.set_password(_SERVICE, _USER, kept)
    except keyring.errors.KeyringError:
        kept = None
    if kept is None:
        raise ConfigError((_none(locked),))
    return _decoded(kept, f"the keyring's entry {_SERVICE!r}", locked)


def lacks_key(
    environ: Mapping[str, str], *, locked: Sequence[Path] = (), ring: "KeyringBackend | None" = None
) -> str | None:  # fmt: skip
    """Say what to do first where `vault_key` neither finds nor makes a key, None where it does; makes none."""
    if KEY_VARIABLE in environ:
        return None
    import keyring.errors  # late, as above

    try:
        kept = (ring or keyring.get_keyring()).get_password(_SERVICE, _USER)
    except keyring.errors.KeyringError:
        return _none(locked)
    return _none(locked) if kept is None and locked else None


def _none(locked: Sequence[Path]) -> str:
    """Say that there is no key, and what to do: where one was made, to find it and make no other."""
    if not locked:
        return _MAKE_ONE
    return (
        f"{locked[0]} is locked with a key that you made earlier, and neither {KEY_VARIABLE} nor a keyring gives "
        f"it here.\n{_SET_AGAIN}"
    )


def _decoded(text: str, source: str, locked: Sequence[Path]) -> bytes:
    try:
        key = base64.b64decode(text.strip(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        made = _SET_AGAIN if locked else _ANOTHER
        raise ConfigError((f"{source} is not 32 bytes in URL-safe base64.\n{made}",))
    return key


class FileVault:
    """Secrets with numbered versions in one encrypted file, safe to change from several threads and processes.

    Opening raises ConfigError for another key or a damaged file, which stays as it is; a disk that refuses is
    StoreDown with nothing changed.
    """

    def __init__(self, path: Path, *, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ConfigError((f"the vault's key has {len(key)} bytes, not {KEY_BYTES}",))
        self._path = path
        self._cipher = AESGCM(key)
        self._lock = threading.Lock()
        self._secrets = self._load()

    def add(self, secret: str, value: bytes) -> str:
        """Store a new version and give its number: "1", "2", ...; a number is never used again."""
        if len(value) > MAX_SECRET_BYTES:
            raise InvariantBroken(f"{secret}: {len(value)} bytes; a version holds {MAX_SECRET_BYTES} at most")
        with self._changing():
            versions = self._secrets.get(secret, {})
            version = str(len(versions) + 1)
            self._save({**self._secrets, secret: {**versions, version: base64.b64encode(value).decode()}})
        return version

    def read(self, secret: str, version: str) -> bytes:
        """Read one version; raises KeyError when it is missing or destroyed."""
        with self._lock:
            value = self._secrets[secret][version]
        if value is None:
            raise KeyError(version)
        return base64.b64decode(value)

    def versions(self, secret: str) -> tuple[str, ...]:
        """List the usable versions, oldest first."""
        with self._lock:
            versions = self._secrets.get(secret, {})
        return tuple(sorted((number for number, value in versions.items() if value is not None), key=int))

    def destroy(self, secret: str, version: str) -> None:
        """Take one version's bytes out of the file; twice is no error, one that never was a KeyError."""
        with self._changing():
            versions = self._secrets[secret]
            if versions[version] is not None:
                self._save({**self._secrets, secret: {**versions, version: None}})

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Keep other processes from changing the file, and start from what it holds now."""
        with self._lock:
            try:
                folder = os.open(self._path.parent, os.O_RDONLY)
            except OSError as problem:
                raise StoreDown(f"the vault cannot be written: {problem.strerror}") from problem
            try:
                fcntl.flock(folder, fcntl.LOCK_EX)
                self._secrets = self._load() or self._secrets
                yield
            finally:
                os.close(folder)

    def _load(self) -> _Secrets:
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as problem:
            raise StoreDown(f"the vault cannot be read: {problem.strerror}") from problem
        nonce, sealed = raw[len(_HEADER) :][:_NONCE_BYTES], raw[len(_HEADER) + _NONCE_BYTES :]
        try:
            if not raw.startswith(_HEADER):
                raise ValueError("no header")
            opened: _Secrets = loads(self._cipher.decrypt(nonce, sealed, _HEADER))
        except (InvalidTag, ValueError) as problem:
            what = f"{self._path} is locked with another key than the one that is set here, or it is damaged."
            raise ConfigError((f"{what}\n{_SET_AGAIN}",)) from problem
        return opened

    def _save(self, changed: _Secrets) -> None:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = _HEADER + nonce + self._cipher.encrypt(nonce, dumps(changed), _HEADER)
        beside = self._path.with_name(self._path.name + ".new")
        try:
            beside.touch(mode=0o600)
            with beside.open("wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as problem:
            raise StoreDown(f"the vault cannot be written: {problem.strerror}") from problem
        self._secrets = changed
