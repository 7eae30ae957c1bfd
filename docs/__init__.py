"""What the documents are made with, where they are made from the code. `python -m docs` makes them anew."""
