"""The E*TRADE client, tested through a scripted transport."""
