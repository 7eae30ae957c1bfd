"""A working world in memory, one fake for every port: what `--simulate` and the tests run on."""
