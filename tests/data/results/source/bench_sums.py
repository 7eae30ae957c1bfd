import pytest


@pytest.mark.parametrize("n", [100, 1000])
def test_sum(benchmark, n):
    benchmark.extra_info["size"] = n
    assert benchmark(sum, range(n)) == n * (n - 1) // 2


def test_sorted(benchmark):
    benchmark(sorted, list(range(200, 0, -1)))
