"""Many cells: a suite becomes a plan, a plan two studies, and a crew of workers works them off and tells the news."""
