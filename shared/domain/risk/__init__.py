"""Whether an entry may be made: facts, rules, denials, the last check."""
