"""One cell computed, nothing stored: pretraining, evaluation on a label budget, measures, pictures."""
