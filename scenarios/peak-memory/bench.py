"""Counts the words of two megabytes of text once. What is measured is the process's peak memory."""

from tinytext import count

SENTENCE = "The quick, brown fox (who was not that quick) jumps over the lazy dog's well-known fence; twice! "

count(SENTENCE * 20_000)
