"""Counts the words of a text that looks like prose; prints the seconds it took."""

import json
import time

from tinytext import count

SENTENCE = "The quick, brown fox (who was not that quick) jumps over the lazy dog's well-known fence; twice! "


def main() -> None:
    text = SENTENCE * 1500
    count(text[:5000])
    start = time.perf_counter()
    for _ in range(4):
        count(text)
    print(json.dumps({"seconds": time.perf_counter() - start}))


main()
