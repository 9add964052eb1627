"""The page shows every figure, and needs nothing but its folder."""

from html.parser import HTMLParser

import cv2
import pytest

from dyrelu_pose.inspection import write_report

from .conftest import KEPT, PLAIN, SPATIAL

EMPTY = {"meta", "img", "br", "link"}


class Page(HTMLParser):
    """Checks that tags are balanced; keeps the files that are named, and the text."""

    def __init__(self, path):
        super().__init__()
        self.open, self.files, self.ids, self.links, self.text = [], [], [], [], ""
        self.feed(path.read_text())
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag not in EMPTY:
            self.open.append(tag)
        if tag == "img":
            assert attributes["alt"]
        self.ids += [attributes["id"]] if "id" in attributes else []
        target = attributes.get("src") or attributes.get("href") or ""
        (self.links if target.startswith("#") else self.files).append(target)
        assert tag not in ("script", "link", "iframe")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def report(collected, folder, sites):
    records = [r for r in collected[0].values() if r.site.name in sites]
    path = write_report(folder, records, collected[1], "a <config>.py", "a.pth")
    return Page(path), {file for file in Page(path).files if file}


@pytest.fixture(scope="module")
def dynamic(collected, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    return *report(collected, folder, (KEPT, PLAIN, SPATIAL)), folder


def test_figures_and_table_are_beside_the_page(dynamic):
    page, files, folder = dynamic
    figures = {f"{KEPT}.band.png", f"{PLAIN}.band.png", f"{PLAIN}.functions.png", "slopes.png"}
    figures |= {f"{SPATIAL}.{kind}.png" for kind in ("band", "functions", "maps")}
    assert files == figures | {"coefficients.csv"}
    assert {path.name for path in folder.iterdir()} == files | {"index.html"}
    for name in figures:
        picture = cv2.imread(str(folder / name))
        assert picture.shape[1] == (1034 if "maps" in name else 1210), name  # five columns, a page
        assert picture.std() > 10, name


def test_every_site_has_a_section_and_every_dyrelu_a_row(dynamic):
    page, _, folder = dynamic
    assert page.ids == [KEPT, PLAIN, SPATIAL]
    assert page.links == [f"#{name}" for name in page.ids]
    html = (folder / "index.html").read_text()
    assert html.count("<tr>") == 1 + 2
    assert "a &lt;config&gt;.py" in html
    assert "http" not in html
    assert "@import" not in html
    assert "prefers-color-scheme: dark" in html


def test_page_of_a_model_without_dyrelu(collected, tmp_path):
    page, files = report(collected, tmp_path, (KEPT,))
    assert "This model has no DyReLU." in page.text
    assert files == {f"{KEPT}.band.png"}
