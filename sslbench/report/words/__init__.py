"""How anything is said, the same for every writer: `numbers` writes figures, `wording` names rows and tables, `reading`
explains what is shown and how it was tested, `findings` and `lessons` are the sentences a person reads first.

How tests and their corrections are worded stands in `reading` alone; what a chapter of the page says is beside it.
"""
