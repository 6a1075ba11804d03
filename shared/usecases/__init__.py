"""The use cases: one public function each, the order of effects and nothing else.

Rooms, each of which uses those before it: `base`, `telling`, `control`, `orders`, `market`; then side by side
`scanning`, `placing` and `settling`, which know nothing of each other and meet in the store and in messages. `sign_in`
stands on `telling` and `base` alone.
"""
