"""Torture: what must never happen, tried at random for as long as one likes; the short forms run with all tests.

`python -m tests.torture soak --items 20000` · `python -m tests.torture kills --kills 200`; each prints its seed first
and one line of figures last, and ends with 1 if anything was not as it must be.
"""
