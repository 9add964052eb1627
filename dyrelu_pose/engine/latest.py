"""The checkpoint to resume from."""

from pathlib import Path

from mmengine.runner import CheckpointLoader

from dyrelu_pose.compat.checkpoints import CheckpointError


def latest_checkpoint(work_dir: str | Path) -> str | None:
    """Return the newest whole checkpoint of a training, or None if there is none.

    The one that `last_checkpoint` names comes first, by its name in this folder, which may have
    been moved, or else where it says (`out_dir` of `CheckpointHook`); then all others here that
    hold an optimizer, the newest first. What cannot be loaded is passed over with a line on the
    screen.
    """
    folder = Path(work_dir)
    named = folder / "last_checkpoint"
    candidates = []
    if named.exists():
        text = named.read_text(encoding="locale", errors="replace")  # as MMEngine writes it
        candidates = [folder / Path(text).name, Path(text)]
    newest = sorted(folder.glob("*.pth"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in dict.fromkeys([*candidates, *newest]):
        if path.is_file() and _resumable(path):
            return str(path)
    return None


def _resumable(path: Path) -> bool:
    try:
        checkpoint = CheckpointLoader.load_checkpoint(str(path), map_location="cpu")
    except CheckpointError as error:
        print(f"passed over: {error}")
        return False
    return "optimizer" in checkpoint
