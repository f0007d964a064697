-- Campaigns that grow: tasks come in pieces, and so do their ids.

-- What an upload that was cut off has left; it has no tasks to move.
DELETE FROM parameter_chunk
WHERE campaign_id IN (SELECT id FROM campaign WHERE state = 'loading');
DELETE FROM campaign_cluster
WHERE campaign_id IN (SELECT id FROM campaign WHERE state = 'loading');
DELETE FROM campaign WHERE state = 'loading';

-- The stable ids of tasks: a row for each submission, and for what was added since.
CREATE TABLE span (
  -- The id of the first task; the others follow.
  first_id INTEGER PRIMARY KEY,
  campaign_id INTEGER NOT NULL REFERENCES campaign (id) ON DELETE CASCADE,
  first_task INTEGER NOT NULL CHECK (first_task >= 0),
  count INTEGER NOT NULL CHECK (count > 0)
) STRICT;
CREATE INDEX span_by_campaign ON span (campaign_id, first_task);
INSERT INTO span (first_id, campaign_id, first_task, count)
  SELECT first_task_id, id, 0, total FROM campaign WHERE total > 0;
-- The id of the next task: none is given twice, whatever is deleted.
CREATE TABLE next_task (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  id INTEGER NOT NULL
) STRICT;
INSERT INTO next_task (only_row, id)
  SELECT 1, coalesce(max(first_id + count), 1) FROM span;

-- The parameters of a campaign: pieces that follow each other without a gap.  Those from the
-- campaign's total on are being added; nobody sees them yet.
CREATE TABLE piece (
  campaign_id INTEGER NOT NULL REFERENCES campaign (id) ON DELETE CASCADE,
  first_task INTEGER NOT NULL CHECK (first_task >= 0),
  count INTEGER NOT NULL CHECK (count > 0),
  -- Up to 1,000 tasks: 'lines': one parameter a line; 'json': an array, for those that a line
  -- cannot carry.  Any number of tasks: 'count': the number of the task; 'sweep': the points of
  -- domain.sweep.Sweep; 'same': an empty one.
  encoding TEXT NOT NULL CHECK (encoding IN ('lines', 'json', 'count', 'sweep', 'same')),
  -- Compressed with zlib; empty where nothing needs to be known.
  data BLOB NOT NULL,
  -- CRC-32 of data.
  crc INTEGER NOT NULL,
  PRIMARY KEY (campaign_id, first_task)
) STRICT;
INSERT INTO piece
  SELECT campaign_id, chunk * 1000, min(1000, total - chunk * 1000), encoding, data, crc
  FROM parameter_chunk JOIN campaign ON campaign.id = campaign_id
  WHERE chunk * 1000 < total;
INSERT INTO piece
  SELECT id, 0, total, 'count', x'', 0 FROM campaign WHERE total > 0 AND has_chunks = 0;
DROP TABLE parameter_chunk;
ALTER TABLE piece RENAME TO parameter_chunk;

DROP INDEX campaign_first_task;
ALTER TABLE campaign DROP COLUMN first_task_id;
ALTER TABLE campaign DROP COLUMN has_chunks;

-- The sum of the squares of what duration_sum adds up.
ALTER TABLE campaign_cluster ADD COLUMN duration_squares REAL NOT NULL DEFAULT 0;

-- What happened to a campaign, in the order in which it did; and what is open of clusters.
CREATE INDEX event_of_campaign ON event (campaign_id, id);
CREATE INDEX event_of_clusters ON event (id) WHERE is_open = 1 AND class = 'cluster';

-- Whatever a reader could see of a campaign counts its revision up, whether the statement that
-- changes it does so itself or not.
CREATE TRIGGER campaign_changed AFTER UPDATE ON campaign WHEN NEW.revision = OLD.revision
BEGIN
  UPDATE campaign SET revision = revision + 1 WHERE id = NEW.id;
END;
CREATE TRIGGER campaign_cluster_changed AFTER UPDATE ON campaign_cluster
BEGIN
  UPDATE campaign SET revision = revision + 1 WHERE id = NEW.campaign_id;
END;
CREATE TRIGGER job_changed AFTER UPDATE ON job
BEGIN
  UPDATE campaign SET revision = revision + 1 WHERE id = NEW.campaign_id;
END;
CREATE TRIGGER event_told AFTER INSERT ON event WHEN NEW.campaign_id IS NOT NULL
BEGIN
  UPDATE campaign SET revision = revision + 1 WHERE id = NEW.campaign_id;
END;
CREATE TRIGGER event_changed AFTER UPDATE ON event WHEN NEW.campaign_id IS NOT NULL
BEGIN
  UPDATE campaign SET revision = revision + 1 WHERE id = NEW.campaign_id;
END;
