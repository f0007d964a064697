-- name: put
INSERT INTO cluster (name) VALUES (:name) ON CONFLICT (name) DO NOTHING;

-- name: all
SELECT * FROM cluster ORDER BY id;

-- name: hold
-- One that an administrator stopped stays so, whatever else is wrong with it.
UPDATE cluster SET failures = failures + 1, hold_since = coalesce(hold_since, :at),
  hold_until = iif(hold_reason IS NOT NULL AND hold_until IS NULL, NULL, :until),
  hold_reason = iif(hold_reason IS NOT NULL AND hold_until IS NULL, hold_reason, :reason)
WHERE id = :cluster;

-- name: stop
UPDATE cluster SET hold_reason = :reason, hold_since = :at, hold_until = NULL WHERE id = :cluster;

-- name: release
UPDATE cluster SET failures = 0, hold_reason = NULL, hold_since = NULL, hold_until = NULL
WHERE id = :cluster;

-- name: installation
SELECT id, epoch, inode FROM installation;

-- name: install
INSERT INTO installation (only_row, id, epoch, inode) VALUES (1, :id, 1, :inode);

-- name: adopt
UPDATE installation SET epoch = epoch + 1, inode = :inode;
