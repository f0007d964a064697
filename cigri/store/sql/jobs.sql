-- name: insert_submission
INSERT INTO submission (tag, campaign_id, cluster_id, at)
VALUES ('new ' || hex(randomblob(8)), :campaign, :cluster, :at) RETURNING id;

-- name: name_submission
UPDATE submission SET tag = (SELECT printf('cg%s-%d-%09d', installation.id, epoch, :submission)
                             FROM installation)
WHERE id = :submission RETURNING tag;

-- name: insert
INSERT INTO job (submission_id, campaign_id, cluster_id, state, kind, tasks, left)
VALUES (:submission, :campaign, :cluster, 'claimed', :kind, :tasks, :left) RETURNING id;

-- name: unsettled
-- Submissions whose outcome is not recorded; in a new cycle they are those of a cycle that was cut off.
SELECT submission.id, submission.tag, submission.at, submission.campaign_id, campaign.user,
  json_group_array(job.id) AS jobs
FROM job JOIN submission ON submission.id = job.submission_id
  JOIN campaign ON campaign.id = job.campaign_id
WHERE job.cluster_id = :cluster AND job.state IN ('claimed', 'unknown')
GROUP BY submission.id ORDER BY submission.id;

-- name: open_on_cluster
SELECT job.*, campaign.user, campaign.state AS campaign_state,
  cc.hold_reason IS NOT NULL AS held,
  CASE job.kind WHEN 'tasks' THEN json_extract(cc.settings, '$.cores') ELSE 1 END AS cores,
  json_extract(cc.settings, '$.retries') AS retries,
  -- A test runs at any hour.
  iif(campaign.test_mode = 'off', json_extract(cc.settings, '$.type'), 'normal') AS type
FROM job JOIN campaign ON campaign.id = job.campaign_id
  JOIN campaign_cluster AS cc
    ON cc.campaign_id = job.campaign_id AND cc.cluster_id = job.cluster_id
WHERE job.cluster_id = :cluster AND job.state IN ('submitted', 'running')
ORDER BY job.id;

-- name: open_of_campaign
SELECT * FROM job
WHERE campaign_id = :campaign AND state IN ('claimed', 'unknown', 'submitted', 'running')
  AND kind = 'tasks'
ORDER BY id;

-- name: overtaking
-- By the primary key: few jobs are newer than one that has just ended.
SELECT 1 FROM job
WHERE id > :job AND +campaign_id = :campaign AND kind = 'tasks' AND state <> 'returned' LIMIT 1;

-- name: get
SELECT job.*, campaign.user FROM job JOIN campaign ON campaign.id = job.campaign_id
WHERE job.id = :job;

-- name: by_ids
SELECT * FROM job WHERE id IN (SELECT value FROM json_each(:jobs));

-- name: remote_ids
SELECT id, remote_id FROM job WHERE id IN (SELECT value FROM json_each(:jobs));

-- name: set_state
UPDATE job SET state = :state, remote_id = coalesce(:remote_id, remote_id) WHERE id = :job;

-- name: set_progress
UPDATE job SET running = :running, left = :left, read_to = :read_to WHERE id = :job;

-- name: busy
SELECT coalesce(sum(running), 0) AS running, coalesce(sum(queued), 0) AS queued
FROM campaign_cluster WHERE cluster_id = :cluster AND (running > 0 OR queued > 0);
