"""A person detector finds the boxes that its file gives, by any convention and either runtime."""

import numpy as np
import pytest

from dyrelu_pose.detection import PersonDetector, network
from dyrelu_pose.errors import UserError
from tests.scripts import run

pytest.importorskip("onnx", reason="pip install onnx: writes the detectors of these tests")

from . import files

# Stride, column and row of a cell, score, left, top, right, bottom in the input of 64 x 96 pixels.
PEOPLE = [
    (8, 1, 2, 0.9, 4.0, 8.0, 20.0, 60.0),
    (16, 3, 3, 0.6, 40.0, 20.0, 60.0, 90.0),
    (32, 0, 1, 0.2, 0.0, 30.0, 30.0, 70.0),
]
KINDS = {
    "yolox": files.yolox,
    "yolox, decoded": lambda path, people: files.yolox(path, people, decoded=True),
    "nanodet": files.nanodet,
    "nanodet, joined": lambda path, people: files.nanodet(path, people, joined=True),
    "nanodet, wide": lambda path, people: files.nanodet(path, people, reg_max=10),
    "plus": lambda path, people: files.nanodet(path, people, plus=True),
    "plus, joined": lambda path, people: files.nanodet(path, people, plus=True, joined=True),
}


@pytest.fixture(params=["onnxruntime", "opencv"])
def runtime(request, monkeypatch):
    if request.param == "opencv":
        monkeypatch.setattr(network, "find_spec", lambda name: None)
    else:
        pytest.importorskip("onnxruntime", reason="pip install onnxruntime")
    return request.param


def expected(scale=1.0):
    return [
        [*(edge * scale for edge in person[4:]), person[3]] for person in PEOPLE if person[3] >= 0.3
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_are_those_of_the_file(kind, runtime, tmp_path):
    detector = PersonDetector(KINDS[kind](tmp_path / "d.onnx", PEOPLE))
    kinds = dict(opencv=network.OpenCVNetwork, onnxruntime=network.OnnxRuntimeNetwork)
    assert isinstance(detector.network, kinds[runtime])
    found = detector(np.zeros((96, 64, 3), np.uint8))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected(), atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_are_in_pixels_of_the_picture(kind, tmp_path):
    detector = PersonDetector(KINDS[kind](tmp_path / "d.onnx", PEOPLE))
    # As high as the input at half the scale, and so 100 of its 128 columns are there.
    found = detector(np.zeros((192, 100, 3), np.uint8))
    wanted = np.array(expected(2.0))
    if kind.startswith("plus"):
        wanted[:, [0, 2]] *= 100 / 128  # stretched
    wanted[:, [0, 2]] = wanted[:, [0, 2]].clip(0, 100)
    np.testing.assert_allclose(found, wanted, atol=1e-2)


def test_a_box_beside_the_picture_is_left_out(tmp_path):
    detector = PersonDetector(files.yolox(tmp_path / "d.onnx", PEOPLE))
    found = detector(np.zeros((96, 30, 3), np.uint8))  # the second is from column 40 to 60
    np.testing.assert_allclose(found, expected()[:1], atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (3, 2, 3), (700, 1, 3)])
@pytest.mark.parametrize("make", [files.yolox, files.nanodet])
def test_tiny_pictures_have_boxes_inside(make, shape, tmp_path):
    detector = PersonDetector(make(tmp_path / "d.onnx", PEOPLE))
    found = detector(np.zeros(shape, np.uint8))
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2:4] <= shape[1::-1]).all()
    assert (found[:, 2:4] > found[:, :2]).all()


def test_score_nms_and_number_of_people_are_options(tmp_path):
    # The second overlaps the first by 15 of 17 columns: IoU 0.882.
    people = [
        (8, 0, 0, 0.5, 4.0, 8.0, 20.0, 60.0),
        (8, 1, 0, 0.9, 5.0, 8.0, 21.0, 60.0),
        (16, 3, 3, 0.7, 40.0, 20.0, 60.0, 90.0),
        (32, 0, 1, 0.1, 0.0, 70.0, 30.0, 90.0),
    ]
    path, picture = files.yolox(tmp_path / "d.onnx", people), np.zeros((96, 64, 3), np.uint8)

    def scores(**options):
        found = PersonDetector(path, **options)(picture)
        return [round(score, 3) for score in found[:, 4].tolist()]

    assert scores() == [0.9, 0.7]
    assert scores(nms=0.87) == [0.9, 0.7]
    assert scores(nms=0.89) == [0.9, 0.7, 0.5]
    assert scores(score=0.05) == [0.9, 0.7, 0.1]
    assert scores(score=0.8) == [0.9]
    assert scores(score=0.05, max_people=2) == [0.9, 0.7]
    assert scores(score=1.0) == []


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_no_box(kind, runtime, tmp_path):
    found = PersonDetector(KINDS[kind](tmp_path / "d.onnx", []))(np.zeros((9, 9, 3), np.uint8))
    assert found.shape == (0, 5)


# Preprocessing: the input itself.


