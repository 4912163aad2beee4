"""Errors of the bot package."""


class CountersignError(Exception):
    """Root of the bot's own errors; the message is a sentence for a person, with the remedy."""


class SettingsError(CountersignError):
    """Countersign cannot start with these settings; each problem names a variable and a remedy."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
