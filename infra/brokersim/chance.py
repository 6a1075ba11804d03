"""The one source of chance: named streams of one seed, equal on every machine and under any hash seed."""

from __future__ import annotations

import hashlib
import random


def stream_seed(seed: int, *names: str) -> int:
    """A 64-bit seed for the stream called `names` below `seed`; different names give unrelated streams."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{'/'.join(names)}".encode()).digest()[:8])


def stream(seed: int, *names: str) -> random.Random:
    """A generator of its own for one concern, so that drawing more for one never shifts another."""
    return random.Random(stream_seed(seed, *names))
