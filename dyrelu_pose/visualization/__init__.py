"""Pictures: learning curves of runs, the sites of a network, predicted and true skeletons."""
