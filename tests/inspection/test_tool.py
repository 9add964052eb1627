"""The tool from the command line to the page."""

import shutil

import pytest

from dyrelu_pose.errors import user_errors
from tests.scripts import load

from .conftest import SPATIAL


@pytest.fixture(scope="module")
def run(cfg, tmp_path_factory):
    """A function that runs the tool on the config with other arguments."""
    config = tmp_path_factory.mktemp("config") / "config.py"
    cfg.dump(config)
    tool = load("tools/visualize_dyrelu.py")

    def main(*arguments):
        with user_errors():
            tool.main([str(config), *map(str, arguments)])

    return main


def test_page_is_written_where_it_says(run, checkpoint, pictures, tmp_path, capsys):
    run(checkpoint, pictures, "--sites", SPATIAL, "--out", tmp_path / "new" / "page")
    page = tmp_path / "new" / "page" / "index.html"
    assert capsys.readouterr().out.strip().splitlines()[-1] == str(page)
    assert SPATIAL in page.read_text()
    assert f"{checkpoint}, 5 images" in page.read_text()


def test_refusals(run, checkpoint, pictures, tmp_path):
    with pytest.raises(SystemExit, match="checkpoint absent.pth does not exist"):
        run("absent.pth", pictures)
    with pytest.raises(SystemExit, match="--sites: 'neck.*' matches none"):
        run(checkpoint, pictures, "--sites", "neck.*")
    with pytest.raises(SystemExit, match=r"does not fit .*fc1.*and \d+ more; take the config"):
        run(checkpoint, pictures, "--cfg-options", "model.dyrelu=[]")
    with pytest.raises(SystemExit, match="does not fit .*size mismatch for "):
        run(checkpoint, pictures, "--cfg-options", "model.dyrelu.2.act.reduction=2")
    with pytest.raises(SystemExit, match="device cuda:99 cannot be used: "):
        run(checkpoint, pictures, "--device", "cuda:99")
    with pytest.raises(SystemExit, match="1 image is not enough: what depends on the image"):
        run(checkpoint, pictures / "0.png")


def test_names_are_no_formulas(run, checkpoint, pictures, tmp_path):
    shutil.copytree(pictures, tmp_path / "in")
    (tmp_path / "in/1.png").rename(tmp_path / r"in/cost_$5_\frac$10.png")
    run(checkpoint, tmp_path / "in", "--sites", SPATIAL, "--out", tmp_path / "page")
    assert (tmp_path / "page/index.html").is_file()
