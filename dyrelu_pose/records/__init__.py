"""What was measured: where a number came from, and the files that keep it."""
