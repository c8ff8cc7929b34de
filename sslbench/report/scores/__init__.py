"""Records laid out once for every statistic and every writer."""
