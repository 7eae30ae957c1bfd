"""Builds and runs in hardened containers of a Docker engine. Start reading at `runner`."""
