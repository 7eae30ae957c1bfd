bisector bisect "$GOOD" "$BAD" --runner local --no-descend --no-profile --build "$BUILD" --metric cpu_seconds \
    --json ../result.json -- "$BENCH"
