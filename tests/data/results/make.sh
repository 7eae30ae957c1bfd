#!/usr/bin/env bash
# Writes the files in this directory anew, each with the real tool, and their versions into VERSIONS.
# A tool that is not on PATH is left out and said; its files stay as they are.
#
#   tests/data/results/make.sh [part...]      (default: every part)
#
# Debian: hyperfine wrk hey libbenchmark-dev golang-go g++ librust-criterion-dev; Python: the `dev` extra;
# `k6` and `artillery` where they are on PATH. Figures in here are as noisy as the machine was: they are read, not judged.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source=$here/source
python=${PYTHON:-$here/../../../.venv/bin/python}
tools=$(dirname "$(command -v "$python")")
work=${FIXTURES_WORK:-/opt/fixtures} # some tools write their paths into what they leave
rm -rf "$work" && mkdir -p "$work"
rustup=${RUSTUP_HOME:-$HOME/.rustup}
export HOME=$work/home
mkdir -p "$HOME"
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
address=http://127.0.0.1:8765

has() { command -v "$1" >/dev/null || { echo "left out: no $1 on PATH" >&2; return 1; }; }

version() {
    touch "$here/VERSIONS"
    { grep -v "^$1 " "$here/VERSIONS" || true; echo "$1 $2"; } | LC_ALL=C sort >"$work/versions"
    cp "$work/versions" "$here/VERSIONS"
}

serve() {
    [ -z "$server" ] || return 0
    "$python" "$source/server.py" 8765 &
    server=$!
    for _ in $(seq 100); do
        "$python" -c 'import socket; socket.create_connection(("127.0.0.1", 8765), 1)' 2>/dev/null && return 0
        sleep 0.1
    done
    echo "the server does not answer" >&2
    return 1
}

