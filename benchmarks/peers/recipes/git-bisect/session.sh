git checkout -q "$GOOD"
good=$(sh -e ../measure.sh)
git checkout -q "$BAD"
bad=$(sh -e ../measure.sh)
export LIMIT=$(awk "BEGIN { print ($good + $bad) / 2 }")
git bisect start --first-parent "$BAD" "$GOOD"
git bisect run sh ../judge.sh
