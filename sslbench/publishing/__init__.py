"""`results/` written from runs and checked by running published rows again."""
