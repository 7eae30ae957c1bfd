"""Why it is slower, told: suspects, findings and flame graph for the terminal, Markdown and the page."""