pytest_benchmark() {
    local options=(-q -p no:cacheprovider --benchmark-max-time=0.0005 --benchmark-warmup=off --benchmark-min-rounds=3)
    cp "$source/bench_sums.py" "$work/test_sums.py"
    (cd "$work" && "$python" -m pytest "${options[@]}" --benchmark-json=pytest.json test_sums.py >/dev/null)
    cp "$work/pytest.json" "$here/pytest-benchmark.json"
    # What --benchmark-autosave keeps: statistics without the rounds.
    (cd "$work" && "$python" -m pytest "${options[@]}" --benchmark-save=only test_sums.py >/dev/null)
    cp "$work"/.benchmarks/*/*only.json "$here/pytest-benchmark-autosave.json"
    version pytest-benchmark "$("$python" -c 'import pytest_benchmark as p; print(p.__version__)')"
}

pyperf() {
    (cd "$work" && rm -f two.json one.json memory.json
        "$python" "$source/pyperf_two.py" --processes=3 --values=2 --warmups=1 --min-time=0.001 --quiet -o two.json
        "$python" -m pyperf timeit --processes=3 --values=3 --warmups=1 --min-time=0.001 --quiet -o one.json 'sum(range(1000))'
        "$python" "$source/pyperf_two.py" --processes=2 --values=1 --warmups=0 --loops=1 --track-memory --quiet -o memory.json) >/dev/null
    cp "$work/two.json" "$here/pyperf-two.json"
    cp "$work/one.json" "$here/pyperf-one.json"
    cp "$work/memory.json" "$here/pyperf-memory.json"
    version pyperf "$("$python" -c 'import pyperf; print(pyperf.__version__)')"
}

asv() {
    local project=$work/asv
    rm -rf "$project" && mkdir -p "$project/benchmarks"
    git -C "$project" init -q
    git -C "$project" -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m made
    cp "$source/asv_sums.py" "$project/benchmarks/sums.py"
    touch "$project/benchmarks/__init__.py"
    cp "$source/asv.conf.json" "$project/"
    (cd "$project" && "$tools/asv" machine --yes --machine fixture >/dev/null
        # It ends with 2 because one of the benchmarks is meant to fail.
        "$tools/asv" run -E "existing:$python" --set-commit-hash "$(git rev-parse HEAD)" --machine fixture --quick \
            --record-samples >/dev/null || [ $? -eq 2 ])
    cp "$project"/results/fixture/*-existing*.json "$here/asv-samples.json"
    rm -rf "$project/results/fixture/"*-existing*.json
    (cd "$project" && "$tools/asv" run -E "existing:$python" --set-commit-hash "$(git rev-parse HEAD)" \
        --machine fixture --quick >/dev/null || [ $? -eq 2 ])
    cp "$project"/results/fixture/*-existing*.json "$here/asv.json"
    version asv "$("$python" -c 'import asv; print(asv.__version__)')"
}

hyperfine() {
    has hyperfine || return 0
    (cd "$work" && command hyperfine -N --runs 4 --export-json one.json 'sleep 0.01' >/dev/null
        command hyperfine -N --runs 3 --parameter-list n 0.01,0.02 --export-json two.json -n short 'sleep {n}' >/dev/null
        command hyperfine --ignore-failure --runs 3 --export-json failed.json 'sleep 0.01; exit 3' >/dev/null)
    cp "$work/one.json" "$here/hyperfine-one.json"
    cp "$work/two.json" "$here/hyperfine-two.json"
    cp "$work/failed.json" "$here/hyperfine-failed.json"
    version hyperfine "$(command hyperfine --version | cut -d' ' -f2)"
}

google_benchmark() {
    has g++ || return 0
    g++ -O1 -o "$work/bench" "$source/sums.cc" -lbenchmark -lpthread
    local options=(--benchmark_format=json --benchmark_min_time=0.01)
    "$work/bench" "${options[@]}" 2>/dev/null >"$here/google-benchmark.json" || true
    "$work/bench" "${options[@]}" --benchmark_filter=BM_Sum --benchmark_repetitions=3 2>/dev/null \
        >"$here/google-benchmark-repetitions.json"
    "$work/bench" "${options[@]}" --benchmark_filter=BM_Sum/64 --benchmark_repetitions=3 \
        --benchmark_report_aggregates_only=true 2>/dev/null >"$here/google-benchmark-aggregates.json"
    version google-benchmark "$(dpkg-query -W -f '${Version}' libbenchmark-dev)"
}

go_bench() {
    has go || return 0
    mkdir -p "$work/go" && cp "$source/sums_test.go" "$work/go/"
    printf 'module example.org/sums\n\ngo 1.19\n' >"$work/go/go.mod"
    (cd "$work/go" && GOCACHE=$work/cache go test -run='^$' -bench=. -benchmem -benchtime=20x -count=2) >"$here/go-bench.txt"
    version go-bench "$(go version | cut -d' ' -f3)"
}

criterion() {
    has cargo || return 0
    [ -d /usr/share/cargo/registry/criterion-0.3.6 ] || { echo "left out: no librust-criterion-dev" >&2; return 0; }
    cp -r "$source/criterion" "$work/criterion"
    (cd "$work/criterion" && CARGO_HOME=$work/cargo RUSTUP_HOME=$rustup CRITERION_HOME=$work/criterion-home \
        CARGO_TARGET_DIR=${CRITERION_TARGET:-$work/target} cargo bench --offline >"$work/criterion.log" 2>&1) ||
        { tail -20 "$work/criterion.log" >&2; return 1; }
    cp "$work/criterion-home/sizes/total/100/new/sample.json" "$here/criterion-sample.json"
    cp "$work/criterion-home/sizes/total/100/new/estimates.json" "$here/criterion-estimates.json"
    version criterion 0.3.6
}

wrk() {
    has wrk || return 0
    serve
    command wrk -t1 -c2 -d1s --latency "$address/" >"$here/wrk-latency.txt"
    command wrk -t1 -c2 -d1s "$address/" >"$here/wrk.txt"
    command wrk -t1 -c2 -d1s "$address/broken" >"$here/wrk-failed.txt"
    command wrk -t1 -c2 -d1s --timeout 1 "$address/slow" >"$here/wrk-slow.txt"
    version wrk "$(dpkg-query -W -f '${Version}' wrk)"
}

hey() {
    has hey || return 0
    serve
    command hey -n 40 -c 2 "$address/" >"$here/hey.txt"
    command hey -n 10 -c 2 "$address/broken" >"$here/hey-failed.txt"
    command hey -n 10 -c 2 http://127.0.0.1:1/ >"$here/hey-refused.txt"
    command hey -n 20 -c 2 -o csv "$address/" >"$here/hey.csv"
    version hey "$(dpkg-query -W -f '${Version}' hey)"
}

locust() {
    serve
    local options=(-f "$source/locustfile.py" --host "$address" --headless -u 2 -r 2 -t 6s --only-summary --loglevel ERROR)
    (cd "$work" && "$tools/locust" "${options[@]}" --csv fine --json-file fine --tags fine >/dev/null 2>&1
        "$tools/locust" "${options[@]}" --csv failed --json-file failed --tags broken >/dev/null 2>&1 || [ $? -eq 1 ])
    cp "$work/fine_stats.csv" "$here/locust-stats.csv"
    cp "$work/fine.json" "$here/locust.json"
    cp "$work/failed_stats.csv" "$here/locust-failed-stats.csv"
    cp "$work/failed.json" "$here/locust-failed.json"
    version locust "$("$python" -c 'import importlib.metadata as m; print(m.version("locust"))')"
}

k6() {
    has k6 || return 0
    serve
    (cd "$work" && BASE=$address command k6 run --quiet --no-usage-report --summary-export flat.json --out json=points.json \
        --summary-trend-stats 'avg,min,med,max,p(90),p(95),p(99)' "$source/k6.js" >/dev/null 2>&1
        BASE=$address/broken command k6 run --quiet --no-usage-report "$source/k6.js" >/dev/null 2>&1)
    cp "$work/flat.json" "$here/k6-export.json"
    cp "$work/points.json" "$here/k6-points.jsonl"
    cp "$work/summary.json" "$here/k6-failed.json"
    (cd "$work" && BASE=$address command k6 run --quiet --no-usage-report "$source/k6.js" >/dev/null 2>&1)
    cp "$work/summary.json" "$here/k6-summary.json"
    version k6 "$(command k6 version | cut -d' ' -f2)"
}

artillery() {
    has artillery || return 0
    serve
    (cd "$work" && export ARTILLERY_DISABLE_TELEMETRY=true
        command artillery run --quiet --output fine.json --target "$address" "$source/artillery.yml" >/dev/null
        command artillery run --quiet --output failed.json --target http://127.0.0.1:1 "$source/artillery.yml" >/dev/null)
    cp "$work/fine.json" "$here/artillery.json"
    cp "$work/failed.json" "$here/artillery-failed.json"
    version artillery "$(ARTILLERY_DISABLE_TELEMETRY=true command artillery --version 2>/dev/null | sed -n 's/^Artillery: *//p')"
}

every=(pytest_benchmark pyperf asv hyperfine google_benchmark go_bench criterion wrk hey locust k6 artillery)
for part in "${@:-${every[@]}}"; do
    echo "$part" >&2
    "$part"
done
