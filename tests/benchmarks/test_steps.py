"""benchmarks/steps.py: what a training step of each cell of a grid costs."""

import steps

from dyrelu_pose.paths import CONFIGS
from dyrelu_pose.records.files import read_csv


def test_writes_a_row_per_cell(tmp_path):
    out = tmp_path / "steps.csv"
    grid = CONFIGS / "ablations/study_resnet18.py"
    steps.main([str(grid), "--cells", "C", "--repeats", "1", "--out", str(out)])
    relu, ours = read_csv(out)
    assert (relu["grid"], relu["cell"], ours["cell"]) == ("study_resnet18", "ReLU", "C")
    assert (ours["batch"], ours["input"]) == ("128", "96x64")
    assert float(relu["times_baseline"]) == 1
    assert float(ours["median_ms"]) > 0
    assert int(ours["parameters"]) > int(relu["parameters"])


def test_fuses_the_norms_of_dyrelu_on_request(tmp_path):
    out = tmp_path / "steps.csv"
    grid = CONFIGS / "ablations/study_resnet18.py"
    options = ["--cells", "C", "--fuse-norm", "--repeats", "1", "--out", str(out)]
    steps.main([str(grid), *options])
    assert [row["cell"] for row in read_csv(out)] == ["ReLU", "C, fuse_norm"]
