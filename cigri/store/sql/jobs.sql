-- name: insert_submission
INSERT INTO submission (tag, campaign_id, cluster_id, at)
VALUES ('new ' || hex(randomblob(8)), :campaign, :cluster, :at) RETURNING id;

-- name: name_submission
UPDATE submission SET tag = (SELECT printf('cg%s-%d-%09d', installation.id, epoch, :submission)
                             FROM installation)
WHERE id = :submission RETURNING tag;

-- name: insert
INSERT INTO job (submission_id, campaign_id, cluster_id, state, kind, shape, place, tasks, left)
VALUES (:submission, :campaign, :cluster, 'claimed', :kind, :shape, :place, :tasks, :left)
RETURNING id;

-- name: unsettled
-- Submissions whose outcome is not recorded; in a new cycle they are those of a cycle that was cut off.
SELECT submission.id, submission.tag, submission.at, submission.campaign_id, campaign.user,
  json_group_array(job.id) AS jobs
FROM job JOIN submission ON submission.id = job.submission_id
  JOIN campaign ON campaign.id = job.campaign_id
WHERE job.cluster_id = :cluster AND job.state IN ('claimed', 'unknown')
GROUP BY submission.id ORDER BY submission.id;

-- name: open_on_cluster
SELECT job.*, submission.tag, submission.at AS submitted_at,
  campaign.user, campaign.state AS campaign_state, cc.hold_reason IS NOT NULL AS held,
  CASE job.kind WHEN 'tasks' THEN json_extract(cc.settings, '$.cores') ELSE 1 END AS cores,
  json_extract(cc.settings, '$.retries') AS retries,
  json_extract(cc.settings, '$.checkpointing_type') IS NOT NULL AS checkpoints,
  -- A test runs at any hour.
  iif(campaign.test_mode = 'off', json_extract(cc.settings, '$.type'), 'normal') AS type
FROM job JOIN submission ON submission.id = job.submission_id
  JOIN campaign ON campaign.id = job.campaign_id
  JOIN campaign_cluster AS cc
    ON cc.campaign_id = job.campaign_id AND cc.cluster_id = job.cluster_id
WHERE job.cluster_id = :cluster AND job.state IN ('submitted', 'running')
ORDER BY job.id;

-- name: open_of_campaign
SELECT job.*, submission.tag, submission.at AS submitted_at
FROM job JOIN submission ON submission.id = job.submission_id
WHERE job.campaign_id = :campaign
  AND job.state IN ('claimed', 'unknown', 'submitted', 'running') AND job.kind = 'tasks'
ORDER BY job.id;

-- name: overtaking
-- By the primary key: few jobs are newer than one that has just ended.
SELECT 1 FROM job
WHERE id > :job AND +campaign_id = :campaign AND kind = 'tasks' AND state <> 'returned' LIMIT 1;

-- name: get_all
SELECT job.*, submission.tag, submission.at AS submitted_at, campaign.user
FROM job JOIN submission ON submission.id = job.submission_id
  JOIN campaign ON campaign.id = job.campaign_id
WHERE job.id IN (SELECT value FROM json_each(:jobs)) ORDER BY job.id;

-- name: by_ids
SELECT * FROM job WHERE id IN (SELECT value FROM json_each(:jobs));

-- name: remote_ids
SELECT id, remote_id, shape, tasks FROM job WHERE id IN (SELECT value FROM json_each(:jobs));

-- name: set_state
UPDATE job SET state = :state, remote_id = coalesce(:remote_id, remote_id) WHERE id = :job;

-- name: set_progress
UPDATE job SET running = :running, left = :left, ended = :ended, read_to = :read_to
WHERE id = :job;

-- name: set_remote_id
UPDATE job SET remote_id = :remote_id WHERE id = :job;

-- name: set_withdrawn
UPDATE job SET withdrawn_at = coalesce(withdrawn_at, :at), elsewhere = max(elsewhere, :elsewhere)
WHERE id IN (SELECT value FROM json_each(:jobs));

-- name: renounce
UPDATE submission SET renounced_at = :at WHERE id = :submission;

-- name: renounced
-- Submissions that were given up since then without a proof that nothing was made.
SELECT submission.id, submission.tag, submission.at, submission.campaign_id, campaign.user,
  (SELECT json_group_array(id) FROM job WHERE submission_id = submission.id) AS jobs
FROM submission JOIN campaign ON campaign.id = submission.campaign_id
WHERE submission.cluster_id = :cluster AND submission.renounced_at > :since
ORDER BY submission.id;

-- name: busy
SELECT coalesce(sum(running), 0) AS running, coalesce(sum(queued), 0) AS queued
FROM campaign_cluster WHERE cluster_id = :cluster AND (running > 0 OR queued > 0);
