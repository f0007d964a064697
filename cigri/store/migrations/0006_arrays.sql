-- Jobs whose tasks are remote jobs of their own, and what became of attempts that settled nothing.

-- 'group': one remote job that runs all the tasks; 'array': a remote job for each of them, and
-- remote_id is the text of domain/remote_ids.py.
ALTER TABLE job ADD COLUMN shape TEXT NOT NULL DEFAULT 'group' CHECK (shape IN ('group', 'array'));
-- Its place among the jobs of its submission.
ALTER TABLE job ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
-- Which of its tasks have ended, by their position in it: the bits of domain/positions.py.
ALTER TABLE job ADD COLUMN ended BLOB NOT NULL DEFAULT x'';
-- When the cluster was first asked to take back what of it had not started.
ALTER TABLE job ADD COLUMN withdrawn_at REAL;
-- 1: because it had waited too long; what comes back should run elsewhere.
ALTER TABLE job ADD COLUMN elsewhere INTEGER NOT NULL DEFAULT 0 CHECK (elsewhere IN (0, 1));
UPDATE job SET place = id - (
  SELECT min(id) FROM job AS other WHERE other.submission_id = job.submission_id)
WHERE state IN ('claimed', 'unknown', 'submitted', 'running');

-- When it was given up without a proof that nothing was made: what appears late is killed.
ALTER TABLE submission ADD COLUMN renounced_at REAL;
CREATE INDEX submission_renounced ON submission (cluster_id, renounced_at)
  WHERE renounced_at IS NOT NULL;

-- For a while after `since` a task waits for the cluster where its checkpoint lies, and is not
-- taken by the one that has let it wait too long.
ALTER TABLE again ADD COLUMN prefers INTEGER REFERENCES cluster (id);
ALTER TABLE again ADD COLUMN avoids INTEGER REFERENCES cluster (id);
ALTER TABLE again ADD COLUMN since REAL;

-- Attempts that ended without settling their task, or whose end somebody has had revoked: those
-- of one chunk of tasks that were recorded together.  The last attempt of a task that is settled
-- is in task_chunk alone.
CREATE TABLE past_attempt (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  campaign_id INTEGER NOT NULL REFERENCES campaign (id) ON DELETE CASCADE,
  chunk INTEGER NOT NULL,
  -- The columns of store/attempts.py, compressed with zlib.
  data BLOB NOT NULL
) STRICT;
CREATE INDEX past_attempt_by_chunk ON past_attempt (campaign_id, chunk, id);
