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
from collections.abc import Iterator, Mapping
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
_MAKE = f'python3 -c "{_CODE}"'
NO_KEYRING = "secrets are stored encrypted, and this machine has no keyring that would hold their key"
ADD_LINE = (
    "make one, once, with the command at the end, then open a new terminal; keep the line that it adds to ~/.bashrc as "
    "you keep a password, for without it what is stored can never be read again: "
    f"echo \"export {KEY_VARIABLE}=$(python3 -c '{_CODE}')\" >> ~/.bashrc"
)
"""What to do where there is no keyring: the line holds the made key itself, so that each terminal has the same."""

_Secrets = dict[str, dict[str, str | None]]


def vault_key(environ: Mapping[str, str], ring: "KeyringBackend | None" = None) -> bytes:
    """Give the vault's 32 bytes from the environment, else from the system's keyring, made on first use.

    Raises ConfigError when the value is no key, or when there is neither a value nor a keyring.
    """
    given = environ.get(KEY_VARIABLE)
    if given is not None:
        return _decoded(given, KEY_VARIABLE)
    import keyring.errors  # late: it looks for the keyrings of the whole installation

    ring = ring or keyring.get_keyring()
    try:
        kept = ring.get_password(_SERVICE, _USER)
        if kept is None:
            kept = base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()
            ring.set_password(_SERVICE, _USER, kept)
    except keyring.errors.KeyringError:
        raise ConfigError((f"{NO_KEYRING}; {ADD_LINE}",)) from None
    return _decoded(kept, f"the keyring's entry {_SERVICE!r}")


def has_place(environ: Mapping[str, str], ring: "KeyringBackend | None" = None) -> bool:
    """Tell whether `vault_key` finds or can make a key, without making one."""
    if KEY_VARIABLE in environ:
        return True
    import keyring.errors  # late, as above

    try:
        (ring or keyring.get_keyring()).get_password(_SERVICE, _USER)
    except keyring.errors.KeyringError:
        return False
    return True


def _decoded(text: str, source: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError((f"{source} is not 32 bytes in URL-safe base64; make one with: {_MAKE}",))
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
            remedy = f"give the key that it was made with ({KEY_VARIABLE} or the keyring), or move the file away"
            raise ConfigError((f"{self._path} is damaged or was made with another key; {remedy}",)) from problem
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
