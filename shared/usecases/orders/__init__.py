"""One order at the broker and its place in the book: sent once, seen, cancelled, counted."""
