"""What a report is made of, its figures, and its page: the same for a day, a running system and a back-test."""
