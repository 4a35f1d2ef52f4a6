"""Measurements of aioflags against itself and others; every figure in the README comes from here."""
