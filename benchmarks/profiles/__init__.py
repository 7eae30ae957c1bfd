"""How long it takes to read and compare large profiles."""
