"""The bench of the search: strategies on the same seeded worlds, each paying for its own runs and builds."""
