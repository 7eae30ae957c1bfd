# 0 like good, 1 like bad, 125 cannot be told.
seconds=$(sh -e ../measure.sh) || exit 125
awk "BEGIN { exit !($seconds < $LIMIT) }"
