"""What can be wrong with a result."""


class ResultProblem(Exception):
    """A run ended well but its result cannot be used; the message says why, for people."""
