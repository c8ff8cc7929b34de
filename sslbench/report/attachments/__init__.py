"""Files beside the records that a report shows too: gaps, pictures, what tuning cost."""
