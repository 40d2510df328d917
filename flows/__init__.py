"""Order and fan-out only: Prefect flows, one a file, over thin tasks that call services."""
