"""Telling the owner: a notice is promised with what it tells of, and delivered once."""
