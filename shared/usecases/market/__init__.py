"""What is known of the market, as it is stored: daily bars, own minutes, ranks, prices from elsewhere."""
