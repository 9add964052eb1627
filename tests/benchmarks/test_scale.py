"""benchmarks/index.py and evaluation.py: workers share the index, and a copy would be seen."""

import json
import pickle

import evaluation
import index
import pytest
from annotations import write_annotations, write_pictures
from index import Case


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("scale") / "persons.json"
    write_annotations(path, 5000, 3000)
    write_pictures(path.parent)
    return path


def test_annotations_are_taken_as_they_are(file):
    dataset = index.build(file, "pictures")
    assert len(dataset) == 5000
    images = {dataset.get_data_info(number)["img_id"] for number in range(5000)}
    assert len(images) == 3000
    assert dataset[0]["inputs"].shape == (3, 256, 192)


def test_a_data_set_is_little_more_than_its_index(file):
    """Neither the file's content nor a list of persons stays in it."""
    dataset = index.build(file, "index")
    assert len(pickle.dumps(dataset)) < 1.05 * dataset.data_bytes.nbytes


@pytest.mark.skipif(not index.Path("/proc/self/smaps_rollup").exists(), reason="needs Linux")
def test_workers_share_the_index(file):
    """Reading all persons leaves a worker as small as it is, unless they are Python objects."""
    # In a process of its own: workers forked from this one would copy what other tests left.
    cases = (Case(workers=2, serialize_data=serialize_data) for serialize_data in (True, False))
    shared, copied = (
        index.apart(index.load, case, file)["worker_private_megabytes"] for case in cases
    )
    assert shared < 15
    assert copied > shared + 10  # or the line above could not fail


def test_a_copy_in_the_workers_is_an_error(monkeypatch, tmp_path):
    def found(function, case, file):
        if function is index.start:
            return dict(seconds=1.0)
        return dict(worker_private_megabytes=30.0 if file.stem == "all" else 19.0)

    monkeypatch.setattr(index, "apart", found)
    out = tmp_path / "scale.json"
    with pytest.raises(index.UserError, match="up to 11 MB each for themselves"):
        index.main(["--quick", "--out", str(out)])
    assert json.loads(out.read_text())["workers_more_megabytes"] == dict(index=11.0, pictures=11.0)


def test_evaluation_is_timed_in_parts(tmp_path):
    out = tmp_path / "evaluation.json"
    evaluation.main(["--quick", "--out", str(out)])
    record = json.loads(out.read_text())
    assert [case["detections"] for case in record["cases"]] == [60, 300]
    for case in record["cases"]:
        parts = case["processor_seconds"]
        assert list(parts)[-1] == "AP"
        assert parts["AP"] > 0
        assert sum(parts.values()) == pytest.approx(case["processor_seconds_in_all"], abs=0.03)
