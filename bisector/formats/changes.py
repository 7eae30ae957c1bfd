"""A change of sources as JSON text and back: the form in which it is kept."""

from pydantic import TypeAdapter, ValidationError

from bisector.core.explain.sources import SourceChange
from bisector.errors import StoreError


def changes_to_text(changes: SourceChange) -> bytes:
    """A change as JSON text."""
    return TypeAdapter(SourceChange).dump_json(changes)


def changes_from_text(text: bytes) -> SourceChange:
    """The change in JSON `text`; StoreError when it cannot be read."""
    try:
        found: SourceChange = TypeAdapter(SourceChange).validate_json(text)
    except ValidationError as error:
        raise StoreError(f"a kept change cannot be read: {str(error)[:200]}") from None
    return found
