"""What the tests of this folder read: the project's own files."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHIPPED_OR_RUN = ("functions", "shared", "infra")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place that breaks a rule, printed the way an editor can open it."""

    path: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.sentence}"


def report(findings: list[Finding]) -> str:
    """Return one line for each finding: the message of a failed check."""
    return "\n".join(["", *map(str, findings)])


def project_files(root: Path = ROOT) -> list[Path]:
    """Return the files that belong to the project: tracked or new, never ignored."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(git, cwd=root, capture_output=True, check=False)  # noqa: S603 - fixed words
    if listing.returncode == 0:
        paths = [root / name for name in listing.stdout.decode().split("\0") if name]
    else:  # an unpacked archive without a repository
        paths = [path for path in root.rglob("*") if not _made_here(path.relative_to(root))]
    return sorted(path for path in paths if path.is_file())


def _made_here(path: Path) -> bool:
    folders = set(path.parts[:-1])
    hidden = any(folder.startswith(".") and folder != ".ci" for folder in folders)
    return hidden or bool(folders & {"build", "runs", "venv", "__pycache__"}) or ".egg-info" in str(path.parent)


def texts(*folders: str, suffix: str = "") -> dict[str, str]:
    """Return path -> text of the project's text files, in the folders (all when none is named)."""
    found = {}
    for path in project_files():
        name = path.relative_to(ROOT).as_posix()
        if name.endswith(suffix) and (not folders or name.startswith(tuple(f"{one}/" for one in folders))):
            try:
                found[name] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # a picture or another binary file
    return found
