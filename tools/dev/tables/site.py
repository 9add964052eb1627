"""Hooks of MkDocs: links out of docs/, to the files that tables are made from, work in the pages.

A page links to `../results/x.csv`, as it must to be read in the repository. The site gets a copy of
each such file in `files/`, and the links lead there.
"""

import re
from pathlib import Path

# Of requirements/docs.txt, which is not installed where types are checked.
from mkdocs.structure.files import File  # pyright: ignore[reportMissingImports]

ROOT = Path(__file__).parents[3]
LINK = re.compile(r"\]\(\.\./((?:checkpoints|results|tools)/[\w/.+-]+\.(?:csv|json|md|png|py))\)")
FOLDER = "files"


def on_files(files, config):
    """Add the linked files to those of the site."""
    pages = [file.content_string for file in files.documentation_pages()]
    for name in sorted({name for page in pages for name in LINK.findall(page)}):
        files.append(File.generated(config, f"{FOLDER}/{name}", content=(ROOT / name).read_bytes()))
    return files


def on_page_markdown(markdown, page, config, files):
    """Lead the links there."""
    up = "../" * page.file.src_uri.count("/")
    return LINK.sub(rf"]({up}{FOLDER}/\1)", markdown)
