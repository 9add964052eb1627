"""Makes the modules of benchmarks/ importable as they are for its scripts."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
