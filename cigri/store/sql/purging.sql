-- name: open_job
SELECT 1 FROM job
WHERE campaign_id = :campaign AND state IN ('claimed', 'unknown', 'submitted', 'running') LIMIT 1;

-- name: delete_jobs
DELETE FROM job
WHERE submission_id IN (SELECT id FROM submission WHERE campaign_id = :campaign);

-- name: delete_campaign
-- All else goes with it.
DELETE FROM campaign WHERE id = :campaign;
