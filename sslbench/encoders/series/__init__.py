"""Encoders of time series and sound, and the decoder that mirrors them."""
