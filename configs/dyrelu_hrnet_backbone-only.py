# HRNet-W32 with MMPose's own head: released ReLU checkpoints load and give bit-identical heatmaps.
_base_ = "mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.py"
custom_imports = dict(imports=["dyrelu_pose"], allow_failed_imports=False)

model = dict(
    type="DyReLUPoseEstimator",
    estimator="TopdownPoseEstimator",
    dyrelu=[dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8))],
    backbone=dict(init_cfg=None),
)
optim_wrapper = dict(constructor="DyReLUOptimWrapperConstructor")

val_evaluator = dict(type="PycocoMetric")
test_evaluator = val_evaluator
