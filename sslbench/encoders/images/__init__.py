"""Encoders of images, and the decoder that mirrors them."""
