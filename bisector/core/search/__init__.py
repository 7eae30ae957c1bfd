"""What the facts mean and what to do next: noise, posterior, planner, verdict."""
