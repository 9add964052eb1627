"""What the inputs of a model are read for."""

import pytest
from mmengine.config import Config

from tests.scripts import DEMO


@pytest.fixture(scope="session")
def cfg():
    return Config.fromfile(DEMO)
