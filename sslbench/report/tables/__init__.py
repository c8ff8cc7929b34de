"""The tables as Markdown, LaTeX and on the terminal."""
