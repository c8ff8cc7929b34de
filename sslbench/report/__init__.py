"""From records to what people read. Imports the contract only: a report needs neither torch nor MLflow.

A record goes one way through the rooms, and each imports those before it alone: `records` (the file) and `attachments`
(what lies beside it) are laid out once in `scores`; `statistics` are pure functions of that layout; `words` say them;
`tables` and `figures` draw them, `page` puts everything on one page, `comparison` puts two results side by side;
`build` and `readme` write files. Import from the room: this package itself hands on nothing, so that `words.numbers`
stays light enough for every command.
"""
