"""What the routes answer, as published in the OpenAPI document: read off the records of the services."""
