-- name: states
SELECT prologue, epilogue FROM campaign_cluster
WHERE campaign_id = :campaign AND cluster_id = :cluster;

-- name: set_prologue
UPDATE campaign_cluster SET prologue = :state
WHERE campaign_id = :campaign AND cluster_id = :cluster;

-- name: set_epilogue
UPDATE campaign_cluster SET epilogue = :state
WHERE campaign_id = :campaign AND cluster_id = :cluster;

-- name: failed_prologues
SELECT cluster_id FROM campaign_cluster
WHERE campaign_id = :campaign AND prologue = 'failed' AND (:cluster IS NULL OR cluster_id = :cluster);

-- name: settled_epilogues
SELECT cluster_id, epilogue FROM campaign_cluster
WHERE campaign_id = :campaign AND epilogue IN ('done', 'failed')
  AND (:cluster IS NULL OR cluster_id = :cluster);

-- name: unfinished
-- An epilogue is owed to each cluster where anything of the campaign ran.
SELECT 1 FROM campaign_cluster
WHERE campaign_id = :campaign AND (prologue = 'in_flight' OR epilogue = 'in_flight'
  OR epilogue = 'waiting'
    AND (prologue IN ('done', 'failed') OR succeeded + failed + again + stopped + ended > 0))
LIMIT 1;

-- name: prologues_due
SELECT cc.campaign_id, cc.settings, cc.tested, campaign.test_mode
FROM campaign_cluster AS cc CROSS JOIN campaign ON campaign.id = cc.campaign_id
WHERE cc.cluster_id = :cluster AND cc.prologue = 'waiting' AND cc.hold_reason IS NULL
  AND campaign.state = 'in_treatment' AND campaign.pending > 0
ORDER BY cc.campaign_id;

-- name: epilogues_due
-- Whatever holds the campaign there: it is over, and somebody should put its things away.
SELECT cc.campaign_id
FROM campaign_cluster AS cc CROSS JOIN campaign ON campaign.id = cc.campaign_id
WHERE cc.cluster_id = :cluster AND cc.epilogue = 'waiting' AND cc.prologue <> 'in_flight'
  AND (campaign.state = 'cancelled' OR campaign.state = 'in_treatment' AND campaign.endless = 0)
  AND campaign.pending + campaign.queued + campaign.running = 0
  AND (cc.prologue IN ('done', 'failed') OR cc.succeeded + cc.failed + cc.again + cc.stopped + cc.ended > 0)
ORDER BY cc.campaign_id;

-- name: in_flight
SELECT count(*) AS count FROM job
WHERE cluster_id = :cluster AND state IN ('submitted', 'running') AND kind <> 'tasks';
