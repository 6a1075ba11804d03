"""Notices and messages: facts first, and the words that the owner reads."""
