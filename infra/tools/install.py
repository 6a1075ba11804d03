"""Installs what a lock pins, and says how far it is: `python -m infra.tools.install requirements/local.txt`.

What can go wrong: a minute passes without a word, and somebody takes it for a fault; three lines for each package hide
the one that matters. What this promises: pip installs the lock alone, as wheels, each checked by its hash; a line comes
first, one for each ten packages, and one before they are unpacked; of what pip prints its errors alone are shown. The
exit code is pip's. It needs the standard library alone.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_PIN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*==", re.MULTILINE)
_LOOKED_AT = ("Collecting ", "Requirement already satisfied: ")
_UNPACKS = "Installing collected packages: "
EACH = 10
PIP = ("-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-compile", "--progress-bar", "off",
       "--require-hashes", "--only-binary", ":all:", "--requirement")  # fmt: skip


def told(lines: Iterable[str], packages: int) -> Iterator[str]:
    """Give what a person reads while pip prints these lines."""
    yield f"Installing {packages} packages, each checked by its hash. This takes a minute or two."
    seen = 0
    for line in lines:
        if line.startswith(_LOOKED_AT):
            seen += 1
            if seen % EACH == 0:
                yield f"  {min(seen, packages)} of {packages}"
        elif line.startswith(_UNPACKS):
            yield "  All are here; unpacking them."


def main() -> int:
    """Install the lock that is named; give pip's exit code."""
    lock = sys.argv[1]
    packages = len(_PIN.findall(Path(lock).read_text(encoding="utf-8")))
    with subprocess.Popen([sys.executable, *PIP, lock], stdout=subprocess.PIPE, text=True) as pip:
        for line in told(pip.stdout or (), packages):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    return pip.returncode


if __name__ == "__main__":
    sys.exit(main())
