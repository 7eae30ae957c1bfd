"""Counts the words of four megabytes of text once. What is measured is the process's peak memory."""

from tinytext import count

SENTENCE = "The quick, brown fox (who was not that quick) jumps over the lazy dog's well-known fence; twice! "

count(SENTENCE * 40_000)
