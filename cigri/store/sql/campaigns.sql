-- name: insert
INSERT INTO campaign (name, user, state, submitted_at, jdl, first_task_id, total, has_chunks, pending)
VALUES (:name, :user, 'loading', :at, :jdl, 0, 0, :has_chunks, 0)
RETURNING id;

-- name: insert_cluster
INSERT INTO campaign_cluster (campaign_id, cluster_id, settings) VALUES (:campaign, :cluster, :settings);

-- name: open_campaign
-- Task ids follow those of the campaign that was opened before.
UPDATE campaign SET
  state = :state, total = :total, pending = :total, ended_at = :ended_at,
  first_task_id = max(1, (SELECT first_task_id + total FROM campaign
                          ORDER BY first_task_id DESC, total DESC LIMIT 1))
WHERE id = :campaign;

-- name: delete
-- One that is open may have tasks in flight: a commit may succeed although its caller was cancelled.
DELETE FROM campaign WHERE id = :campaign AND state = 'loading';

-- name: delete_loading
DELETE FROM campaign WHERE state = 'loading';

-- name: get
SELECT * FROM campaign WHERE id = :campaign AND state <> 'loading';

-- name: of_task
SELECT * FROM campaign WHERE first_task_id <= :task AND total > 0 AND state <> 'loading'
ORDER BY first_task_id DESC LIMIT 1;

-- name: page
SELECT * FROM campaign
WHERE state IN (SELECT value FROM json_each(:states))
ORDER BY id LIMIT :limit OFFSET :offset;

-- name: count_by_state
SELECT state, count(*) AS count FROM campaign WHERE state <> 'loading' GROUP BY state;

-- name: clusters_of
-- A hold of the cluster itself counts for each of its campaigns.
SELECT cc.campaign_id, cc.cluster_id, cc.settings, cc.queued, cc.running, cc.succeeded, cc.failed,
  cc.again, cc.ended, cc.duration_sum, cluster.name AS cluster_name,
  coalesce(cc.hold_reason, cluster.hold_reason) AS hold_reason,
  coalesce(cc.hold_since, cluster.hold_since) AS hold_since
FROM campaign_cluster AS cc JOIN cluster ON cluster.id = cc.cluster_id
WHERE cc.campaign_id IN (SELECT value FROM json_each(:campaigns))
ORDER BY cc.campaign_id, cc.cluster_id;

-- name: set_state
UPDATE campaign SET state = :state, ended_at = :ended_at, revision = revision + 1
WHERE id = :campaign;

-- name: rename
UPDATE campaign SET name = :name, revision = revision + 1 WHERE id = :campaign;

-- name: empty_bag
-- The cancelled tasks leave the bag for good.
UPDATE campaign SET cancelled = cancelled + pending, pending = 0, cursor = total
WHERE id = :campaign;

-- name: move
-- The one statement that changes the counters; the CHECK of the table holds their sum.
UPDATE campaign SET
  cursor = coalesce(:cursor, cursor),
  pending = pending + :pending, queued = queued + :queued, running = running + :running,
  succeeded = succeeded + :succeeded, failed = failed + :failed, cancelled = cancelled + :cancelled,
  revision = revision + 1
WHERE id = :campaign;

-- name: move_on_cluster
UPDATE campaign_cluster SET
  queued = queued + :queued, running = running + :running,
  succeeded = succeeded + :succeeded, failed = failed + :failed, again = again + :again,
  ended = ended + :ended, duration_sum = duration_sum + :duration
WHERE campaign_id = :campaign AND cluster_id = :cluster;

-- name: hold
UPDATE campaign_cluster SET hold_reason = :reason, hold_since = :at
WHERE campaign_id = :campaign AND cluster_id = :cluster AND hold_reason IS NULL;

-- name: release
UPDATE campaign_cluster SET hold_reason = NULL, hold_since = NULL
WHERE campaign_id = :campaign AND (:cluster IS NULL OR cluster_id = :cluster);

-- name: offers
SELECT cc.campaign_id, campaign.user, campaign.pending, cc.settings, cc.queued, cc.running,
  cc.ended, cc.duration_sum
FROM campaign_cluster AS cc JOIN campaign ON campaign.id = cc.campaign_id
WHERE cc.cluster_id = :cluster AND campaign.state = 'in_treatment' AND cc.hold_reason IS NULL
ORDER BY cc.campaign_id;

-- name: for_claim
SELECT campaign.*, cc.settings, cc.hold_reason
FROM campaign JOIN campaign_cluster AS cc ON cc.campaign_id = campaign.id
WHERE campaign.id = :campaign AND cc.cluster_id = :cluster;
