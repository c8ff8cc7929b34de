"""What an input is: from stored values to a batch, what a view may do to it, how it is drawn."""
