"""Orders and what becomes of them: states, prices, sizes, positions, the book, exits."""
