"""How fast the queue is, how soon an alert is measured, and what the server takes."""
