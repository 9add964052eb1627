"""Makes data sets: crops of a config's persons, and drawn people."""
