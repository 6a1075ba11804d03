"""What each setting of the configuration means: one sentence for who trades and does not program, units spelled out.

What can go wrong: a setting is loosened by somebody who guessed what it does. What this promises: each setting that
ships has a sentence; one of the owner's own strategies is named by its file, which alone says what its parameters mean.
"""

_SAID = {
    "universe.price_min": "The lowest price of a share that is bought, in USD.",
    "universe.price_max": "The highest price of a share that is bought, in USD.",
    "universe.day_volume_min": "So many shares of a symbol must have traded today before it is bought.",
    "universe.spread_max_bps": "The widest spread (ask less bid) at which is bought, in hundredths of a percent.",
    "universe.jump_max_pct": "A price further than this from yesterday's close is not believed, in percent.",
    "universe.scanned_max": "So many symbols of the watch list are looked at, the best of its rank first.",
    "universe.rank_liquidity_pct": "What traded money weighs in the rank of the watch list, in percent.",
    "universe.rank_volatility_pct": "What the size of price moves weighs in the rank, in percent.",
    "universe.rank_momentum_pct": "What the latest rise weighs in the rank, in percent.",
    "universe.rank_spread_pct": "What a narrow spread weighs in the rank, in percent.",
    "signals.min_votes": "So many strategies must agree before something is bought.",
    "signals.rsi_min": "Nothing is bought below this RSI, the strength of the last 14 minutes (0 to 100).",
    "signals.rsi_max": "Nothing is bought above this RSI: it has risen too far already.",
    "signals.quality_min": "A quote below this quality does not decide (0 to 1; 1 is fresh and without a spread).",
    "signals.confidence_min": "A purchase needs at least this much confidence of its strategies (0 to 1).",
    "strategies": "The strategies that are used, by name.",
    "strategies.momentum.change_min_pct": "Momentum votes from this rise since yesterday's close on, in percent.",
    "strategies.momentum.day_volume_min": "Momentum votes once so many shares of the symbol have traded today.",
    "strategies.opening_range.breakout_bps": (
        "Opening range votes this far above the high of the first 15 minutes, in hundredths of a percent."
    ),
    "strategies.trend_confirmation.atr_min_pct": (
        "The smallest average move (ATR) that counts as a sign of a trend, in percent of the price."
    ),
    "strategies.trend_confirmation.atr_points": "The points of a large enough average move (ATR).",
    "strategies.trend_confirmation.macd_points": "The points of a MACD above its signal line.",
    "strategies.trend_confirmation.order_points": "The points of moving averages in rising order.",
    "strategies.trend_confirmation.points_min": "Trend confirmation votes from so many points on.",
    "strategies.trend_confirmation.position_points": "The points of a price above its moving average.",
    "strategies.trend_confirmation.rsi_above": "The RSI above which its points are given (0 to 100).",
    "strategies.trend_confirmation.rsi_points": "The points of an RSI above that figure.",
    "strategies.trend_confirmation.volume_points": "The points of many traded shares.",
    "strategies.trend_confirmation.volume_ratio_min": "So many times the usual shares count as many.",
    "strategies.volume_surge.ratio_min": "Volume surge votes from so many times the usual shares of a minute on.",
    "entry.ask_cushion_bps": "A buy order's limit stands this far above the ask, in hundredths of a percent.",
    "entry.chase_max_bps": (
        "A buy order's limit is never further than this above the price of its signal, in hundredths of a percent."
    ),
    "entry.collar_pct": "A buy order is refused whose limit is further than this from the market, in percent.",
    "entry.signal_age_max_s": "A signal older than this buys nothing, in seconds.",
    "entry.quote_age_max_s": "Nothing is bought on a quote older than this, in seconds.",
    "entry.balance_age_max_s": "Nothing is bought on an account balance older than this, in seconds.",
    "entry.cancel_after_s": "A buy order that is not filled is cancelled after this time, in seconds.",
    "entry.late_minutes": "Nothing is bought in the last minutes before the close, so many.",
    "quotes.missing_after_s": "After this time without a quote a sale that is due is made at the market, in seconds.",
    "quotes.frozen_after_s": "Quotes that stand still this long may be those of a halt, in seconds.",
    "quotes.lively_gap_s": "A symbol whose quotes stand still this long now and then is a quiet one, in seconds.",
    "quotes.lively_for_s": "For so long it is watched whether a symbol is a quiet one, in seconds.",
    "quotes.last_trade_age_max_s": "Nothing is bought whose last trade is older than this, in seconds.",
    "quotes.halt_pause_minutes": "After a halt nothing of the symbol is bought for so many minutes.",
    "quotes.late_start_minutes": "A symbol first seen after the open waits so many minutes.",
    "quotes.gap_minutes": "After more missing minutes than this a symbol is looked at as a new one.",
    "quotes.disagree_max_pct": (
        "Nothing is bought where two sources of yesterday's close differ by more than this, in percent."
    ),
    "sizing.reserve_pct": "This part of the equity stays in cash, in percent.",
    "sizing.base_pct": "One purchase takes this part of the equity, in percent.",
    "sizing.max_pct": "No symbol takes a larger part of the equity than this, in percent.",
    "sizing.min_usd": "A smaller purchase than this is not made, in USD.",
    "sizing.least_pct": "A purchase smaller than this part of the intended size is not made, in percent.",
    "sizing.three_votes_bonus_pct": "So much larger is a purchase on which three strategies agree, in percent.",
    "sizing.four_votes_bonus_pct": "So much larger is a purchase on which four strategies agree, in percent.",
    "limits.order_usd_max": "One order is worth at most this, in USD.",
    "limits.order_shares_max": "One order has at most so many shares.",
    "limits.positions_max": "At most so many positions are held at once.",
    "limits.live_orders_max": "At most so many orders are open at once, stops and sales included.",
    "limits.entries_per_day": "At most so many purchases are made in a day.",
    "limits.daily_loss_pct": "From this loss of the day on nothing more is bought, in percent of the capital.",
    "limits.drawdown_pct": "From this loss of the day on trading is halted, in percent of the capital.",
    "limits.losses_in_a_row": "After so many losing trades in a row there is a pause.",
    "limits.cooldown_minutes": "That pause, in minutes.",
    "limits.symbol_cooldown_minutes": "After its sale a symbol is not bought again for so many minutes.",
    "exits.atr_factor": "A stop is set so many average moves (ATR, of five minutes) below the purchase.",
    "exits.stop_min_pct": "A stop is never nearer than this below the purchase, in percent.",
    "exits.stop_max_pct": "A stop is never further than this below the purchase, in percent.",
    "exits.stop_fallback_pct": "The stop's distance where the average move is not known, in percent.",
    "exits.target_factor": "It is sold at a gain of so many times the stop's distance.",
    "exits.breakeven_factor": "After a rise of so many stop distances the stop goes up to the purchase price.",
    "exits.trail_pct": "The stop then follows this far below the highest price, in percent.",
    "exits.stop_move_every_s": "A stop is moved at most once in so many seconds.",
    "exits.stop_move_min_pct": "A stop is moved only by at least this much, in percent.",
    "exits.rsi_min": "A position at a loss is sold when its RSI falls below this (0 to 100).",
    "exits.hold_max_minutes": "A position is sold after so many minutes.",
    "exits.sell_cushion_bps": "A sell order's limit stands this far below the bid, in hundredths of a percent.",
    "exits.reprice_s": "A sell order that is not filled gets a new price after so many seconds.",
    "exits.flatten_minutes": "So many minutes before the close everything is sold.",
    "exits.market_minutes": "So many minutes before the close what is left is sold at any price.",
    "account.day_trade_rule": (
        "Your account's day-trade rule: legacy_pdt (at most 3 day trades in 5 sessions below 25,000 USD), "
        "intraday_margin, or off."
    ),
}


def sentence(name: str) -> str:
    """Say what a setting means; of a strategy of the owner's own, where that stands."""
    if name in _SAID:
        return _SAID[name]
    group, _, rest = name.partition(".")
    if group == "strategies":
        return f"A parameter of the strategy {rest.partition('.')[0]}; its file says what it means."
    raise KeyError(name)
