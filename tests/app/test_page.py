"""The page, served as its command does: asked by Gradio's client, and used in a browser."""

import asyncio
import json
import re
import signal
import time
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import Request, urlopen

import numpy as np
import pytest

pytest.importorskip("gradio", reason='the page needs Gradio: pip install "gradio>=6.31,<7"')

import gradio as gr
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from dyrelu_pose.app.models import PageModel
from dyrelu_pose.app.page import Page
from dyrelu_pose.inference import read_image
from dyrelu_pose.paths import SHIPPED_CHECKPOINT, SHIPPED_CONFIG
from tests.scripts import start

from .browser import Browser
from .conftest import TWIN

TWIN_NAME = "ReLU twin (resnet18)"


@pytest.fixture(scope="module")
def shipped():
    return PageModel(SHIPPED_CONFIG, SHIPPED_CHECKPOINT, "cpu")


@pytest.fixture(scope="module")
def page(relu_checkpoint, tmp_path_factory):
    """Its address. When it has ended, nothing is left of it and nothing went wrong unseen."""
    folder = tmp_path_factory.mktemp("tmp")
    twin = ("--twin", TWIN, relu_checkpoint)
    process = start(
        *("-m", "dyrelu_pose", "app", "--device", "cpu", "--max-upload", 1, *twin),
        TMPDIR=str(folder),
    )
    try:
        printed = ""
        while not (found := re.search(r"^(http://127\.0\.0\.1:\d+/) ", printed, re.MULTILINE)):
            line = process.stdout.readline()
            assert line, printed
            printed += line
        yield found[1]
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    # Gradio's own, of the file that was not uploaded.
    assert rest.count("Traceback") == rest.count("InvalidPathError: Cannot move"), rest
    assert not list(folder.glob("dyrelu_pose_*"))
    assert not list(folder.glob("gradio*"))


@pytest.fixture(scope="module")
def expected(shipped, drawn_person):
    return shipped.find(read_image(drawn_person), drawn_person.name)


def _assert_same(entries, expected):
    """Numbers are rounded to 1e-4, and another number of threads may round them the other way."""
    for entry, other in zip(entries, expected, strict=True):
        assert entry.keys() == other.keys()
        for key, value in other.items():
            if isinstance(value, str):
                assert entry[key] == value
            else:
                np.testing.assert_allclose(entry[key], value, atol=2e-4)


# By Gradio's client


@pytest.fixture
def client(page, tmp_path):
    client = Client(page, verbose=False, download_files=tmp_path)
    yield client
    client.close()


def test_answers_are_those_of_the_model(client, shipped, expected, drawn_person):
    picture = handle_file(str(drawn_person))
    drawn, text, results = client.predict(picture, shipped.name, 0.5, api_name="/find")
    assert text == expected.sentence(0.5)
    _assert_same(json.loads(Path(results["value"]).read_bytes()), expected.entries)
    height, width, _ = expected.picture.shape
    assert read_image(drawn).shape == (height, width, 3)
    assert np.abs(read_image(drawn)[..., ::-1].astype(int) - expected.draw(0.5)).mean() < 5

    drawn, text = client.predict(0.9, api_name="/draw")
    assert text == expected.sentence(0.9)


@pytest.mark.parametrize("name", ["damaged", "heavy"])
def test_what_cannot_be_read_is_a_sentence(name, client, shipped, request):
    path = request.getfixturevalue(name)
    message = dict(damaged="image half.jpg is truncated", heavy="(?i)size|large|413")[name]
    with pytest.raises(Exception, match=message):
        client.predict(handle_file(str(path)), shipped.name, 0.5, api_name="/find")


@pytest.mark.parametrize("meta", [{"meta": {"_type": "gradio.FileData"}}, {}])
def test_only_uploads_are_read(meta, page, shipped, drawn_person):
    """Not by Gradio's client, which hands files in."""
    file = dict(path=str(drawn_person), **meta)
    content = json.dumps(dict(data=[file, shipped.name, 0.5])).encode()
    address = f"{page}gradio_api/call/find"
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(address, content, headers), timeout=60) as answer:
        number = json.load(answer)["event_id"]
    with urlopen(f"{address}/{number}", timeout=60) as answer:
        events = answer.read().decode()
    assert "event: error" in events
    assert "keypoints" not in events


@pytest.mark.parametrize("address", ["http://example.org/a.png", "https://example.org/a.png"])
def test_no_address_is_fetched(address, shipped, monkeypatch):
    monkeypatch.setattr("gradio.processing_utils.async_ssrf_protected_download", None)
    part = Page([shipped]).upload
    with pytest.raises(gr.Error, match="as a file, not as an address"):
        asyncio.run(part.async_move_resource_to_block_cache(address))


def test_models_of_one_name_are_told_apart(shipped):
    page = Page([shipped, shipped])
    assert list(page.models) == [shipped.name, f"{shipped.name}, twin"]


def test_names_are_checked(client, drawn_person):
    with pytest.raises(AppError, match="&lt;b&gt; is not a model of this page"):
        client.predict(handle_file(str(drawn_person)), "<b>", 0.5, api_name="/find")


# In a browser


@pytest.fixture
def browser(page, tmp_path):
    with Browser(page, tmp_path) as browser:
        yield browser


def test_page_in_a_browser(browser, page, expected, drawn_person, damaged, heavy, tmp_path):
    browser.wait("#upload input[type=file]")
    assert "the picture is taken for one person" in browser.text("body")

    browser.send("#upload input[type=file]", str(drawn_person))
    browser.wait_for_text("#said", expected.sentence(0.3))
    browser.click("#results:not([disabled])")
    file = tmp_path / "keypoints.json"
    browser.wait_until(file.exists)
    _assert_same(json.loads(file.read_bytes()), expected.entries)
    for part in ("#drawn img", "#figure0 img", "#figure1 img"):
        browser.wait(part)

    slider = "#score input[type=range]"
    before = browser.wait("#drawn img").get_attribute("src")
    browser.send(slider, browser.HOME)
    browser.wait_for_text("#said", expected.sentence(0))
    browser.send(slider, browser.END)
    browser.wait_for_text("#said", expected.sentence(1))
    assert browser.wait("#drawn img").get_attribute("src") != before

    browser.click(f"//*[@id='model']//label[contains(., '{TWIN_NAME}')]")
    browser.wait_for_text("#said", "The picture is taken for one person")
    browser.wait_until(lambda: not browser.all("#figure1 img"))  # no map without DyReLU-C
    assert ": ReLU6, " in browser.wait("#site input").get_attribute("value")

    for path, message in (
        (damaged, "image half.jpg is truncated; copy it again, or leave it out"),
        (heavy, "exceed the maximum allowed size of 1.0 Mb"),
    ):
        browser.click(
            "//*[@id='upload']//button[@aria-label='Clear' or @aria-label='Remove Image']"
        )
        browser.wait_for_text("#said", "")
        browser.send("#upload input[type=file]", str(path))
        browser.wait_until(lambda message=message: message in browser.messages())
        assert browser.text("#said") == ""
        assert not browser.all("#drawn img")
        assert "Traceback" not in browser.text("body")

    for width in (390, 1280):
        browser.resize(width, 844)
        time.sleep(0.2)
        assert browser.script("return document.documentElement.scrollWidth") <= width
    elsewhere = {url for url in browser.requests() if not url.startswith(("data:", "blob:"))}
    assert {urlparse(url).netloc for url in elsewhere} == {urlparse(page).netloc}
