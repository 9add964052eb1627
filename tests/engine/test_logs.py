"""What a log leaves out."""

from mmengine.logging import MMLogger
from mmpose.registry import MODELS


def test_a_backbone_of_mmdets_scope_is_mmposes_without_a_word(tmp_path):
    log = tmp_path / "run.log"
    logger = MMLogger.get_instance("scoped", log_file=str(log))
    backbone = MODELS.build(
        dict(_scope_="mmdet", type="CSPNeXt", deepen_factor=0.167, widen_factor=0.125)
    )
    assert type(backbone).__module__ == "mmpose.models.backbones.cspnext"
    assert log.read_text(encoding="utf-8") == ""
    logger.warning("mmdet is mentioned")
    assert "mmdet is mentioned" in log.read_text(encoding="utf-8")
