"""What lets MMPose and MMPretrain import and load where packages that they ask for are absent.

Nothing is imported here: `checkpoints` imports MMEngine, which has to wait for the stand-ins of
`compat.mmpose`.
"""
