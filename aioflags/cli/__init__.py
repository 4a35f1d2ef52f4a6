"""The command line: one module a command, and what they share. Owns the terminal, the signals and the event loop."""
