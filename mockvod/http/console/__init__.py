"""The console: the page at `/mockvod/` and the files that it is made of."""
