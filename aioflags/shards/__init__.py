"""One list on several event loops: each process downloads a share of it, the parent alone reads, names and records."""
