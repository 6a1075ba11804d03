"""The trading domain: pure values and functions; instants, ids and chance are passed in, nothing here does I/O.

Rooms, each of which uses those before it: `base`, `broker`, `control`, `market`, `orders`; then side by side `risk` and
`telling`.
"""
