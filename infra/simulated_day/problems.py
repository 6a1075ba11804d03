"""What a person did wrong and can put right; the command line prints it without a traceback."""


class UserError(Exception):
    """Bad input: `what` is one sentence without its full stop, `remedy` says what to do instead."""

    def __init__(self, what: str, *, remedy: str) -> None:
        super().__init__(f"{what}; {remedy}.")
        self.what = what
        self.remedy = remedy
