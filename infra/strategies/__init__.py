"""An owner's own strategies: begun from one that ships, and checked before the system runs them."""
