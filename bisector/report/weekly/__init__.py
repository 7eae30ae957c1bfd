"""A week as a document: values in, HTML and Markdown out."""
