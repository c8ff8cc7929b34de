"""The same number of trials for every pretext and for `supervised`, judged inside one label budget."""
