"""How long a test waits for what must come: long enough for any machine, so that only what hangs fails by it."""

PATIENCE_S = 500
"""Below the time-out of a whole test (600 s, pyproject.toml), so that what never came is named."""
