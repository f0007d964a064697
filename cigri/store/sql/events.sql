-- name: open_alike
SELECT id FROM event
WHERE is_open = 1 AND code = :code AND campaign_id IS :campaign AND cluster_id IS :cluster
  AND exit_status IS :exit_status AND cause IS :cause;

-- name: latest_alike
-- With how many causes there are.
SELECT id, count(*) OVER () AS causes FROM event
WHERE is_open = 1 AND code = :code AND campaign_id IS :campaign AND cluster_id IS :cluster
  AND exit_status IS :exit_status
ORDER BY updated_at DESC, id DESC LIMIT 1;

-- name: repeat
UPDATE event SET count = count + :count, updated_at = :at WHERE id = :id;

-- name: insert
INSERT INTO event (class, code, is_open, message, count, campaign_id, cluster_id, task,
  exit_status, cause, opened_at, updated_at, closed_at)
VALUES (:class, :code, :is_open, :message, :count, :campaign, :cluster, :task, :exit_status,
  :cause, :at, :at, :closed_at)
RETURNING id;

-- name: count_open
UPDATE campaign SET revision = revision + 1, open_events =
  (SELECT count(*) FROM event WHERE campaign_id = :campaign AND is_open = 1)
WHERE id = :campaign;

-- name: get
SELECT event.*, cluster.name AS cluster_name
FROM event LEFT JOIN cluster ON cluster.id = event.cluster_id
WHERE event.id = :event;

-- name: close_of_campaign
UPDATE event SET is_open = 0, closed_at = :at, updated_at = :at
WHERE campaign_id = :campaign AND is_open = 1 AND code <> 'TEST_ENDED' RETURNING id;

-- name: close
UPDATE event SET is_open = 0, closed_at = :at, updated_at = :at
WHERE id = :event AND is_open = 1 RETURNING id;

-- name: close_of_cluster
UPDATE event SET is_open = 0, closed_at = :at, updated_at = :at
WHERE cluster_id = :cluster AND is_open = 1 AND code IN (SELECT value FROM json_each(:codes));

-- name: open_of_cluster
SELECT DISTINCT code FROM event
WHERE cluster_id = :cluster AND is_open = 1 AND code IN (SELECT value FROM json_each(:codes));

-- name: close_codes
UPDATE event SET is_open = 0, closed_at = :at, updated_at = :at
WHERE campaign_id = :campaign AND is_open = 1
  AND code IN (SELECT value FROM json_each(:codes)) RETURNING code;

-- name: holding
SELECT 1 FROM event
WHERE campaign_id = :campaign AND is_open = 1 AND cluster_id IS :cluster
  AND code IN (SELECT value FROM json_each(:codes)) LIMIT 1;

-- name: holding_of_campaign
SELECT event.*, cluster.name AS cluster_name
FROM event LEFT JOIN cluster ON cluster.id = event.cluster_id
WHERE event.campaign_id = :campaign AND event.is_open = 1
  AND event.code IN (SELECT value FROM json_each(:codes))
ORDER BY event.id;

-- name: holding_cluster
SELECT event.*, cluster.name AS cluster_name
FROM event LEFT JOIN cluster ON cluster.id = event.cluster_id
WHERE event.cluster_id = :cluster AND event.is_open = 1
  AND event.code IN (SELECT value FROM json_each(:codes))
-- What somebody has to fix goes before what passes by itself.
ORDER BY event.code <> 'CLUSTER_MANUALLY_DISABLED', event.id LIMIT 1;
