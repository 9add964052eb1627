"""What the import changes in the process is what the package and docs/trust.md say, no more."""

import ast
import json
import re
import subprocess
import sys

import pytest

import dyrelu_pose
from dyrelu_pose.paths import ROOT

# Prints the changes by the names that the lists give them, and where each was seen.
OBSERVE = """
import contextlib, inspect, json, os, signal, sys, warnings
import mmcv, mmengine.runner, mmengine._strategy, torch
with contextlib.suppress(ImportError):
    import pkg_resources  # whose own changes are not ours
from mmengine.config import Config
from mmengine.fileio.backends import registry_utils
from mmengine.fileio.handlers import file_handlers
from mmengine.registry import DefaultScope, Registry
from mmengine.runner.checkpoint import CheckpointLoader

def ours(value):
    return (getattr(value, "__module__", None) or "").startswith("dyrelu_pose.")

def stands_in(value):
    return value.__module__.startswith("dyrelu_pose.compat.")

changes = []
register = Registry._register_module

def registering(self, module, module_name=None, force=False):
    names = [module_name] if isinstance(module_name, str) else module_name or [module.__name__]
    if sys.modules.get(self.scope) is None:  # by the names of a package that is not there
        changes.extend((f"{self.scope}.{name}", str(self.name)) for name in names)
    registry = self
    while registry is not None and ours(module):
        changes.extend((name, str(registry.name)) for name in names if name in registry.module_dict)
        registry = registry.parent
    register(self, module, module_name, force)

def watched(silence):
    def silencing(action, *arguments, **options):
        if sys._getframe(1).f_globals["__name__"].startswith("dyrelu_pose."):
            changes.append(("warnings.filters", options.get("message", str(arguments))))
        silence(action, *arguments, **options)
    return silencing

def state():
    return {
        "sys.meta_path": [type(finder) for finder in sys.meta_path if ours(type(finder))],
        "torch.serialization": torch.serialization.get_safe_globals(),
        "CheckpointLoader": list(CheckpointLoader._schemes.values()),
        "file_handlers": [(name, type(handler)) for name, handler in file_handlers.items()],
        "file backends": list(registry_utils.backends.values()),
        "prefixes of file backends": list(registry_utils.prefix_to_backends.values()),
        "os.environ": list(os.environ.items()),
        "sys.path": list(sys.path),
        "hooks of the interpreter": [sys.excepthook, sys.displayhook, sys.unraisablehook],
        "signals": [signal.getsignal(number) for number in signal.valid_signals()],
        "default scopes": list(DefaultScope._instance_dict),
        "torch's settings": [
            torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled(),
            torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision(),
        ],
    }

before, modules = state(), set(sys.modules)
Registry._register_module = registering
warnings.filterwarnings = watched(warnings.filterwarnings)
warnings.simplefilter = watched(warnings.simplefilter)
import dyrelu_pose
Registry._register_module = register

for name, was in before.items():
    now = state()[name]
    new = [item for item in now if item not in was]
    if new:
        changes.append((new[0].__name__ if "file backends" in name else name, str(new)))
for name, module in list(sys.modules.items()):
    is_stand_in = type(getattr(getattr(module, "__spec__", None), "loader", None)).__name__
    if module is None and name not in modules or is_stand_in == "StandInFinder":
        changes.append(("sys.modules", name))

# Whatever of ours an attribute of theirs holds, but for what stands in for something
for module in list(sys.modules.values()):
    home = getattr(module, "__name__", "").partition(".")[0]
    if home not in ("mmcv", "mmengine", "mmpose", "torch", "numpy", "cv2", "json", "pickle"):
        continue
    for name, value in list(vars(module).items()):
        if ours(value) and not stands_in(value):
            changes.append((name, module.__name__))
        elif inspect.isclass(value) and value.__module__ == module.__name__:
            for attribute, held in list(vars(value).items()):
                held = getattr(held, "__func__", held)
                if ours(held) and not stands_in(held):
                    changes.append((f"{name}.{attribute}", module.__name__))
print(json.dumps(changes))
"""


@pytest.fixture(scope="module")
def changes():
    """Return where each change was seen, by its name."""
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", OBSERVE], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seen = {}
    for name, where in json.loads(done.stdout.splitlines()[-1]):
        seen.setdefault(name, set()).add(where)
    return seen


def listed(text, start):
    """The names in the first words of each item of a list, up to a colon or the end of a cell."""
    heads = re.findall(rf"^{re.escape(start)}(`[^:|]+`)(?:: | \|)", text, re.MULTILINE)
    return {name for head in heads for name in re.findall("`(.+?)`", head)}


def test_docstring_lists_what_the_import_changes(changes):
    assert listed(dyrelu_pose.__doc__, "- ") == changes.keys(), changes


def test_page_lists_them_with_reasons(changes):
    assert listed((ROOT / "docs/trust.md").read_text(), "| ") == changes.keys()


def test_four_warnings_are_silent(changes):
    assert len(changes["warnings.filters"]) == 4


def test_every_scheme_of_checkpoints_is_guarded():
    from mmengine.runner.checkpoint import CheckpointLoader

    assert all(load.guarded for load in CheckpointLoader._schemes.values())


def test_what_is_registered_by_force_is_listed():
    """Also of modules that only a config imports."""
    names = listed(dyrelu_pose.__doc__, "- ")
    for path in (ROOT / "dyrelu_pose").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            decorators = [ast.unparse(item) for item in getattr(node, "decorator_list", ())]
            if any("force=" in decorator for decorator in decorators):
                assert node.name in names, path
