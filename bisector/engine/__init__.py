"""Step in, fact out: the loop, the ports to the outside world and how each step is performed."""
