"""Made-up applications: the file that the demonstration imports, and as many more as a measurement needs."""
