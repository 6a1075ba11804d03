"""Clock, chance and checksum in the cloud."""

import re
import time
from datetime import UTC, datetime, timedelta

from shared.gcp.chance import SystemChance
from shared.gcp.clock import SystemClock
from shared.gcp.crc32c import crc32c


def test_the_clock_tells_the_time_and_waits() -> None:
    """The clock gives aware instants in UTC, waits until an instant, and not at all for one that has passed."""
    clock = SystemClock()
    before, now, after = datetime.now(UTC), clock.now(), datetime.now(UTC)
    assert now.tzinfo is UTC
    assert before <= now <= after
    taken = []
    for _ in range(5):
        start = time.monotonic()
        clock.sleep_until(now - timedelta(hours=1))
        taken.append(time.monotonic() - start)
    assert min(taken) < 0.05  # of five: a busy machine may hold up any one of them
    now = clock.now()
    clock.sleep_until(now + timedelta(seconds=0.3))
    assert clock.now() >= now + timedelta(seconds=0.29)


def test_chance_cannot_be_guessed() -> None:
    """Tokens have their length and their alphabet, and no two are equal; draws stay within their bounds."""
    chance = SystemChance()
    tokens = {chance.token(20) for _ in range(1_000)}
    assert len(tokens) == 1_000
    assert all(re.fullmatch("[a-zA-Z0-9]{20}", token) for token in tokens)
    assert set("".join(tokens)) == set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    assert all(2 <= chance.uniform(2, 3) <= 3 for _ in range(1_000))


def test_the_checksum_is_castagnolis() -> None:
    """The checksum gives the values that RFC 3720 prints, and the usual check value."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"") == 0
