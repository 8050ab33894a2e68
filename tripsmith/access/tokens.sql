-- Access tokens, by name; the token itself is nowhere.

-- name: create_token
INSERT INTO ops.token (name, role, sha256) VALUES (%(name)s, %(role)s, %(sha256)s)
ON CONFLICT (name) DO NOTHING
RETURNING name, role, created_at

-- name: list_tokens
SELECT name, role, created_at FROM ops.token ORDER BY name

-- name: revoke_token
-- A token of before may have a name that differs from a newer one in composition only: the one named to the letter goes first.
DELETE FROM ops.token
WHERE name = (SELECT name FROM ops.token WHERE name IN (%(name)s, %(cleaned)s) ORDER BY name = %(name)s DESC LIMIT 1)
RETURNING name, role, created_at

-- name: list_roles
-- All of them at once: they are few, and a request is then checked without asking the database.
SELECT sha256, role FROM ops.token
