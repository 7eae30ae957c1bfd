"""Write every page that is made from the code: `python -m docs`. Pictures are made by `python -m docs.pictures`."""

from pathlib import Path

from docs.pages import pages

for name, text in pages().items():
    (Path(__file__).parent / name).write_text(text)
