"""The nouns every room shares: cells, suites, records, identity, registry, settings, files. Imports nothing of ours."""
