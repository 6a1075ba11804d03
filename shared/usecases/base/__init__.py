"""What every use case works with: typed documents, messages that cannot be lost, one worker at a time."""
