"""What is written down of a series as JSON text and back; its kind is kept beside it."""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from bisector.core.watch.log import Record
from bisector.errors import StoreError

_KINDS: Mapping[str, type[Any]] = {kind.__name__: kind for kind in get_args(Record)}


def kind_of(record: Record) -> str:
    """The name under which records like this one are kept."""
    return type(record).__name__


def record_to_text(record: Record) -> str:
    """A record as JSON text."""
    return TypeAdapter(type(record)).dump_json(record).decode()


def record_from_text(kind: str, text: str) -> Record:
    """The record of `kind` in JSON `text`; StoreError when it cannot be read."""
    try:
        record: Record = TypeAdapter(_KINDS[kind]).validate_json(text)
        return record
    except (KeyError, ValueError, ValidationError) as error:
        raise StoreError(
            f"a stored entry of kind {kind!r} of a series cannot be read: {str(error)[:200]}",
            then="It may come from another version of bisector; run `bisector db check`",
        ) from None
