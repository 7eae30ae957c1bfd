"""Commits that mean harm, searched by the command that a person types."""
