"""Plug-ins for sslbench: a pretext, a dataset, an encoder, a protocol, and a suite that uses them."""
