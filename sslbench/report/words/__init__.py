"""How anything is said, the same for every writer: `numbers` writes figures, `wording` names rows and tables, `reading`
explains what is shown and how it was tested, `findings` and `lessons` are the sentences a person reads first.

To change how a statistic is worded, open this room and no other.
"""
