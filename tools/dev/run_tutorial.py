"""Run the tutorial and keep its outputs in docs/tutorial.ipynb: `make tutorial`.

The file is written only if every cell ran; tests/test_tutorial.py looks for what would name this
machine. Needs requirements/docs.txt.
"""

import argparse
import copy
from collections.abc import Sequence

# Of requirements/docs.txt, which is not installed where types are checked.
import nbformat  # pyright: ignore[reportMissingImports]
from nbclient import NotebookClient  # pyright: ignore[reportMissingImports]
from nbclient.exceptions import CellExecutionError  # pyright: ignore[reportMissingImports]
from rich.console import Console
from rich.progress import Progress

from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.paths import ROOT
from dyrelu_pose.records.files import write_text

TUTORIAL = ROOT / "docs/tutorial.ipynb"
PARAMETERS = "parameters"  # tag of the cell that sets what may be changed


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(": `")[0])
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the notebook as it is and write it back."""
    parse_args(argv)
    write_text(TUTORIAL, nbformat.writes(run({})) + "\n")


def run(parameters: dict[str, object]) -> nbformat.NotebookNode:
    """Return the notebook with the outputs of a run.

    Args:
        parameters: Values of the parameter cell in place of its own.

    Raises:
        UserError: A cell failed.
    """
    notebook = nbformat.read(TUTORIAL, as_version=4)
    metadata = copy.deepcopy(notebook.metadata)
    for cell in notebook.cells:
        if PARAMETERS in cell.metadata.get("tags", ()):
            cell.source += "".join(f"\n{name} = {value!r}" for name, value in parameters.items())
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("cells", total=len(notebook.cells))
        client = NotebookClient(
            notebook,
            timeout=None,
            record_timing=False,
            resources={"metadata": {"path": str(TUTORIAL.parent)}},
            on_cell_complete=lambda cell, cell_index: progress.update(bar, completed=cell_index),
        )
        try:
            client.execute()
        except CellExecutionError as error:
            raise UserError(f"{TUTORIAL.name}: {error.ename}: {error.evalue}") from error
    notebook.metadata = metadata  # without the versions of this run
    return notebook


if __name__ == "__main__":
    with user_errors():
        main()
