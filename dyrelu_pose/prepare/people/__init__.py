"""Pictures of articulated figures with exact COCO keypoints, to train on without any download.

`skeleton` poses a body, `figure` draws it, `scene` puts several into a room or a street and decides
what is visible, `write` writes the data set. Everything random comes from one generator per image.
"""
