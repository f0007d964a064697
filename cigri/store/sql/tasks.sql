-- name: insert_parameters
INSERT INTO parameter_chunk (campaign_id, first_task, count, encoding, data, crc)
VALUES (?, ?, ?, ?, ?, ?);

-- name: parameters_of
-- The pieces that hold some of the ranges [first, last]; CROSS JOIN: range by range, not piece by piece.
SELECT first_task, count, encoding, data, crc FROM parameter_chunk
WHERE campaign_id = :campaign AND first_task IN (
  SELECT piece.first_task FROM json_each(:ranges) AS wanted CROSS JOIN parameter_chunk AS piece
    ON piece.campaign_id = :campaign
    AND piece.first_task <= json_extract(wanted.value, '$[1]')
    AND piece.first_task >= (
      SELECT max(first_task) FROM parameter_chunk
      WHERE campaign_id = :campaign AND first_task <= json_extract(wanted.value, '$[0]')))
ORDER BY first_task;

-- name: forget_invisible_of
DELETE FROM parameter_chunk
WHERE campaign_id = :campaign
  AND first_task >= (SELECT total FROM campaign WHERE id = :campaign);

-- name: forget_invisible
DELETE FROM parameter_chunk WHERE rowid IN (
  SELECT piece.rowid FROM campaign CROSS JOIN parameter_chunk AS piece
    ON piece.campaign_id = campaign.id AND piece.first_task >= campaign.total);

-- name: lengthen_piece
-- One of which any number of tasks may be.
UPDATE parameter_chunk SET count = count + :count
WHERE campaign_id = :campaign AND encoding = 'same' AND first_task + count = :first_task
  AND first_task = (SELECT max(first_task) FROM parameter_chunk WHERE campaign_id = :campaign)
RETURNING first_task;

-- name: take_ids
UPDATE next_task SET id = id + :count WHERE only_row = 1 RETURNING id - :count AS first_id;

-- name: insert_span
INSERT INTO span (first_id, campaign_id, first_task, count)
VALUES (:first_id, :campaign, :first_task, :count);

-- name: lengthen_span
-- The one that these tasks and their ids follow.
UPDATE span SET count = count + :count
WHERE first_id = (SELECT max(first_id) FROM span)
  AND campaign_id = :campaign AND first_task + count = :first_task AND first_id + count = :first_id
RETURNING first_id;

-- name: span_of_id
SELECT * FROM span WHERE first_id <= :task ORDER BY first_id DESC LIMIT 1;

-- name: spans_of
-- Those that hold some of the ranges [first, last]; CROSS JOIN as above.
SELECT first_id, first_task, count FROM span
WHERE campaign_id = :campaign AND first_task IN (
  SELECT part.first_task FROM json_each(:ranges) AS wanted CROSS JOIN span AS part
    ON part.campaign_id = :campaign
    AND part.first_task <= json_extract(wanted.value, '$[1]')
    AND part.first_task >= (
      SELECT max(first_task) FROM span
      WHERE campaign_id = :campaign AND first_task <= json_extract(wanted.value, '$[0]')))
ORDER BY first_task;

-- name: parts
-- The pieces and the spans of a campaign, each in their order.
SELECT 'parameters' AS what, first_task, count FROM parameter_chunk WHERE campaign_id = :campaign
UNION ALL
SELECT 'ids', first_task, count FROM span WHERE campaign_id = :campaign
ORDER BY 1, 2;

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
-- Those for which a cluster is nobody's second choice; in a bag of its own it always is the first.
SELECT id, first_task, count FROM again
WHERE campaign_id = :campaign AND at_the_end = :at_the_end
  AND (:alone OR since IS NULL OR since NOT BETWEEN :longer_ago AND :now
    OR (coalesce(prefers, :cluster) = :cluster AND avoids IS NOT :cluster))
ORDER BY id LIMIT :limit;

-- name: leaning_elsewhere
SELECT coalesce(sum(count), 0) AS count FROM again
WHERE campaign_id = :campaign AND since BETWEEN :longer_ago AND :now
  AND (coalesce(prefers, :cluster) <> :cluster OR avoids IS :cluster);

-- name: put_again
INSERT INTO again (campaign_id, at_the_end, first_task, count, prefers, avoids, since)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: shorten_again
UPDATE again SET first_task = :first_task, count = :count WHERE id = :id;

-- name: delete_again
DELETE FROM again WHERE id IN (SELECT value FROM json_each(:ids));

-- name: forget_again
DELETE FROM again WHERE campaign_id = :campaign;

-- name: count_again
SELECT coalesce(sum(count), 0) AS count FROM again WHERE campaign_id = :campaign;

-- name: again_with
SELECT * FROM again
WHERE campaign_id = :campaign AND first_task <= :task AND first_task + count > :task LIMIT 1;
