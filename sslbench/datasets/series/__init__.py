"""Time series and sound: archives of published sets, recordings, and files of one's own."""
