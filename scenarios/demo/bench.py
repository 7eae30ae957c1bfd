"""Counts the words of a text that looks like prose; prints the processor seconds (others disturb them little)."""

import json
import time

from tinytext import count

SENTENCE = "The quick, brown fox (who was not that quick) jumps over the lazy dog's well-known fence; twice! "


def main() -> None:
    text = SENTENCE * 1500
    count(text[:5000])
    start = time.process_time()
    for _ in range(4):
        count(text)
    print(json.dumps({"cpu_seconds": time.process_time() - start}))


main()
