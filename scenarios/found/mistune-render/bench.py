"""A page of headings, prose, lists, code and links to HTML; the best of 25 rounds."""

import json
import time

import mistune

PART = """\
## Heading with `code`

Some *prose* with **strong words**, a [link](https://example.org/a?b=c&d=e) and an image ![alt](a.png "title").
It goes on, so that the lines wrap; `inline code` & entities stand in it, and a line break\\
too.

- first point with *emphasis*
- second point
  - a nested one
- third point

1. one
2. two

> A quotation, which has **a strong word**.

```python
print("code")
```

"""
PAGE = PART * 25


def once():
    began = time.process_time()
    mistune.html(PAGE)
    return time.process_time() - began


print(json.dumps({"cpu_seconds": min(once() for _ in range(25))}))
