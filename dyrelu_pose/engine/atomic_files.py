"""Files that are whole or not there, whenever the process is killed or the disk fills up."""

import errno
import os
import shutil
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from dyrelu_pose.errors import UserError


class DiskFullError(UserError, OSError):
    """A file cannot be written for want of space; what was there before still is."""


@register_backend(name="local", prefixes="", force=True)
class AtomicLocalBackend(LocalBackend):
    """MMEngine's backend for local files, except that writing replaces a file as a whole.

    The new content goes to a file beside it, onto the disk, and then takes the name: a checkpoint
    is the former or the new one, never a part. It takes the name of MMEngine's in the registry.

    Raises:
        DiskFullError: There is no space, or no quota, left.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes to a file, whose folder is made if need be."""
        path = Path(filepath)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
        try:
            with unfinished.open("wb") as file:
                file.write(obj)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            free = shutil.disk_usage(path.parent).free
            raise DiskFullError(
                f"the disk is full: {path} needs {len(obj) / 1e6:.1f} MB, {free / 1e6:.1f} MB are "
                "free. Make room, then resume from the checkpoint before it"
            ) from error

    def put_text(self, obj: str, filepath: str | Path, encoding: str = "utf-8") -> None:
        """Write text to a file, whose folder is made if need be."""
        self.put(obj.encode(encoding), filepath)
