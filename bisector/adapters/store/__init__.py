"""What is kept: jobs and their facts in a database, files beside it."""
