"""What E*TRADE really does, measured by reads and previews: facts against our assumptions, a report, and a capture."""
