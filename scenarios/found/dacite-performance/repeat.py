"""The fixture of pytest-benchmark with a fixed number of rounds, so that every run is the same work."""

import pytest


@pytest.fixture
def benchmark():
    def repeat(function, *args, **kwargs):
        for _ in range(5):
            result = function(*args, **kwargs)
        return result

    return repeat