def seen(make, picture, tmp_path, **options):
    detector = PersonDetector(make(tmp_path / "d.onnx", PEOPLE, **options))
    return detector.convention.prepare(picture)[0]


def test_yolox_sees_bytes_at_the_top_left_and_grey_beside(tmp_path):
    picture = np.full((48, 16, 3), (10, 20, 30), np.uint8)
    blob = seen(files.yolox, picture, tmp_path)
    assert blob.shape == (1, 3, 96, 64)
    assert blob.dtype == np.float32
    for channel, value in enumerate((10, 20, 30)):
        assert (blob[0, channel, :, :32] == value).all()
        assert (blob[0, channel, :, 32:] == 114).all()


def test_nanodet_sees_normalised_pixels_and_black_beside(tmp_path):
    picture = np.full((48, 16, 3), (10, 20, 30), np.uint8)
    blob = seen(files.nanodet, picture, tmp_path)
    for channel, (value, mean, std) in enumerate(
        ((10, 103.53, 57.375), (20, 116.28, 57.12), (30, 123.675, 58.395))
    ):
        np.testing.assert_allclose(blob[0, channel, :, :32], (value - mean) / std, rtol=1e-5)
        np.testing.assert_allclose(blob[0, channel, :, 32:], -mean / std, rtol=1e-5)


def test_nanodet_plus_sees_the_picture_stretched(tmp_path):
    picture = np.full((48, 16, 3), (10, 20, 30), np.uint8)
    blob = seen(files.nanodet, picture, tmp_path, plus=True)
    np.testing.assert_allclose(blob[0, 0], (10 - 103.53) / 57.375, rtol=1e-5)


# Refused


def boxes(*shape):
    return dict(output=np.zeros(shape))


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (boxes(1, 126, 84), r"returns output \(1, 126, 84\)"),
        (boxes(1, 125, 85), r"returns output \(1, 125, 85\)"),
        (boxes(1, 126, 111), r"\(1, 126, 111\)"),
        (boxes(126, 85), r"\(126, 85\)"),
        (
            dict(heatmaps=np.zeros((1, 17, 24, 16))),
            r"returns heatmaps \(1, 17, 24, 16\), but YOLOX",
        ),
        (dict(a=np.zeros((1, 96, 80)), b=np.zeros((1, 96, 32))), r"a \(1, 96, 80\), b \(1, 96, 32"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_its_shapes(outputs, message, runtime, tmp_path):
    path = files.write(tmp_path / "other.onnx", outputs)
    with pytest.raises(UserError, match=rf"other.onnx follows no known convention: .*{message}"):
        PersonDetector(path)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, "height", "width"), r"images \(1, 3, any, any\): it has to take one, float32"),
        ((1, 1, 96, 64), r"images \(1, 1, 96, 64\)"),
        ((4, 3, 96, 64), r"images \(4, 3, 96, 64\)"),
        ((3, 96, 64), r"images \(3, 96, 64\)"),
    ],
)
def test_a_file_of_other_inputs_is_refused(shape, message, tmp_path):
    path = files.write(tmp_path / "other.onnx", boxes(1, 126, 85), shape)
    with pytest.raises(UserError, match=message):
        PersonDetector(path)


def test_any_number_of_pictures_is_fine(runtime, tmp_path):
    values = np.zeros((1, 126, 85))
    path = files.write(tmp_path / "d.onnx", dict(output=values), ("batch", 3, 96, 64))
    assert len(PersonDetector(path)(np.zeros((9, 9, 3), np.uint8))) == 0


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_damaged_file_is_named(share, runtime, tmp_path):
    path = files.yolox(tmp_path / "cut.onnx", PEOPLE)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(UserError, match=r"cut\.onnx"):
        PersonDetector(path)


@pytest.mark.parametrize("content", [b"no network at all", b"\xff" * 40, b"{}", b"\x3a\x7f\x00"])
def test_a_file_of_something_else_is_named(content, runtime, tmp_path):
    path = tmp_path / "notes.onnx"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"detector .*notes.onnx is not an ONNX file, or damaged"):
        PersonDetector(path)


def test_a_folder_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(UserError, match="is a folder, and has to be an ONNX file"):
        PersonDetector(tmp_path)
    with pytest.raises(UserError, match="none.onnx does not exist"):
        PersonDetector(tmp_path / "none.onnx")


@pytest.mark.parametrize("option", [dict(score=1.5), dict(nms=-1), dict(score=float("nan"))])
def test_options_out_of_range_are_refused(option, tmp_path):
    with pytest.raises(UserError, match="from 0 to 1"):
        PersonDetector(tmp_path / "none.onnx", **option)
    with pytest.raises(UserError, match="at least 1"):
        PersonDetector(tmp_path / "none.onnx", max_people=0)


def test_the_package_imports_no_detector_and_no_runtime():
    code = """
import sys, dyrelu_pose
loaded = {"onnxruntime", "dyrelu_pose.detection"} & set(sys.modules)
assert not loaded, loaded
from dyrelu_pose.detection import PersonDetector
assert "onnxruntime" not in sys.modules
"""
    run("-c", code)
