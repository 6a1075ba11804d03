"""Sign-in at E*TRADE and the life of its token: asked for, kept awake, ended."""
