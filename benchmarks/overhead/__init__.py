"""What measuring costs, and how much noise it adds: `python -m benchmarks.overhead`."""
