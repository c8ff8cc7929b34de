"""Figures as files, and how rows look in every figure, the page's included."""

from sslbench.report.figures.curves import curves_png

__all__ = ["curves_png"]
