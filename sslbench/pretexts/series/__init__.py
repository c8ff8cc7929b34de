"""Pretexts that only make sense for time series and sound: segments removed, predicted, put in order."""
