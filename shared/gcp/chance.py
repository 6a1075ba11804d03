"""The Chance port on the operating system's randomness."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


class SystemChance:
    """Draws that nobody can guess or repeat: nonces and sign-in secrets come from here."""

    def __init__(self) -> None:
        self._random = secrets.SystemRandom()

    def uniform(self, low: float, high: float) -> float:
        """Draw evenly between low and high."""
        return self._random.uniform(low, high)

    def token(self, length: int) -> str:
        """Draw `length` characters of [a-zA-Z0-9]."""
        return "".join(secrets.choice(_ALPHABET) for _ in range(length))
