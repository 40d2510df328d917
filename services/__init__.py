"""What is decided and done. Imports neither fastapi nor prefect: doors and flows come to it."""
