"""Numbers and findings in words, the same for every writer."""
