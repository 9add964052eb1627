"""Print what a bug report needs: `python tools/env.py`.

Versions, devices, the compiler that torch.compile finds, the backend that `'auto'` takes here, and
what stands in for which package. No path and no name of a user or a machine is printed.
"""

import argparse
from collections.abc import Sequence

from dyrelu_pose.environment import describe
from dyrelu_pose.errors import user_errors


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(": `")[0])
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Print a line per fact."""
    parse_args(argv)
    facts = describe()
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name.ljust(width)}  {value}")


if __name__ == "__main__":
    with user_errors():
        main()
