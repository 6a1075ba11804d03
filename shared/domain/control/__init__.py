"""What the owner decided: the trading state, the configuration, the account."""
