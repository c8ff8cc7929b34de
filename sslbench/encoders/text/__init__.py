"""Encoders of texts, and the decoder that mirrors them."""
