#include <benchmark/benchmark.h>
#include <numeric>
#include <vector>

static void BM_Sum(benchmark::State &state)
{
    std::vector<int> numbers(state.range(0), 1);
    for (auto _ : state)
        benchmark::DoNotOptimize(std::accumulate(numbers.begin(), numbers.end(), 0));
    state.SetItemsProcessed(state.iterations() * state.range(0));
    state.SetBytesProcessed(state.iterations() * state.range(0) * sizeof(int));
    state.counters["hits"] = 3;
}
BENCHMARK(BM_Sum)->Arg(64)->Arg(512);

static void BM_Slow(benchmark::State &state)
{
    for (auto _ : state)
        for (int i = 0; i < 20000; i++)
            benchmark::DoNotOptimize(i);
}
BENCHMARK(BM_Slow)->Unit(benchmark::kMicrosecond)->UseRealTime();

static void BM_Broken(benchmark::State &state)
{
    state.SkipWithError("on purpose");
    for (auto _ : state) {
    }
}
BENCHMARK(BM_Broken);

BENCHMARK_MAIN();
