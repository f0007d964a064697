-- name: glance
SELECT user, state, revision FROM campaign WHERE id = :campaign AND state <> 'loading';

-- name: last_event
SELECT coalesce(max(id), 0) AS id FROM event;

-- name: of_campaign
SELECT event.*, cluster.name AS cluster_name, NULL AS user
FROM event LEFT JOIN cluster ON cluster.id = event.cluster_id
WHERE event.campaign_id = :campaign AND event.id > :after
ORDER BY event.id LIMIT :limit;

-- name: of_all
SELECT event.*, cluster.name AS cluster_name, campaign.user
FROM event LEFT JOIN cluster ON cluster.id = event.cluster_id
  LEFT JOIN campaign ON campaign.id = event.campaign_id
WHERE event.id > :after
ORDER BY event.id LIMIT :limit;

-- name: tasks_by_user
-- Campaigns that are over are not looked at: there is no end of them.  The words are the index's.
SELECT user, sum(pending) AS pending, sum(queued) AS queued, sum(running) AS running,
  sum(succeeded) AS succeeded, sum(failed) AS failed, sum(cancelled) AS cancelled
FROM campaign WHERE state IN ('loading', 'in_treatment', 'paused') GROUP BY user;

-- name: open_events_by_code
SELECT code, count(*) AS count FROM event WHERE is_open = 1 GROUP BY code;

-- name: touch
-- Changes nothing, and yet has to reach the disk.
UPDATE installation SET epoch = epoch;
