"""How the command-line tools end when something stops them."""

import pytest

from dyrelu_pose.errors import UserError, user_errors


def test_user_error_is_one_line_and_status_1():
    with pytest.raises(SystemExit) as stop, user_errors():
        raise UserError("config a.py does not exist")
    assert stop.value.code == "error: config a.py does not exist"


def test_user_error_of_a_data_loader_worker_loses_its_traceback():
    worker = (
        "Caught UserError in DataLoader worker process 0.\n"
        "Traceback (most recent call last):\n"
        "dyrelu_pose.errors.UserError: image a.jpg cannot be read"
    )
    with pytest.raises(SystemExit) as stop, user_errors():
        raise UserError(worker)
    assert stop.value.code == "error: image a.jpg cannot be read"


def test_ctrl_c_has_no_traceback_and_status_130(capsys):
    with pytest.raises(SystemExit) as stop, user_errors():
        raise KeyboardInterrupt
    assert stop.value.code == 130
    assert capsys.readouterr().err == "stopped\n"
