-- Instants are UTC seconds since the epoch, durations are seconds.

-- Which installation of CiGri this file belongs to.
CREATE TABLE installation (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  id TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  -- The file's own inode when it was last served: another one means that this is a copy.
  inode INTEGER
) STRICT;

CREATE TABLE cluster (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  -- Calls in a row that failed; 0 while the cluster works.
  failures INTEGER NOT NULL DEFAULT 0,
  hold_reason TEXT,
  hold_since REAL,
  hold_until REAL
) STRICT;

CREATE TABLE campaign (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  user TEXT NOT NULL,
  state TEXT NOT NULL
    CHECK (state IN ('loading', 'in_treatment', 'paused', 'terminated', 'cancelled')),
  submitted_at REAL NOT NULL,
  ended_at REAL,
  -- The expanded JDL, without its parameters.
  jdl TEXT NOT NULL,
  -- The id of its task 0; the others follow.
  first_task_id INTEGER NOT NULL,
  total INTEGER NOT NULL CHECK (total >= 0),
  -- Tasks whose parameters are in parameter_chunk; without chunks they are "0" to "total-1".
  has_chunks INTEGER NOT NULL,
  -- The first task that no job ever took.
  cursor INTEGER NOT NULL DEFAULT 0 CHECK (cursor <= total),
  -- Counters, kept in the transaction of each change; together they are the total.
  pending INTEGER NOT NULL CHECK (pending >= 0),
  queued INTEGER NOT NULL DEFAULT 0 CHECK (queued >= 0),
  running INTEGER NOT NULL DEFAULT 0 CHECK (running >= 0),
  succeeded INTEGER NOT NULL DEFAULT 0 CHECK (succeeded >= 0),
  failed INTEGER NOT NULL DEFAULT 0 CHECK (failed >= 0),
  cancelled INTEGER NOT NULL DEFAULT 0 CHECK (cancelled >= 0),
  open_events INTEGER NOT NULL DEFAULT 0 CHECK (open_events >= 0),
  -- Grows with every change that a reader could see.
  revision INTEGER NOT NULL DEFAULT 1,
  CHECK (pending + queued + running + succeeded + failed + cancelled = total)
) STRICT;
CREATE INDEX campaign_active ON campaign (id) WHERE state IN ('loading', 'in_treatment', 'paused');
CREATE INDEX campaign_first_task ON campaign (first_task_id, total);

CREATE TABLE campaign_cluster (
  campaign_id INTEGER NOT NULL REFERENCES campaign (id) ON DELETE CASCADE,
  cluster_id INTEGER NOT NULL REFERENCES cluster (id),
  settings TEXT NOT NULL,
  queued INTEGER NOT NULL DEFAULT 0 CHECK (queued >= 0),
  running INTEGER NOT NULL DEFAULT 0 CHECK (running >= 0),
  succeeded INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  -- Attempts that ended without settling their task.
  again INTEGER NOT NULL DEFAULT 0,
  -- Attempts that ran to their end, and the seconds that they took.
  ended INTEGER NOT NULL DEFAULT 0,
  duration_sum REAL NOT NULL DEFAULT 0,
  hold_reason TEXT,
  hold_since REAL,
  PRIMARY KEY (campaign_id, cluster_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX campaign_cluster_by_cluster ON campaign_cluster (cluster_id);

-- Parameters of 1,000 tasks each.
CREATE TABLE parameter_chunk (
  campaign_id INTEGER NOT NULL REFERENCES campaign (id) ON DELETE CASCADE,
  chunk INTEGER NOT NULL,
  -- 'lines': one parameter a line; 'json': an array, for those that a line cannot carry.
  encoding TEXT NOT NULL CHECK (encoding IN ('lines', 'json')),
  -- Compressed with zlib.
  data BLOB NOT NULL,
  -- CRC-32 of data.
  crc INTEGER NOT NULL,
  PRIMARY KEY (campaign_id, chunk)
) STRICT;

-- What became of 1,000 tasks each; there is none before one of them has ended an attempt.
CREATE TABLE task_chunk (
  campaign_id INTEGER NOT NULL REFERENCES campaign (id) ON DELETE CASCADE,
  chunk INTEGER NOT NULL,
  -- The columns of store/records.py, compressed with zlib.
  data BLOB NOT NULL,
  succeeded INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  PRIMARY KEY (campaign_id, chunk)
) STRICT;

-- Tasks that were taken from the bag and came back: ranges, oldest first.
CREATE TABLE again (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  campaign_id INTEGER NOT NULL REFERENCES campaign (id) ON DELETE CASCADE,
  -- 0: before the tasks that were never tried; 1: after them.
  at_the_end INTEGER NOT NULL CHECK (at_the_end IN (0, 1)),
  first_task INTEGER NOT NULL,
  count INTEGER NOT NULL CHECK (count > 0)
) STRICT;
CREATE INDEX again_by_campaign ON again (campaign_id, at_the_end, id);

-- One request that creates jobs.
CREATE TABLE submission (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- The name by which the cluster can be asked for its jobs.
  tag TEXT NOT NULL UNIQUE,
  campaign_id INTEGER NOT NULL REFERENCES campaign (id) ON DELETE CASCADE,
  cluster_id INTEGER NOT NULL REFERENCES cluster (id),
  at REAL NOT NULL
) STRICT;
CREATE INDEX submission_by_campaign ON submission (campaign_id);

CREATE TABLE job (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  submission_id INTEGER NOT NULL REFERENCES submission (id),
  -- Those of its submission, to be found without it.
  campaign_id INTEGER NOT NULL,
  cluster_id INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN (
    'claimed', 'unknown', 'submitted', 'running', 'ended', 'killed', 'lost', 'returned')),
  remote_id TEXT,
  -- Its tasks: a JSON array of [first, count].
  tasks TEXT NOT NULL,
  -- The tasks that run in it now: a JSON object of task number to start.
  running TEXT NOT NULL DEFAULT '{}',
  -- How many of its tasks have not ended.
  left INTEGER NOT NULL,
  -- How far its journal has been read.
  read_to INTEGER NOT NULL DEFAULT 0
) STRICT;
-- Partial indexes serve a query only when it names the very same states.
CREATE INDEX job_in_flight ON job (cluster_id, id) WHERE state IN ('submitted', 'running');
CREATE INDEX job_unsettled ON job (cluster_id, id) WHERE state IN ('claimed', 'unknown');
CREATE INDEX job_open_of_campaign ON job (campaign_id, id)
  WHERE state IN ('claimed', 'unknown', 'submitted', 'running');

CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  class TEXT NOT NULL CHECK (class IN ('cluster', 'campaign', 'job')),
  code TEXT NOT NULL,
  is_open INTEGER NOT NULL CHECK (is_open IN (0, 1)),
  message TEXT NOT NULL,
  count INTEGER NOT NULL DEFAULT 1,
  campaign_id INTEGER REFERENCES campaign (id) ON DELETE CASCADE,
  cluster_id INTEGER REFERENCES cluster (id),
  -- The first task that it happened to.
  task INTEGER,
  exit_status INTEGER,
  opened_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  closed_at REAL
) STRICT;
CREATE INDEX event_by_campaign ON event (campaign_id, is_open, id);
CREATE INDEX event_open_by_cluster ON event (cluster_id, code) WHERE is_open = 1;
