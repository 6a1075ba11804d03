"""Entries and exits become orders: judged, sized, sent."""
