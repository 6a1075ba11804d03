"""The E*TRADE REST v1 protocol: signing, limits, building, reading, and what each failure means."""
