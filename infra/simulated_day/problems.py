"""What a person did wrong and can put right; the command line prints it without a traceback."""


class UserError(Exception):
    """Bad input: `what` is one sentence without its full stop, `remedy` says what to do instead.

    `commands` are those of the remedy, whole, each to be pasted: they stand behind it on lines of their own.
    """

    def __init__(self, what: str, *, remedy: str, commands: tuple[str, ...] = ()) -> None:
        super().__init__("\n  ".join((f"{what}; {remedy}.", *commands)))
        self.what = what
        self.remedy = remedy
        self.commands = commands
