"""The figures as files."""
