-- name: open_alike
SELECT id FROM event
WHERE is_open = 1 AND code = :code AND campaign_id IS :campaign AND cluster_id IS :cluster
  AND exit_status IS :exit_status;

-- name: repeat
UPDATE event SET count = count + :count, updated_at = :at WHERE id = :id;

-- name: insert
INSERT INTO event (class, code, is_open, message, count, campaign_id, cluster_id, task,
  exit_status, opened_at, updated_at, closed_at)
VALUES (:class, :code, :is_open, :message, :count, :campaign, :cluster, :task, :exit_status,
  :at, :at, :closed_at);

-- name: count_open
UPDATE campaign SET revision = revision + 1, open_events =
  (SELECT count(*) FROM event WHERE campaign_id = :campaign AND is_open = 1)
WHERE id = :campaign;

-- name: of_campaign
SELECT event.*, cluster.name AS cluster_name
FROM event LEFT JOIN cluster ON cluster.id = event.cluster_id
WHERE event.campaign_id = :campaign AND (:closed OR event.is_open = 1)
ORDER BY event.id;

-- name: get
SELECT event.*, cluster.name AS cluster_name
FROM event LEFT JOIN cluster ON cluster.id = event.cluster_id
WHERE event.id = :event;

-- name: close_of_campaign
UPDATE event SET is_open = 0, closed_at = :at, updated_at = :at
WHERE campaign_id = :campaign AND is_open = 1 RETURNING id;

-- name: close
UPDATE event SET is_open = 0, closed_at = :at, updated_at = :at
WHERE id = :event AND is_open = 1 RETURNING id;

-- name: close_of_cluster
UPDATE event SET is_open = 0, closed_at = :at, updated_at = :at
WHERE cluster_id = :cluster AND code = :code AND is_open = 1;
