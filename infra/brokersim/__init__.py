"""A simulator of E*TRADE's REST API v1 that fills orders from one market day.

Rooms: `market` (tape, recorded, generated: what traded), `oauth` (who may call), `orders`, `tickets`,
`exchange`, `account`, `desk` (what an order does), `views`, `order_views`, `transactions` and `quotes` (how answers are
spelled), `in_xml` (the same in XML), `simulator` (which URL does what), `server` (the same on loopback). It imports
nothing of the product, so the two cannot share a mistake; the fact sheet of the API is its only source.
"""
