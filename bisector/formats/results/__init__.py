"""What a run printed or wrote, read into the value of each metric."""
