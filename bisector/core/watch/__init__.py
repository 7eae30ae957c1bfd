"""Over time: nights of a scenario, the steps between them, and the levels that were accepted."""
