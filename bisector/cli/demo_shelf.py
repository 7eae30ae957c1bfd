"""The web service of the made-up history behind `bisector demo`: texts in SQLite, shown over HTTP."""

SHELF = '''"""A shelf of texts, kept in SQLite and shown over HTTP: `python -m tinytext.shelf PORT`."""

import json
import sqlite3
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

TABLES = """
CREATE TABLE text (id INTEGER PRIMARY KEY, author TEXT, title TEXT);
CREATE TABLE word (text INTEGER, word TEXT);
CREATE INDEX text_author ON text (author);
CREATE INDEX word_text ON word (text);
"""
AUTHORS, TEXTS, WORDS = 8, 300, 12


def fill(database: sqlite3.Connection) -> None:
    """A shelf of some thousand texts."""
    database.executescript(TABLES)
    numbers = range(AUTHORS * TEXTS)
    texts = ((number, f"author {number % AUTHORS}", f"title {number}") for number in numbers)
    database.executemany("INSERT INTO text VALUES (?, ?, ?)", texts)
    words = ((number, f"word {word}") for number in numbers for word in range(WORDS))
    database.executemany("INSERT INTO word VALUES (?, ?)", words)
    database.commit()


def show_texts(database: sqlite3.Connection, author: str) -> list[dict[str, object]]:
    """The texts of an author."""
    found = database.execute("SELECT id, title FROM text WHERE author = ? ORDER BY id", (author,))
    return [{"id": number, "title": title} for number, title in found]


def show_words(database: sqlite3.Connection, text: str) -> list[dict[str, object]]:
    """The words of a text."""
    found = database.execute("SELECT word FROM word WHERE text = ?", (text,))
    return [{"word": word} for (word,) in found]


class Handler(BaseHTTPRequestHandler):
    """One connection, with a view of the shelf of its own."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are written apart: one would wait for the other to be acknowledged
    path_of_shelf: Path

    def setup(self) -> None:
        """Open the shelf for as long as the connection lasts."""
        super().setup()
        self.database = sqlite3.connect(self.path_of_shelf)

    def finish(self) -> None:
        """Close it."""
        super().finish()
        self.database.close()

    def do_GET(self) -> None:
        """Answer."""
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/texts":
            shown = show_texts(self.database, asked["author"])
        elif address.path == "/words":
            shown = show_words(self.database, asked["text"])
        else:
            shown = []
        body = json.dumps(shown).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


def main() -> None:
    """Serve until told to stop."""
    with tempfile.TemporaryDirectory() as directory:
        Handler.path_of_shelf = Path(directory) / "shelf.sqlite"
        database = sqlite3.connect(Handler.path_of_shelf)
        fill(database)
        database.close()
        ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()


if __name__ == "__main__":
    main()
'''
SHELF_SLOW = SHELF.replace(
    '''    """The texts of an author."""
    found = database.execute("SELECT id, title FROM text WHERE author = ? ORDER BY id", (author,))
    return [{"id": number, "title": title} for number, title in found]
''',
    '''    """The texts of an author, those with most words first."""
    found = database.execute("SELECT id, title FROM text WHERE author = ? ORDER BY id", (author,)).fetchall()
    words = {}
    for number, _ in found:
        words[number] = len(database.execute("SELECT word FROM word WHERE text = ?", (number,)).fetchall())
    found.sort(key=lambda text: -words[text[0]])
    return [{"id": number, "title": title} for number, title in found]
''',
)
"""One more query for each text that is shown: the handler's own doing."""
