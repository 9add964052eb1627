"""Start-up time of a data set with as many persons as COCO's, and its memory in loader workers.

    python benchmarks/index.py --out results/reliability/scale.json    # some minutes
    python benchmarks/index.py --quick

Every measurement has a process of its own. The workers read the whole annotation, or load pictures
as the config does; what each has for itself is set beside the same with few persons: the difference
must be nothing, or the file says that it is not and the exit status is 1. That a copy would be seen
is shown by the same data set with `serialize_data=False`.
"""

import argparse
import contextlib
import io
import json
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import memory
import numpy as np
from annotations import write_annotations, write_pictures
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from rich.progress import track

from dyrelu_pose.config.arguments import at_least_one
from dyrelu_pose.config.load import load_config
from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.records.files import write_json
from dyrelu_pose.records.origin import origin

# isort: split
# mmpose imports only once dyrelu_pose has been
from mmpose.datasets import CocoDataset as MMPoseCocoDataset
from mmpose.registry import DATASETS

CONFIG = "configs/dyrelu_hrnet.py"
PERSONS, IMAGES = 150_000, 60_000
FEW = 1_000  # persons on as many images: what a worker has without an index worth mentioning
WORKERS = 4
BATCH = 16
BATCHES = 40  # with pictures
LIMIT = 10.0  # megabytes that a worker may have for itself more than with few persons


class Case(NamedTuple):
    """One loader.

    Attributes:
        persons: `"all"` or `"few"`.
        workers: Number of workers; with none the process itself loads.
        reads: `"index"`: every person, without pictures; `"pictures"`: some batches.
        serialize_data: As in MMEngine's data sets.
        start: How workers start, `"fork"` as in MMPose's configs, or `"spawn"`.
    """

    persons: str = "all"
    workers: int = WORKERS
    reads: str = "index"
    serialize_data: bool = True
    start: str = "fork"


BOUNDED = (Case(), Case(reads="pictures"))
CASES = (
    *BOUNDED,
    *(case._replace(persons="few") for case in BOUNDED),
    *(case._replace(workers=0) for case in BOUNDED),
    Case(serialize_data=False),
    Case(start="spawn"),
)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--repeats", type=at_least_one, default=3, help="start-ups of each (%(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="2,000 persons, one start-up")
    parser.add_argument("--out", type=Path, help="JSON file for what was found")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Measure, verify and write."""
    args = parse_args(argv)
    persons, images, repeats = (2000, 1500, 1) if args.quick else (PERSONS, IMAGES, args.repeats)
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, f"{name}.json") for name in ("all", "few")}
        write_annotations(files["all"], persons, images)
        write_annotations(files["few"], FEW, FEW)
        write_pictures(Path(folder))
        size = files["all"].stat().st_size / 1e6
        start_ups = start_in_turns(files["all"], repeats)
        loaders = [
            case._asdict() | apart(load, case, files[case.persons])
            for case in track(CASES, "loaders")
        ]
    more = {case.reads: more_than_few(loaders, case) for case in BOUNDED}
    lost = {reads: megabytes for reads, megabytes in more.items() if megabytes > LIMIT}
    record = dict(
        name="scale",
        tried=f"{WORKERS} loader workers on an index of {persons:,} persons, {images:,} images: "
        "memory that each has for itself after every person, and with pictures",
        times=WORKERS * len(BOUNDED),
        lost=f"workers have up to {max(lost.values()):.0f} MB each for themselves" if lost
        else "nothing",
        persons=persons,
        images=images,
        annotation_megabytes=round(size, 1),
        start_up=start_ups,
        workers_more_megabytes=more,
        workers_limit_megabytes=LIMIT,
        loaders=loaders,
        config=CONFIG,
        seed=0,
        **origin(),
    )  # fmt: skip
    print(json.dumps(record, indent=1))
    if args.out:
        write_json(args.out, record)
    if lost:
        raise UserError(record["lost"])


def apart(function: Callable, *args: object) -> dict:
    """Return what a function finds in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


# Start-up


def start_in_turns(annotations: Path, repeats: int) -> dict[str, dict]:
    """Return the medians of both data sets' start-ups, which take turns."""
    kinds = dict(MMPose=MMPoseCocoDataset, dyrelu_pose="CocoDataset")
    found = {name: [] for name in kinds}
    for _ in track(range(repeats), "start-ups"):
        for name, kind in kinds.items():
            found[name].append(apart(start, kind, annotations))
    return {
        name: {key: round(float(np.median([one[key] for one in all_of])), 1) for key in all_of[0]}
        for name, all_of in found.items()
    }


def start(kind: type | str, annotations: Path) -> dict[str, float]:
    """Build a data set; return seconds, of the clock and of the processor, and megabytes."""
    before = memory.resident()
    clock, processor = time.perf_counter(), time.process_time()
    dataset = build(annotations, "pictures", type=kind)
    return dict(
        seconds=time.perf_counter() - clock,
        processor_seconds=time.process_time() - processor,
        peak_megabytes=memory.peak() - before,
        kept_megabytes=memory.resident() - before,
        index_megabytes=(dataset.data_bytes.nbytes + dataset.data_address.nbytes) / 1e6,
    )


def build(annotations: Path, reads: str, **changes: object) -> MMPoseCocoDataset:
    """Build the config's training set on an annotation file beside its pictures."""
    cfg = load_config(CONFIG)
    init_default_scope("mmpose")
    dataset = cfg.train_dataloader.dataset.to_dict()
    if reads == "index":
        dataset["pipeline"] = [number_of]
    folder = f"{annotations.parent}/"
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        return DATASETS.build(
            dataset
            | dict(data_root=folder, data_prefix=dict(img=""), ann_file=annotations.name)
            | changes
        )


def number_of(person: dict) -> dict:
    """Return a sample that has nothing but its number."""
    return dict(number=person["sample_idx"])


# Workers


def load(case: Case, annotations: Path) -> dict[str, float]:
    """Load; return the private memory of the worker that has most, and the process's own."""
    dataset = build(annotations, case.reads, serialize_data=case.serialize_data)
    options = dict(
        batch_size=BATCH,
        num_workers=case.workers,
        sampler=dict(type="DefaultSampler", shuffle=True),
        dataset=dataset,
    )
    if case.workers:
        options.update(persistent_workers=True, multiprocessing_context=case.start)
    warnings.filterwarnings("ignore", "This DataLoader will create")  # slow, but it is not timed
    batches = iter(Runner.build_dataloader(options, seed=0))
    for _ in islice(batches, BATCHES if case.reads == "pictures" else None):
        pass
    workers = [worker.pid for worker in getattr(batches, "_workers", ())]
    found = dict(process_private=memory.private(), process_shared=memory.shared())
    if workers:
        found["worker_private"] = max(map(memory.private, workers))
        found["worker_shared"] = min(map(memory.shared, workers))
    return {f"{name}_megabytes": round(megabytes, 1) for name, megabytes in found.items()}


def more_than_few(loaders: list[dict], case: Case) -> float:
    """Return the megabytes that a worker has for itself more than with few persons."""
    of = {
        persons: next(
            found["worker_private_megabytes"]
            for found in loaders
            if case._replace(persons=persons)._asdict().items() <= found.items()
        )
        for persons in ("all", "few")
    }
    return round(of["all"] - of["few"], 1)


if __name__ == "__main__":
    with user_errors():
        main()
