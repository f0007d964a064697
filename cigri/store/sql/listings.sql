-- name: campaigns
-- Tags are looked at in the campaigns of one user alone, unless :tags_of is NULL.
SELECT * FROM campaign
WHERE state IN (SELECT value FROM json_each(:states))
  AND (:user IS NULL OR user = :user)
  AND (:cluster IS NULL OR id IN (
    SELECT campaign_id FROM campaign_cluster
    WHERE cluster_id = (SELECT id FROM cluster WHERE name = :cluster)))
  AND (:text = '' OR instr(lower(name), lower(:text)))
  AND (:tag IS NULL OR ((:tags_of IS NULL OR user = :tags_of)
    AND EXISTS (SELECT 1 FROM json_each(tags) WHERE value = :tag)))
ORDER BY id LIMIT :limit OFFSET :offset;

-- name: count_by_state
SELECT state, count(*) AS count FROM campaign
WHERE state <> 'loading'
  AND (:user IS NULL OR user = :user)
  AND (:cluster IS NULL OR id IN (
    SELECT campaign_id FROM campaign_cluster
    WHERE cluster_id = (SELECT id FROM cluster WHERE name = :cluster)))
  AND (:text = '' OR instr(lower(name), lower(:text)))
  AND (:tag IS NULL OR ((:tags_of IS NULL OR user = :tags_of)
    AND EXISTS (SELECT 1 FROM json_each(tags) WHERE value = :tag)))
GROUP BY state;

-- name: attempts
-- The attempts of a campaign that ran to their end, and those that settled nothing.
SELECT sum(ended) AS ended, sum(duration_sum) AS duration, sum(duration_squares) AS squares,
  sum(again) AS again
FROM campaign_cluster WHERE campaign_id = :campaign;

-- name: events_of_campaign
SELECT event.*, cluster.name AS cluster_name
FROM event LEFT JOIN cluster ON cluster.id = event.cluster_id
WHERE event.campaign_id = :campaign
ORDER BY event.id LIMIT :limit OFFSET :offset;

-- name: count_of_campaign
SELECT count(*) AS count FROM event WHERE campaign_id = :campaign;

-- name: open_of_campaign
-- What is open of its clusters concerns it, too.
SELECT event.*, cluster.name AS cluster_name
FROM event LEFT JOIN cluster ON cluster.id = event.cluster_id
WHERE event.id IN (
  SELECT id FROM event WHERE campaign_id = :campaign AND is_open = 1
  UNION ALL
  SELECT id FROM event WHERE is_open = 1 AND class = 'cluster' AND campaign_id IS NULL
    AND cluster_id IN (SELECT cluster_id FROM campaign_cluster WHERE campaign_id = :campaign))
ORDER BY event.id LIMIT :limit OFFSET :offset;

-- name: count_open_of_campaign
SELECT open_events + (
  SELECT count(*) FROM event WHERE is_open = 1 AND class = 'cluster' AND campaign_id IS NULL
    AND cluster_id IN (SELECT cluster_id FROM campaign_cluster WHERE campaign_id = :campaign)
) AS count FROM campaign WHERE id = :campaign;

-- name: open_of_clusters
SELECT event.*, cluster.name AS cluster_name
FROM event LEFT JOIN cluster ON cluster.id = event.cluster_id
WHERE event.is_open = 1 AND event.class = 'cluster'
ORDER BY event.id LIMIT :limit OFFSET :offset;

-- name: count_open_of_clusters
SELECT count(*) AS count FROM event WHERE is_open = 1 AND class = 'cluster';

-- name: count_active
-- Of one user; those still being received came first if their number is lower.
SELECT count(*) AS count FROM campaign
WHERE user = :user AND id < :before
  AND (state IN ('in_treatment', 'paused') OR (state = 'loading' AND :loading));
