# HRNet-W48 with one convolution block in the head, ReLU: the twin of dyrelu_hrnet-w48.py.
_base_ = "mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w48_8xb32-210e_coco-256x192.py"
custom_imports = dict(imports=["dyrelu_pose"], allow_failed_imports=False)

model = dict(
    backbone=dict(init_cfg=None),
    # MMPose's HRNet head is a bare 1x1 convolution; this block gives DyReLU-C a place to sit.
    head=dict(conv_out_channels=(48,), conv_kernel_sizes=(3,)),
)

optim_wrapper = dict(optimizer=dict(lr=1e-3))

val_evaluator = dict(type="PycocoMetric")
test_evaluator = val_evaluator
