-- name: insert_parameters
INSERT INTO parameter_chunk (campaign_id, chunk, encoding, data, crc) VALUES (?, ?, ?, ?, ?);

-- name: parameters_of
SELECT chunk, encoding, data, crc FROM parameter_chunk
WHERE campaign_id = :campaign AND chunk IN (SELECT value FROM json_each(:chunks));

-- name: damaged
-- crc32 is a function of ours; the chunks never leave SQLite's thread.
SELECT DISTINCT campaign_id FROM parameter_chunk
WHERE campaign_id IN (SELECT id FROM campaign WHERE state IN ('in_treatment', 'paused'))
  AND crc32(data) <> crc;

-- name: records
SELECT chunk, data FROM task_chunk
WHERE campaign_id = :campaign AND chunk IN (SELECT value FROM json_each(:chunks));

-- name: put_records
INSERT INTO task_chunk (campaign_id, chunk, data, succeeded, failed) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (campaign_id, chunk) DO UPDATE SET
  data = excluded.data, succeeded = excluded.succeeded, failed = excluded.failed;

-- name: tallies
SELECT chunk, succeeded, failed FROM task_chunk
WHERE campaign_id = :campaign AND chunk >= :first ORDER BY chunk;

-- name: waiting_again
SELECT id, first_task, count FROM again
WHERE campaign_id = :campaign AND at_the_end = :at_the_end ORDER BY id LIMIT :limit;

-- name: put_again
INSERT INTO again (campaign_id, at_the_end, first_task, count) VALUES (?, ?, ?, ?);

-- name: shorten_again
UPDATE again SET first_task = :first_task, count = :count WHERE id = :id;

-- name: delete_again
DELETE FROM again WHERE id IN (SELECT value FROM json_each(:ids));

-- name: forget_again
DELETE FROM again WHERE campaign_id = :campaign;

-- name: count_again
SELECT coalesce(sum(count), 0) AS count FROM again WHERE campaign_id = :campaign;
