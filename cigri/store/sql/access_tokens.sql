-- name: insert
INSERT INTO access_token (user, name, scopes, digest, prefix, created_at, expires_at)
VALUES (:user, :name, :scopes, :digest, :prefix, :at, :expires_at) RETURNING *;

-- name: by_digest
SELECT * FROM access_token WHERE digest = :digest;

-- name: get
SELECT * FROM access_token WHERE id = :token;

-- name: of_user
SELECT * FROM access_token WHERE user = :user ORDER BY id;

-- name: every
SELECT * FROM access_token ORDER BY id;

-- name: count_valid
SELECT count(*) AS count FROM access_token
WHERE user = :user AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :at);

-- name: revoke
UPDATE access_token SET revoked_at = :at WHERE id = :token AND revoked_at IS NULL;

-- name: note_use
UPDATE access_token SET used_at = :at WHERE id = :token AND (used_at IS NULL OR used_at < :at);

-- name: forget
DELETE FROM access_token WHERE user = :user AND (revoked_at < :before OR expires_at < :before);
