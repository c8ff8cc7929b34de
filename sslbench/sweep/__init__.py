"""Many cells: a suite becomes a plan, a plan two studies, studies are worked off by a crew of workers."""
