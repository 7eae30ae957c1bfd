# Processor seconds of a run of what is checked out: the mean of $RUNS.
"$BUILD" >&2
hyperfine --shell=none --runs "$RUNS" --export-json ../times.json "$BENCH" >&2
jq '.results[0] | .user + .system' ../times.json
