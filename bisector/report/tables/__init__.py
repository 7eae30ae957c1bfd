"""Tables for other programs: what is stored as rows of plain values, with columns that stay as they are."""
