"""Figures as files, and how rows look in every figure, the page's included."""
