"""Pretexts that only make sense for images: turns, tiles, colours, noise, masked patches."""
