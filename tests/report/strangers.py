"""What strangers may write where a report shows it: names, subjects, paths, reasons."""

from hypothesis import strategies as st

MARK = "X_PROBE_X"
"""Not plain words: a report may show those anywhere."""
SNIPPETS = (
    "<script>document.title='pwned'</script>",
    "</script><script>document.title='pwned'</script>",
    "</style><img src=x onerror=\"document.title='pwned'\">",
    "<svg onload=document.title='pwned'>",
    "</title></svg>]]><x>",
    "<!--", "-->", "]]>", "&lt;b&gt;", "&#60;script&#62;", "{{ 7 * 7 }}", "{% raw %}",
    "' onmouseover='x", '" onfocus="x" autofocus="', "javascript:alert(1)", "data:text/html,x",
    "@jane", "#123", "GH-1", "org/repo#4", "https://evil.example", "www.evil.example", "a@b.example",
    "![x](https://evil.example/x.png)", "[x](javascript:x)", "**bold**", "`", "``", "```", "~~~", "|", "\\|", "\\",
    "<details>", ":tada:", "$x^2$",
    "\x1b[2J\x1b]0;pwned\a", "\x9b31m", "\a", "\0", "\r", "\n", "\n\n# heading\n", "\t", "\b\b\b", "\x7f",
    "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\ufffe", "\uffff", "\ud800", "\udcff", "\U000e0041",
    "Z" + "\u0300" * 30, "مرحبا", "測試", "\x02", "\x03",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=12), max_size=6).map(lambda parts: MARK + "".join(parts))
