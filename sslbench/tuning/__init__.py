"""The same number of trials for every pretext and for `supervised`, judged inside one label budget.

A `request` is checked and becomes arms; a `session` gives each arm its `study`, whose trials train the arm in stretches
that a rule of `criteria` judges.
"""
