"""sslbench: how many labels does self-supervision save?"""

__version__ = "0.1.0"
