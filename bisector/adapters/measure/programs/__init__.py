"""The programs that run beside a candidate, in C and in Python.

The Python ones are copied to where they run, with nothing else of bisector: they import one another and the standard
library, and keep to Python 3.6.
"""
