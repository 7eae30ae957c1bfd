"""bisector: from a good commit, a bad commit and a way to measure to the merge that made the difference."""

__version__ = "0.1.0"
