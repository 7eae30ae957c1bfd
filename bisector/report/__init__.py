"""Core values in, documents out. Pure. The only place that formats a number, a time or a size."""
