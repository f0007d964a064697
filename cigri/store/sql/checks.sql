-- What `cigri doctor` asks: all rows, whatever the campaigns' states.

-- name: ids
-- The campaigns that are all there, some at a time.
SELECT id FROM campaign WHERE id > :after AND state <> 'loading' ORDER BY id LIMIT :limit;

-- name: newest
-- When anything was last submitted.
SELECT max(submitted_at) AS at FROM campaign;

-- name: broken_references
-- Rows that name others that are not there.
SELECT "table" AS name, count(*) AS count FROM pragma_foreign_key_check GROUP BY "table";
