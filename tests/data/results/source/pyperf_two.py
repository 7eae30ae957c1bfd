import pyperf

runner = pyperf.Runner()
runner.bench_func("sum", sum, range(1000))
runner.bench_func("sorted", sorted, range(1000))
