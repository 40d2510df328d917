"""Running the whole system on one machine: its programs, its first preparation, and Prefect from outside."""
