# Processor seconds of a run of what is checked out: user and system, the mean of $RUNS.
"$BUILD" >&2
hyperfine --shell=none --runs "$RUNS" --export-csv ../times.csv "$BENCH" >&2
awk -F, 'NR == 2 { print $5 + $6 }' ../times.csv
