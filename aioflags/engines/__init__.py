"""Ways to make one attempt at one item; each engine is a small module behind the seam in `engines.seam`."""
