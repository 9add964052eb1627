"""Pictures of a run: its learning curve, and predicted beside true skeletons."""
