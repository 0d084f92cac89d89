-- For the image `postgres`, which runs it once, on an empty volume: the role of DATABASE_URL owns its database and nothing else.
-- The superuser has no password, so it is let in within the container alone.
\getenv password POSTGRES_PASSWORD
CREATE ROLE textdesk LOGIN PASSWORD :'password';
CREATE DATABASE textdesk OWNER textdesk;
ALTER ROLE postgres PASSWORD NULL;
