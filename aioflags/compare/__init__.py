"""The same items through every engine: measured in processes of their own, told in a table, shown on a page."""
