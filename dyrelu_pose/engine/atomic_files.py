"""MMEngine's files are whole or not there, whenever the process is killed or the disk fills up."""

from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from dyrelu_pose.records.files import write_bytes


class AtomicLocalBackend(LocalBackend):
    """MMEngine's backend for local files, except that writing replaces a file as a whole.

    A checkpoint is the former or the new one, never a part. It takes the name of MMEngine's in the
    registry.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes to a file, whose folder is made if need be.

        Raises:
            DiskFullError: There is no space, or no quota, left.
        """
        write_bytes(Path(filepath), obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = "utf-8") -> None:
        """Write text to a file, as `put` does."""
        self.put(obj.encode(encoding), filepath)


register_backend("local", AtomicLocalBackend, force=True, prefixes="")
