-- name: find
SELECT request, status, headers, body FROM idempotency_key
WHERE user = :user AND key = :key AND at > :since AND status IS NOT NULL;

-- name: put
-- One that is there has had its time: `find` did not see it.
INSERT OR REPLACE INTO idempotency_key (user, key, request, at, status, headers, body)
VALUES (:user, :key, :request, :at, :status, :headers, :body);

-- name: forget
DELETE FROM idempotency_key WHERE at <= :since;
