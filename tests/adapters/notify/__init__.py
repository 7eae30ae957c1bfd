"""What tells the targets, against servers on this machine."""
