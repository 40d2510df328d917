-- The two databases of an installation: ours, and Prefect's. The first is made by the image of PostgreSQL itself.
CREATE DATABASE prefect;
