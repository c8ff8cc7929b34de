"""Records laid out once, for every statistic and every writer, and what speaks against their numbers."""
