-- Attempts that were killed with their task, which does not run again: something ran there, and
-- nothing was put back.
ALTER TABLE campaign_cluster ADD COLUMN stopped INTEGER NOT NULL DEFAULT 0;
