echo none >../built
level() { for run in 1 2 3 4 5; do sh -e ../measure.sh; done | sort -g | sed -n 3p; }
git checkout -q "$GOOD"
good=$(level)
git checkout -q "$BAD"
bad=$(level)
export LIMIT=$(awk "BEGIN { print ($good + $bad) / 2 }")
first=$(git rev-list --first-parent "$GOOD..$BAD" | tail -n 1)
git bayesect start --old "$first~" --new "$BAD"
git bayesect run sh ../judge.sh
