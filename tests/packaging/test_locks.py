"""The lock files say exactly what pyproject.toml asks for, one version each, every file known by its hash."""

import re
import tomllib
from dataclasses import dataclass

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from infra.tools.locks import APART, HEADER, ROOT, Lock, locks

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS: dict[str, list[str]] = {**PROJECT["project"]["optional-dependencies"], **PROJECT["dependency-groups"]}
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
LOCKS = locks()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One package in a lock: its one version, for which machines, and the hashes of its files."""

    name: str
    version: Version
    marker: Marker | None
    hashes: int


def pins(text: str) -> list[Pin]:
    """Read a lock; anything but a pinned package with its hashes and comments is refused."""
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    return [_pin(entry) for entry in _entries(lines)]


def _entries(lines: list[str]) -> list[str]:
    return [one.strip() for one in "\n".join(lines).replace("\\\n", " ").splitlines()]


def _pin(entry: str) -> Pin:
    hashes = HASH.findall(entry)
    requirement = Requirement(HASH.sub("", entry).strip())
    (specifier,) = requirement.specifier
    if specifier.operator != "==" or requirement.url is not None:
        raise ValueError(f"not pinned: {entry}")
    return Pin(
        name=canonicalize_name(requirement.name),
        version=Version(specifier.version),
        marker=requirement.marker,
        hashes=len(hashes),
    )


def gaps(lock_text: str, declared: list[str]) -> list[str]:
    """Return the requirements that the lock does not pin inside their range, and the pins without a hash."""
    pinned = {pin.name: pin for pin in pins(lock_text)}
    missing = []
    for requirement in map(Requirement, declared):
        pin = pinned.get(canonicalize_name(requirement.name))
        narrowed = pin is not None and pin.marker is not None and requirement.marker is None
        if pin is None or narrowed or pin.version not in requirement.specifier:
            missing.append(str(requirement))
    return [*missing, *(f"{pin.name} has no hash" for pin in pinned.values() if not pin.hashes)]


def disagreements(lock_texts: list[str]) -> set[str]:
    """Return the packages that have more than one version over all locks."""
    versions: dict[str, set[Version]] = {}
    for text in lock_texts:
        for pin in pins(text):
            versions.setdefault(pin.name, set()).add(pin.version)
    return {name for name, found in versions.items() if len(found) > 1}


def read(lock: Lock) -> str:
    """Return the text of a lock file."""
    return (ROOT / lock.path).read_text(encoding="utf-8")


@pytest.mark.parametrize("lock", [*LOCKS, APART], ids=lambda lock: lock.path)
def test_lock_answers_its_extras(lock: Lock) -> None:
    """Each declared requirement is pinned inside its range, for every machine, with hashes."""
    names = [*lock.extras, lock.group] if lock.group else lock.extras
    assert gaps(read(lock), [line for name in names for line in EXTRAS[name]]) == []


@pytest.mark.parametrize("lock", [*LOCKS, APART], ids=lambda lock: lock.path)
def test_lock_holds_nothing_else(lock: Lock) -> None:
    """A lock is its fixed header and pinned packages, without a switch, an address or a path."""
    text = read(lock)
    assert text.startswith(HEADER)
    assert pins(text)
    rest = HASH.sub("", text.removeprefix(HEADER))
    assert not re.search(r"^\s*-|://|@|/", rest, re.MULTILINE)


def test_one_version_everywhere() -> None:
    """No package has two versions, within a lock or between locks; the one apart agrees with itself."""
    assert disagreements([read(lock) for lock in LOCKS]) == disagreements([read(APART)]) == set()


def test_the_lock_of_everything_holds_the_others() -> None:
    """Installing for development never changes what was installed for the product."""
    everything = {pin.name for pin in pins(read(LOCKS[0]))}
    assert all({pin.name for pin in pins(read(lock))} <= everything for lock in LOCKS[1:])


GOOD = (
    f"left-pad==1.2 \\\n    --hash=sha256:{'0' * 64} \\\n    --hash=sha256:{'1' * 64}\n"
    f"other==3 ; python_version < '3.12' \\\n    --hash=sha256:{'2' * 64}\n"
)


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        (GOOD, ["left-pad>=1.3"]),
        (GOOD, ["right-pad"]),
        (GOOD, ["other>=3"]),
        ("left-pad==1.2\n", ["left-pad>=1.2"]),
    ],
)
def test_seeded_gap_is_found(text: str, declared: list[str]) -> None:
    """A pin out of range, missing, only for some machines or without a hash is found."""
    assert gaps(text, declared)
    assert gaps(GOOD, ["left-pad>=1.2,<2"]) == []


@pytest.mark.parametrize("line", ["left-pad>=1.2", "--index", "left-pad @ file:///tmp/left.whl", "left-pad"])
def test_seeded_loose_line_is_refused(line: str) -> None:
    """A line that is not one exact version cannot be read as a lock."""
    with pytest.raises(ValueError, match=r".+"):
        pins(f"{line}\n")


def test_seeded_disagreement_is_found() -> None:
    """Two versions of one package are found."""
    assert disagreements([GOOD, GOOD.replace("==1.2", "==1.3")]) == {"left-pad"}
