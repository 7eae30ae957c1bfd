"""What can be wrong with a result."""


class ResultProblem(Exception):
    """A run ended well but its result cannot be used; the message says why, for people."""

    def with_cause(self, told: str) -> str:
        """The message, with what the runner told of the run where that is more, like a file that was too large."""
        return f"{self} ({told})" if told and told not in str(self) else str(self)
