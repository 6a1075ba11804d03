"""The operator's command line; a command imports what it needs when it is called, so help is fast."""

import gc

# A command makes tens of thousands of objects at its start, which all stay: to look through them for circles again and
# again takes a tenth of its time.
gc.set_threshold(50_000)
