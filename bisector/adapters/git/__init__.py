"""git: the repository under investigation, read through a bare mirror of our own."""
