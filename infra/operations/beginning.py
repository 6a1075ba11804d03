"""The key with which a system of E*TRADE's begins, into the two vaults of this machine that look for one.

What can go wrong: the folder is another system's, or runs; the key in it is lost for a mistyped one; the key lies in
one vault and not in the other. What this promises: nothing is asked for a folder that cannot take it; a new pair is
checked and read back before an older one is destroyed (`operations.secrets`); the system's vault is the first, and what
it has is given to the vault of the key alone.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from infra.one_machine.folder import share
from infra.one_machine.vault import FileVault, vault_key
from infra.operations import secrets
from infra.operations.profiles import reach_key
from infra.running import wanted
from infra.running.folder import Folder
from infra.running.wanted import BROKERS, system_of
from infra.simulated_day.folder import card_of
from infra.simulated_day.problems import UserError
from shared.frozen import frozen
from shared.ports import Vault
from shared.topology import CONSUMER


@frozen
class Beginning:
    """Where the key of a broker is kept: the `folder` of the system, that of the key `alone`, and their `vaults`."""

    folder: Path
    alone: Path
    vaults: tuple[Vault, ...]

    @property
    def has_key(self) -> bool:
        """Whether a key is stored."""
        return any(vault.versions(CONSUMER) for vault in self.vaults)

    def store(self, answers: tuple[str, ...]) -> None:
        """Check key and secret and store them; raises UserError for what is no pair, StoreDown."""
        value = secrets.value_of(CONSUMER, answers)
        for vault in self.vaults:
            secrets.store(vault, CONSUMER, value)

    def keep(self) -> None:
        """Leave the stored key as it is, and give it to the vault that has none; raises StoreDown."""
        having = next(vault for vault in self.vaults if vault.versions(CONSUMER))
        value = having.read(CONSUMER, having.versions(CONSUMER)[-1])
        for vault in self.vaults:
            if not vault.versions(CONSUMER):
                secrets.store(vault, CONSUMER, value)

    def want(self, values: Mapping[str, str]) -> None:
        """Keep symbols and capital for the system, and for a look with the key alone."""
        for folder in (self.folder, self.alone):
            wanted.keep(folder, values)


def stored() -> str | None:
    """Name the broker of E*TRADE's of which something is stored here, production before the sandbox."""
    return next((one for one in BROKERS if Folder(path=system_of(one)).vault.exists()), None)


def locked() -> list[Path]:
    """List what is stored here already, and locked with a key that the owner made."""
    return Folder(path=system_of(BROKERS[0])).locked()


@contextmanager
def beginning(broker: str, environ: Mapping[str, str]) -> Iterator[Beginning]:
    """Open the vaults of a broker of E*TRADE's, `sandbox` or `production`, whose folders are made where they miss.

    Raises UserError for a folder of something else or of a system that runs, ConfigError, StoreDown.
    """
    path = system_of(broker)
    folder = Folder(path=path)
    card = folder.card()
    if card_of(path) is not None or (card is not None and card["broker"] != broker):
        raise UserError(f"{path} holds another system or a run", remedy="move it away, and ask again")
    with ExitStack() as opened:
        let_go = share(path)
        if let_go is None:
            what = f"the system in {path} runs with the key that it has, and nothing was changed"
            raise UserError(what, remedy="end it with Ctrl-C, and ask again")
        opened.callback(let_go)
        path.chmod(0o700)
        alone = opened.enter_context(reach_key(broker, None, environ))
        ours = FileVault(folder.vault, key=vault_key(environ, locked=folder.locked()))
        yield Beginning(folder=path, alone=Path(alone.name), vaults=(ours, alone.open_vault()))
