"""What is measured, each printing one JSON line; figures stand in docs/measurements.md."""
