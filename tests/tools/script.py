"""Scripts of tools/ as modules."""

import importlib.util
from types import ModuleType

from dyrelu_pose.paths import TOOLS


def load_script(name: str) -> ModuleType:
    """Import a script by its path below tools/, such as `dev/soak.py`."""
    path = TOOLS / name
    spec = importlib.util.spec_from_file_location(f"tools_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
