-- Steps and tests that are due, and failures by their cause.

CREATE INDEX prologue_due ON campaign_cluster (cluster_id) WHERE prologue = 'waiting';
CREATE INDEX epilogue_due ON campaign_cluster (cluster_id) WHERE epilogue = 'waiting';
CREATE INDEX campaign_in_test ON campaign (id) WHERE test_mode <> 'off';
CREATE INDEX job_by_submission ON job (submission_id);

-- What a program said last, with its numbers folded: equal failures have equal ones.  NULL where
-- nothing was said, or nobody looked.
ALTER TABLE event ADD COLUMN cause TEXT;
