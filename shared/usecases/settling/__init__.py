"""The book is brought in line with the broker, what is held stays behind a stop, the day is closed."""
