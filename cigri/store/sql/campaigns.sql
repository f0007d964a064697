-- name: insert
INSERT INTO campaign (name, user, state, submitted_at, jdl, total, pending, jobs_type, endless,
  test_mode, max_fails, tags)
VALUES (:name, :user, 'loading', :at, :jdl, 0, 0, :jobs_type, :endless,
  :test_mode, :max_fails, :tags)
RETURNING id;

-- name: insert_cluster
INSERT INTO campaign_cluster (campaign_id, cluster_id, settings, prologue, epilogue)
VALUES (:campaign, :cluster, :settings, :prologue, :epilogue);

-- name: open_campaign
UPDATE campaign SET state = :state, total = :total, pending = :total, ended_at = :ended_at
WHERE id = :campaign;

-- name: grow
-- Tasks that are stored already, after all others.
UPDATE campaign SET total = total + :count, pending = pending + :count, revision = revision + 1
WHERE id = :campaign;

-- name: short_of_tasks
-- Endless campaigns whose bag runs low; it holds none but new tasks and those to try again.
SELECT campaign.id, campaign.pending
FROM campaign_cluster AS cc JOIN campaign ON campaign.id = cc.campaign_id
WHERE cc.cluster_id = :cluster AND campaign.state = 'in_treatment' AND campaign.endless = 1
  AND campaign.pending < :low;

-- name: delete
-- One that is open may have tasks in flight: a commit may succeed although its caller was cancelled.
DELETE FROM campaign WHERE id = :campaign AND state = 'loading';

-- name: delete_loading
DELETE FROM campaign WHERE state = 'loading';

-- name: get
SELECT * FROM campaign WHERE id = :campaign AND state <> 'loading';

-- name: clusters_of
-- A hold of the cluster itself counts for each of its campaigns.
SELECT cc.campaign_id, cc.cluster_id, cc.settings, cc.queued, cc.running, cc.succeeded, cc.failed,
  cc.again, cc.stopped, cc.ended, cc.duration_sum, cc.prologue, cc.epilogue, cc.tested, cluster.name AS cluster_name,
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
-- The cancelled tasks leave the bag for good.  Those that stood by in an endless campaign were never
-- asked for: they vanish.
UPDATE campaign SET
  total = iif(endless, cursor, total),
  cancelled = cancelled + pending - iif(endless, total - cursor, 0),
  cursor = iif(endless, cursor, total), pending = 0
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
  stopped = stopped + :stopped, ended = ended + :ended, duration_sum = duration_sum + :duration,
  duration_squares = duration_squares + :duration_squares
WHERE campaign_id = :campaign AND cluster_id = :cluster;

-- name: set_tested
UPDATE campaign_cluster SET tested = 1 WHERE campaign_id = :campaign AND cluster_id = :cluster;

-- name: test_again
-- What came back was not tested.
UPDATE campaign_cluster SET tested = 0
WHERE campaign_id = :campaign AND cluster_id = :cluster AND tested = 1
  AND EXISTS (SELECT 1 FROM campaign WHERE id = :campaign AND test_mode <> 'off');

-- name: end_test
UPDATE campaign SET test_mode = 'off', revision = revision + 1 WHERE id = :campaign;

-- name: tests
SELECT cc.settings, cc.tested, cc.hold_reason IS NOT NULL OR cluster.hold_reason IS NOT NULL AS held
FROM campaign_cluster AS cc JOIN cluster ON cluster.id = cc.cluster_id
WHERE cc.campaign_id = :campaign;

-- name: in_test
SELECT id FROM campaign WHERE test_mode <> 'off' AND state = 'in_treatment';

-- name: forgive
UPDATE campaign SET forgiven = failed, revision = revision + 1 WHERE id = :campaign;

-- name: forgive_at_most
-- Failures that are tried again are none to forgive.
UPDATE campaign SET forgiven = failed WHERE id = :campaign AND forgiven > failed;

-- name: hold
UPDATE campaign_cluster SET hold_reason = :reason, hold_since = :at
WHERE campaign_id = :campaign AND cluster_id = :cluster AND hold_reason IS NULL;

-- name: release
UPDATE campaign_cluster SET hold_reason = NULL, hold_since = NULL
WHERE campaign_id = :campaign AND (:cluster IS NULL OR cluster_id = :cluster);

-- name: offers
SELECT cc.campaign_id, campaign.user, campaign.pending, campaign.test_mode, cc.settings, cc.queued,
  cc.running, cc.ended, cc.duration_sum, cc.tested, campaign.max_fails, campaign.total,
  campaign.succeeded, campaign.failed, campaign.forgiven,
  campaign.queued + campaign.running - cc.queued - cc.running AS elsewhere,
  (SELECT count(*) FROM campaign_cluster WHERE campaign_id = campaign.id) AS clusters,
  (SELECT sum(ended) FROM campaign_cluster WHERE campaign_id = campaign.id) AS ended_anywhere
FROM campaign_cluster AS cc JOIN campaign ON campaign.id = cc.campaign_id
WHERE cc.cluster_id = :cluster AND campaign.state = 'in_treatment' AND cc.hold_reason IS NULL
  AND cc.prologue IN ('none', 'done') AND cc.epilogue <> 'in_flight'
ORDER BY cc.campaign_id;

-- name: for_claim
SELECT campaign.*, cc.settings, cc.hold_reason, cc.prologue, cc.epilogue, cc.tested,
  cc.ended, cc.duration_sum,
  (SELECT count(*) FROM campaign_cluster WHERE campaign_id = campaign.id) AS clusters
FROM campaign JOIN campaign_cluster AS cc ON cc.campaign_id = campaign.id
WHERE campaign.id = :campaign AND cc.cluster_id = :cluster;
