"""Applications at the door: ID numbers, files of applications, the application itself and its registering."""
