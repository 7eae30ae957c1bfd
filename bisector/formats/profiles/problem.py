"""What can be wrong with a profile."""


class ProfileProblem(Exception):
    """A file cannot be read as a profile; the message says why, for people."""
