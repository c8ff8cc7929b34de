"""Pretexts that only make sense for texts: words hidden, words to come, sentences in order, texts restored."""
