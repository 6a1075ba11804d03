"""Google's own command line, as the owner of a stack has it installed."""

import subprocess


def ask(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run `gcloud` with these words and give its code and what it printed; what it complains of is the owner's."""
    return subprocess.run(
        ["gcloud", *words],  # noqa: S607 - see above
        stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
