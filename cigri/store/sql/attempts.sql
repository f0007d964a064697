-- name: insert
INSERT INTO past_attempt (campaign_id, chunk, data) VALUES (?, ?, ?);

-- name: of_chunk
SELECT chunk, data FROM past_attempt WHERE campaign_id = :campaign AND chunk = :chunk ORDER BY id;

-- name: chunks
SELECT chunk FROM task_chunk WHERE campaign_id = :campaign
UNION SELECT chunk FROM past_attempt WHERE campaign_id = :campaign
ORDER BY chunk;
