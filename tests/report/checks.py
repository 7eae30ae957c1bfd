"""What must hold for every document, whatever strangers wrote: checkers that tests apply, and that are tested too."""

import unicodedata
from html.parser import HTMLParser
from xml.etree import ElementTree

from markdown_it import MarkdownIt
from markdown_it.token import Token

HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
VOID = frozenset({"meta", "link", "br"})
HTML_TAGS = VOID | {
    *("html", "head", "title", "style", "body", "a", "header", "nav", "p", "span", "h1", "ul", "li", "strong", "main"),
    *("section", "h2", "table", "tbody", "tr", "th", "td", "h3", "figure", "div", "figcaption", "details", "summary"),
    *("thead", "code", "bdi", "small", "time", "article", "dl", "dt", "dd", "pre", "footer", "abbr", "i"),
}
SVG_TAGS = {"svg", "title", "desc", "defs", "pattern", "path", "text", "rect", "g"}
ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "rel", "href", "class", "id", "aria-labelledby", "scope"),
    *("role", "tabindex", "aria-label", "title", "open", "colspan", "datetime", "aria-hidden", "xmlns", "viewbox"),
    *("width", "height", "x", "y", "d", "fill", "transform", "text-anchor", "patternunits", "patterntransform"),
}


def hidden_characters(text: str) -> set[str]:
    """Characters of `text`, line ends apart, that move, hide or reorder what is shown."""
    return {character for character in text if character != "\n" and unicodedata.category(character) in HIDDEN}


class Page(HTMLParser):
    """A page taken apart: what of it could do anything but be looked at."""

    def __init__(self, text: str) -> None:
        """`problems` lists everything that should not be there."""
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.text: list[str] = []
        self.ids: list[str] = []
        self.tags: dict[str, int] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        self.problems += [f"{tag} is never closed" for tag in self._open]
        self.problems += sorted({f"id {name!r} twice" for name in self.ids if self.ids.count(name) > 1})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Only what the templates write."""
        self.tags[tag] = self.tags.get(tag, 0) + 1
        if tag not in HTML_TAGS | SVG_TAGS:
            self.problems.append(f"element {tag}")
        for name, value in attrs:
            if name not in ATTRIBUTES:
                self.problems.append(f"attribute {name}")
            if name == "href" and not (value or "").startswith(("#", "data:,")):
                self.problems.append(f"a link to {value!r}")
            if name == "id":
                self.ids.append(value or "")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An empty element of a plot."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Elements close in order."""
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"{tag} closes out of order")

    def handle_data(self, data: str) -> None:
        """What is shown."""
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        """No comment: it would be a place to break out of."""
        self.problems.append(f"comment {data!r}")

    def unknown_decl(self, data: str) -> None:
        """No CDATA."""
        self.problems.append(f"declaration {data!r}")


def page_problems(text: str) -> list[str]:
    """What is wrong with an HTML page."""
    return Page(text).problems + [f"hidden character {c!r}" for c in sorted(hidden_characters(text))]


def svg_problems(text: str) -> list[str]:
    """What is wrong with an SVG file."""
    try:
        tree = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        return [f"not XML: {error}"]
    problems = [f"hidden character {c!r}" for c in sorted(hidden_characters(text))]
    for node in tree.iter():
        name = node.tag.removeprefix("{http://www.w3.org/2000/svg}")
        if name not in SVG_TAGS | {"style"}:
            problems.append(f"element {name}")
        problems += [f"attribute {key}" for key in node.attrib if key.lower() not in ATTRIBUTES]
        problems += [f"not a number: {value}" for value in node.attrib.values() if value in {"nan", "inf", "-inf"}]
    return problems


def markdown_problems(text: str, mark: str) -> list[str]:
    """What is wrong with a Markdown document in which all that strangers wrote holds `mark`."""
    problems = [f"hidden character {c!r}" for c in sorted(hidden_characters(text))]
    tokens = MarkdownIt("commonmark", {"linkify": False}).enable("table").parse(text)
    for token in _flat(tokens):
        if token.type in {"html_inline", "html_block", "image", "link_open"}:
            problems.append(f"{token.type}: {token.content!r}")
        if mark in token.content and token.type not in {"code_inline", "fence", "inline"}:
            problems.append(f"strangers' text as {token.type}: {token.content!r}")
        if token.type == "text" and any(sign in token.content for sign in "@#`"):
            problems.append(f"a mention, reference or stray fence: {token.content!r}")
    return problems


def _flat(tokens: list[Token]) -> list[Token]:
    return [each for token in tokens for each in (token, *(token.children or ()))]
