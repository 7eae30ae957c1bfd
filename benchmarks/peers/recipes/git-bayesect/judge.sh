# 0 passes, else fails; there is no word for what cannot be told.
seconds=$(sh -e ../measure.sh) || exit 1
awk "BEGIN { exit !($seconds < $LIMIT) }"
