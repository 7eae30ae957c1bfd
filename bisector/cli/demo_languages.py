"""The demo's library in other languages: each part counts words, and each has a commit that counts by splitting."""

MAKEFILE = """\
CFLAGS ?= -O2

libcount.a: count.o
\t$(AR) rcs $@ $^

clean:
\trm -f count.o libcount.a
"""
CMAKE = """\
cmake_minimum_required(VERSION 3.16)
project(tinytext C)
add_library(count STATIC count.c)
target_include_directories(count PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
"""
PYPROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "tinytext"
version = "1.0"

[tool.setuptools.packages.find]
where = ["src"]
"""
PACKAGE_JSON = """\
{
  "name": "tinytext",
  "version": "1.0.0",
  "main": "index.js",
  "dependencies": { "is-number": "7.0.0" }
}
"""
JAVASCRIPT = """\
'use strict'

const isNumber = require('is-number')

/** Number of words and of numbers in `text`. */
function count (text) {
  let words = 0
  let numbers = 0
  let start = -1
  for (let at = 0; at <= text.length; at++) {
    const inside = at < text.length && text.charCodeAt(at) > 32
    if (inside && start < 0) start = at
    if (!inside && start >= 0) {
      words++
      const first = text.charCodeAt(start)
      if (first < 58 && isNumber(text.slice(start, at))) numbers++
      start = -1
    }
  }
  return { words, numbers }
}

module.exports = { count }
"""
JAVASCRIPT_SLOW = """\
'use strict'

const isNumber = require('is-number')

/** Number of words and of numbers in `text`. */
function count (text) {
  const words = text.split(/\\s+/).filter(word => word !== '')
  return { words: words.length, numbers: words.filter(isNumber).length }
}

module.exports = { count }
"""
GO_MOD = "module example.invalid/tinytext\n\ngo 1.19\n"
GO = """\
// Package tinytext has tiny tools for text.
package tinytext

// Count is the number of words in text.
func Count(text string) int {
	words, inside := 0, false
	for at := 0; at < len(text); at++ {
		letter := text[at] > ' '
		if letter && !inside {
			words++
		}
		inside = letter
	}
	return words
}
"""
GO_SLOW = """\
// Package tinytext has tiny tools for text.
package tinytext

import "strings"

// Count is the number of words in text.
func Count(text string) int {
	return len(strings.Fields(text))
}
"""
CARGO_TOML = '[package]\nname = "tinytext"\nversion = "1.0.0"\nedition = "2021"\n'
CARGO_LOCK = 'version = 3\n\n[[package]]\nname = "tinytext"\nversion = "1.0.0"\n'
RUST = """\
//! Tiny tools for text.

/// Number of words in `text`.
pub fn count(text: &str) -> usize {
    let mut words = 0;
    let mut inside = false;
    for byte in text.bytes() {
        let letter = byte > b' ';
        words += usize::from(letter && !inside);
        inside = letter;
    }
    words
}
"""
RUST_SLOW = """\
//! Tiny tools for text.

/// Number of words in `text`.
pub fn count(text: &str) -> usize {
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    words.len()
}
"""
JAVA = """\
package tinytext;

/** Tiny tools for text. */
public final class Count {
    private Count() {}

    /** Number of words in text. */
    public static int words(String text) {
        int words = 0;
        boolean inside = false;
        for (int at = 0; at < text.length(); at++) {
            boolean letter = text.charAt(at) > ' ';
            if (letter && !inside) words++;
            inside = letter;
        }
        return words;
    }
}
"""
JAVA_SLOW = """\
package tinytext;

/** Tiny tools for text. */
public final class Count {
    private Count() {}

    /** Number of words in text. */
    public static int words(String text) {
        return text.trim().split("\\\\s+").length;
    }
}
"""

FIRST = {
    "pyproject.toml": PYPROJECT,
    "csrc/Makefile": MAKEFILE,
    "csrc/CMakeLists.txt": CMAKE,
    "js/package.json": PACKAGE_JSON,
    "js/index.js": JAVASCRIPT,
    "go/go.mod": GO_MOD,
    "go/count.go": GO,
    "rust/Cargo.toml": CARGO_TOML,
    "rust/Cargo.lock": CARGO_LOCK,
    "rust/src/lib.rs": RUST,
    "java/tinytext/Count.java": JAVA,
}
"""Files of the first commit."""

SLOWER = {
    "go": ("Let the Go part split by Unicode's spaces", {"go/count.go": GO_SLOW}),
    "java": ("Let the Java part split by a pattern", {"java/tinytext/Count.java": JAVA_SLOW}),
    "javascript-npm": ("Let the JavaScript part split by a pattern", {"js/index.js": JAVASCRIPT_SLOW}),
    "rust": ("Let the Rust part split by Unicode's spaces", {"rust/src/lib.rs": RUST_SLOW}),
}
"""For each scenario, the subject of the commit that is planted and the files it writes."""
