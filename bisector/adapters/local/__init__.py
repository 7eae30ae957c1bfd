"""Builds and runs on this machine, without isolation. Start reading at `runner`."""
