"""The History port until there is a source of daily bars in the cloud."""

from datetime import date

from shared.domain.bars import DailyBar


class NoHistory:
    """Knows no bars and says so: every symbol stays in the minimal quality tier, which never opens risk."""

    def daily(self, symbol: str, *, before: date, count: int) -> tuple[DailyBar, ...]:  # noqa: ARG002 - the port's
        """Give nothing."""
        return ()
