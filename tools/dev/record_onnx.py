"""Export the published model, evaluate the files and keep their AP on COCO-mini.

    DYRELU_DATA=/path/to/data python tools/dev/record_onnx.py

tools/export_onnx.py writes a file of float32 and two in int8, tools/test.py evaluates each in ONNX
Runtime and in OpenVINO, and results/coco_mini/onnx.csv gets a row for every pair.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.progress import track

from dyrelu_pose.engine.metrics import read_metrics
from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.export.runtimes import RUNTIMES
from dyrelu_pose.paths import ROOT, SHIPPED_CHECKPOINT, SHIPPED_CONFIG
from dyrelu_pose.records.files import write_csv
from dyrelu_pose.records.origin import origin

OUT = Path("results/coco_mini/onnx.csv")
FILES = {"float32": (), "int8 hyper": ("--int8-hyper",), "int8": ("--int8",)}
SHOWN = ("AP", "AP .5", "AP .75", "AR")


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=OUT, help="CSV file (%(default)s)")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Export and evaluate all files, and write the rows."""
    args = parse_args(argv)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, flags in track(FILES.items(), "exporting and evaluating"):
            exported, out = Path(folder, f"{name}.onnx"), Path(folder, "metrics.json")
            run("export_onnx.py", SHIPPED_CONFIG, SHIPPED_CHECKPOINT, exported, *flags)
            for runtime in RUNTIMES:
                test = [SHIPPED_CONFIG, exported, "--runtime", runtime]
                run("test.py", *test, "--work-dir", folder, "--out", out)
                metrics = read_metrics(out)
                values = {key: round(metrics[f"coco/{key}"], 4) for key in SHOWN}
                rows.append(dict(file=name, runtime=runtime, **values))
    source = origin("onnx", "onnxruntime", "onnxscript", "openvino")
    write_csv(args.out, [row | source for row in rows])
    print(args.out)


def run(tool: str, *arguments: str | Path) -> None:
    """Run a tool in a process of its own.

    Raises:
        UserError: It fails.
    """
    command = [sys.executable, f"tools/{tool}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"tools/{tool} failed:\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    with user_errors():
        main()
