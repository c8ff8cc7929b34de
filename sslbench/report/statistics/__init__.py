"""One statistic a file, each a pure function of scores."""
