"""What the site has beyond the pages that are written: the tutorial as it runs, the gallery, pages of other folders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbclient import NotebookClient
from nbconvert import MarkdownExporter

from sslbench.contract.spec import BASELINES
from sslbench.contract.titles import title_of
from sslbench.pretexts import PRETEXTS
from sslbench.report.attachments.exhibits import read_exhibits

ROOT = Path(__file__).parents[1]

#: Pages of the site that lie outside its folder, and what they show and link to.
ELSEWHERE = (
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "results/README.md",
    *(f"results/{page}" for page in ("*.html", "*/*.md", "*/*.html")),
)
PICTURES = ("results/*/*.png", "results/*/pictures/*.png")

#: Where pictures of the gallery are from, the first that has any of a pretext.
SHOWN = (
    "results/catalogue",
    "results/catalogue_vit",
    "results/catalogue_color",
    "results/text",
    "results/catalogue_text",
    "docs",
)

#: What all encoders leave, beside the pictures of their own task.
MAP, COMMON = "map", ("map", "neighbours")

ROOMS = {"": "For any input", "images": "Images", "series": "Time series and sound", "text": "Texts"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add to the pages of `docs/` those of other folders, and the tutorial as it ran."""
    for path in sorted(found for pattern in (*ELSEWHERE, *PICTURES) for found in ROOT.glob(pattern)):
        place = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, place, abs_src_path=str(path)))
    for place, content in tutorial().items():
        files.append(File.generated(config, place, content=content))
    return files


def tutorial() -> dict[str, str | bytes]:
    """The notebook run from top to bottom in a folder of its own, as a page and the pictures it drew."""
    notebook = nbformat.read(ROOT / "docs" / "tutorial.ipynb", as_version=4)
    with TemporaryDirectory() as place:
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": place}}).execute()
    for cell in notebook.cells:  # what a library warns of, and how a bar moves on a terminal, are no part of the page
        told = [
            one for one in cell.get("outputs", ()) if one.get("name") != "stderr" and "\x1b" not in str(one.get("text"))
        ]
        cell.update({"outputs": told} if "outputs" in cell else {})
    names = {"unique_key": "tutorial", "output_files_dir": "tutorial"}
    body, resources = MarkdownExporter().from_notebook_node(notebook, resources=names)
    return {"tutorial.md": body, **resources["outputs"]}


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put in what a mark asks for, and lead links to where pages are in the site."""
    place = page.file.src_uri
    if place == "gallery.md":
        return markdown.replace("<!-- gallery -->", "\n".join(gallery()))
    if place == "index.md":
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        markdown = re.sub("<!-- findings of .* -->", lambda mark: _between(readme, mark[0]), markdown)
    if "/" not in place:
        markdown = markdown.replace("](../", "](").replace("](docs/", "](").replace("(tutorial.ipynb)", "(tutorial.md)")
    return markdown.replace("](../docs/", "](../")


def _between(text: str, mark: str) -> str:
    return text.split(mark)[1].split("<!-- end -->")[0]


def gallery() -> Iterator[str]:
    """Lines of Markdown: a card for every task of our own that trains, those of one kind of input together."""
    ours = [name for name in PRETEXTS if name not in BASELINES and PRETEXTS.module(name).startswith("sslbench.")]
    drawn: dict[bytes, str] = {}
    for room, title in ROOMS.items():
        yield f"## {title}\n"
        for name in ours:
            if room == "".join(PRETEXTS.module(name).split(".")[2:-1]):
                yield from card(name, drawn)


def card(name: str, drawn: dict[bytes, str]) -> Iterator[str]:
    """Name, sentence and pictures of one task; a picture that is `drawn` above already is not shown again."""
    folder, exhibits = next(
        (folder, found)
        for folder in SHOWN
        if (found := [one for one in read_exhibits(ROOT / folder) if one.pretext == name])
    )
    first, title = exhibits[0], title_of(name)
    yield f"### {title[0].upper()}{title[1:]} {{ #{name} }}\n"
    yield f"`{name}` · {_linked(PRETEXTS.summary(name))}\n"
    shown = [one for one in exhibits if one.dataset == first.dataset and one.subject not in COMMON[1:]]
    for one in (one for one in shown if one.subject != MAP):
        if drawn.setdefault(one.png, title) != title:
            yield f"The {one.subject} are drawn as for {drawn[one.png]}.\n"
    pictures = [one for one in shown if one.subject == MAP or drawn[one.png] == title]
    place = f"{folder}/pictures".removeprefix("docs/")
    yield '<div class="exhibits" markdown>\n'
    for one in sorted(pictures, key=lambda one: one.subject == MAP):
        kind = MAP if one.subject == MAP else "own"
        yield f"![{one.subject} of {title}]({place}/{one.filename}){{ .{kind} loading=lazy }}"
    yield "\n</div>\n"
    told = f"{first.dataset}, `{first.encoder}`, {first.latent_dim} numbers, seed {first.seed}"
    source = "trained for this page" if folder == "docs" else f"from the table [{Path(folder).name}]({folder}/table.md)"
    yield f"<small>{told}; {source}</small>\n"


def _linked(sentence: str) -> str:
    return re.sub(r"arXiv:(\d{4}\.\d{5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", sentence)
