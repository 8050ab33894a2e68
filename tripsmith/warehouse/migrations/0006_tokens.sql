-- Who may use a server that other machines reach. A token is shown once, when it is made; only its SHA-256 is kept.
CREATE TABLE ops.token (
    name       text PRIMARY KEY,
    role       text NOT NULL CHECK (role IN ('reader', 'ingester', 'admin')),
    sha256     bytea NOT NULL UNIQUE CHECK (length(sha256) = 32),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
