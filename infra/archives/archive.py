"""Builds a function's archive and gives it the name of its content."""

import hashlib
import io
import os
import tempfile
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.archives import data
from infra.archives.closure import SHIPS, follow
from infra.archives.found import owners
from infra.archives.problems import ArchiveError, Problem
from infra.archives.third_party import locked

FUNCTIONS = "functions"
MAIN, REQUIREMENTS = "main.py", "requirements.txt"
_FIRST_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_PLAIN_FILE = 0o100644 << 16
_UNIX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """One function's archive: the zip, the hash of names and contents, and the size of each file in it."""

    function: str
    content: bytes
    sha256: str
    files: Mapping[str, int]

    @property
    def name(self) -> str:
        """The file name, which changes when and only when something inside does."""
        return f"{self.function}-{self.sha256[:16]}.zip"

    @property
    def rooms(self) -> Mapping[str, int]:
        """The bytes of each room of shared, by name."""
        sizes: Counter[str] = Counter()
        for path, size in self.files.items():
            if path.startswith(f"{SHIPS}/"):
                sizes[path.split("/")[1].removesuffix(".py").replace("__init__", SHIPS)] += size
        return dict(sorted(sizes.items()))


def functions(root: Path) -> tuple[str, ...]:
    """Return the functions of a checkout: the folders below functions/ with a main.py or a lock."""
    entries = sorted((root / FUNCTIONS).iterdir()) if (root / FUNCTIONS).is_dir() else []
    return tuple(one.name for one in entries if (one / MAIN).is_file() or (one / REQUIREMENTS).is_file())


def build_all(root: Path, folder: Path | None = None) -> tuple[Archive, ...]:
    """Build the archive of every function; raises ArchiveError."""
    return tuple(build(function, root, folder) for function in functions(root))


def build(function: str, root: Path, folder: Path | None = None) -> Archive:
    """Build one function's archive from the checkout at `root`; raises ArchiveError with all problems.

    The strategies in the owner's `folder` go where those of the checkout go.
    """
    files = _gather(function, root, owners(folder))
    return Archive(
        function=function,
        content=_zipped(files),
        sha256=_identity(files),
        files={path: len(files[path]) for path in sorted(files)},
    )


def save(archive: Archive, folder: Path) -> Path:
    """Write an archive into a folder in one step and return its path; raises OSError."""
    path = folder / archive.name
    handle, temporary = tempfile.mkstemp(prefix=f".{archive.name}.", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(archive.content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def _gather(function: str, root: Path, own: Mapping[str, Path]) -> dict[str, bytes]:
    """Read what ships, under the names inside the archive."""
    main, lock = f"{FUNCTIONS}/{function}/{MAIN}", f"{FUNCTIONS}/{function}/{REQUIREMENTS}"
    missing = [path for path in (main, lock, data.PROJECT) if not (root / path).is_file()]
    if missing:
        raise ArchiveError(function, tuple(Problem(path=path, line=0, sentence="is missing") for path in missing))
    requirements = (root / lock).read_bytes()
    closure = follow(root, main, locked(requirements.decode()), own)
    data_files, undeclared = data.declared(root, closure.modules)
    problems = (*closure.problems, *undeclared)
    if problems:
        raise ArchiveError(function, tuple(sorted(problems, key=lambda one: (one.path, one.line, one.sentence))))
    shared = {path: own.get(path, root / path).read_bytes() for path in closure.modules | data_files}
    return {MAIN: (root / main).read_bytes(), REQUIREMENTS: requirements, **shared}


def _identity(files: Mapping[str, bytes]) -> str:
    """Hash names and contents; each content is hashed first, so that no two sets of files look alike."""
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(f"{hashlib.sha256(files[path]).hexdigest()}  {path}\n".encode())
    return whole.hexdigest()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _FIRST_TIME)
            entry.create_system = _UNIX
            entry.external_attr = _PLAIN_FILE
            archive.writestr(entry, files[path])
    return buffer.getvalue()
