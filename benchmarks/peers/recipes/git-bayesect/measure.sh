# What one run of what is checked out prints; built where another commit was built last.
if [ "$(cat ../built)" != "$(git rev-parse HEAD)" ]; then
    "$BUILD" >&2
    git rev-parse HEAD >../built
fi
"$BENCH" >../printed.json
sed 's/.*: //; s/}//' ../printed.json
