"""A simulated year of the joint meeting: failures, slow departments and holidays, from the case to the resolution."""
