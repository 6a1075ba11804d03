"""What the broker says and allows, in our words."""
