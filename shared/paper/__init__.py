"""Paper mode: the real broker's quotes, our own fills. Nothing in this room can send an order to anybody."""
