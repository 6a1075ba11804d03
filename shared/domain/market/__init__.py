"""What the market shows: quotes and their faults, bars, the day book."""
