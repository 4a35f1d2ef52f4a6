"""The two kinds of Future, seen at work: a laboratory of claims, each with the code that tests it."""
