"""Hooks of MkDocs: a notebook of docs/ is a page, with the outputs that it was kept with.

Nothing runs. `x.ipynb` becomes `x.md` with its pictures in `x_files/`; the notebook itself is in
the site too, for readers to take.
"""

import re
from pathlib import PurePosixPath

# Of requirements/docs.txt, which is not installed where types are checked.
from mkdocs.structure.files import File  # pyright: ignore[reportMissingImports]
from nbconvert import MarkdownExporter  # pyright: ignore[reportMissingImports]

LINK = re.compile(r"\]\(([\w/.-]+)\.ipynb(#[\w-]+)?\)")


def on_files(files, config):
    """Add a page, and the pictures in it, for each notebook."""
    for file in [file for file in files if file.src_uri.endswith(".ipynb")]:
        page = PurePosixPath(file.src_uri).with_suffix("")
        names = dict(unique_key="output", output_files_dir=f"{page.name}_files")
        text, resources = MarkdownExporter().from_filename(file.abs_src_path, resources=names)
        files.append(File.generated(config, f"{page}.md", content=text))
        for name, content in resources["outputs"].items():
            files.append(File.generated(config, str(page.parent / name), content=content))
    return files


def on_page_markdown(markdown, page, config, files):
    """Lead links to notebooks to their pages."""
    return LINK.sub(r"](\1.md\2)", markdown)
