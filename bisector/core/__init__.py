"""What is known, what to do next and why. Pure: no clock, randomness, logging, paths or processes."""
