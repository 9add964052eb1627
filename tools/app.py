"""Try a model in the browser: `python tools/app.py`.

Serves a page on this machine. For a picture that is dropped there or taken, it shows skeletons,
with a slider for the lowest score that is drawn, the figures of an activation site, and the
keypoints as JSON. Without --config and --checkpoint the model in checkpoints/ is used; --twin adds
a second one, usually its ReLU twin, and a switch. --detector finds several people in a picture
(docs/deploy.md says where to get such files); without it a picture is treated as one person.

Only this machine can reach the page unless --host says otherwise. It makes no outside requests, and
keeps no picture after it ends. Needs Gradio: pip install "gradio>=6.31,<7"
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from dyrelu_pose.app.serve import check_gradio, serve
from dyrelu_pose.config.arguments import at_least_one, share
from dyrelu_pose.errors import user_errors
from dyrelu_pose.paths import SHIPPED_CHECKPOINT, SHIPPED_CONFIG

MAX_PORT = 65535
BOX_SCORE = 0.3


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", help="config of a top-down model (that of checkpoints/)")
    parser.add_argument("--checkpoint", help="its weights (those in checkpoints/)")
    parser.add_argument(
        "--twin", nargs=2, metavar=("CONFIG", "CHECKPOINT"), help="a model to switch to"
    )
    parser.add_argument("--device", help="cpu, cuda:0, ... (a GPU if there is one)")
    parser.add_argument("--detector", type=Path, metavar="FILE", help="ONNX file that finds people")
    parser.add_argument("--bbox-thr", type=share, help=f"lowest score of a detection ({BOX_SCORE})")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=at_least_one, help="port (the first free one from 7860)")
    parser.add_argument(
        "--max-upload", type=at_least_one, default=20, metavar="MB",
        help="size of the largest picture file (%(default)s)",
    )  # fmt: skip
    args = parser.parse_args(argv)
    if (args.config is None) != (args.checkpoint is None):
        parser.error("--config and --checkpoint go together")
    if args.port and args.port > MAX_PORT:
        parser.error(f"--port: there is none above {MAX_PORT}")
    if args.bbox_thr is not None and args.detector is None:
        parser.error("--bbox-thr is for the people that --detector finds")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Load the models and serve the page until it is stopped."""
    args = parse_args(argv)
    check_gradio()
    with Console(stderr=True).status("loading"):
        from dyrelu_pose.app.models import PageModel
        from dyrelu_pose.detection import PersonDetector

        score = BOX_SCORE if args.bbox_thr is None else args.bbox_thr
        detector = PersonDetector(args.detector, score) if args.detector else None
        named = args.config or SHIPPED_CONFIG, args.checkpoint or SHIPPED_CHECKPOINT
        models = [
            PageModel(config, checkpoint, args.device, detector)
            for config, checkpoint in (named, *([args.twin] if args.twin else []))
        ]
    serve(models, args.host, args.port, args.max_upload)


if __name__ == "__main__":
    with user_errors():
        main()
