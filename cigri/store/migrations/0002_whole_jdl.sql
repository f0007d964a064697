-- What the whole JDL needs, and the ways to ask for it.

ALTER TABLE campaign ADD COLUMN jobs_type TEXT NOT NULL DEFAULT 'normal'
  CHECK (jobs_type IN ('normal', 'desktop_computing'));
-- 1: new tasks come until somebody stops it.
ALTER TABLE campaign ADD COLUMN endless INTEGER NOT NULL DEFAULT 0 CHECK (endless IN (0, 1));
-- What is left to do of a test.
ALTER TABLE campaign ADD COLUMN test_mode TEXT NOT NULL DEFAULT 'off'
  CHECK (test_mode IN ('off', 'then-wait', 'then-run'));
-- A JSON object of domain.model.Allowance; NULL: any number of tasks may fail.
ALTER TABLE campaign ADD COLUMN max_fails TEXT;
-- Failures that its owner has seen already: they count no more towards max_fails.
ALTER TABLE campaign ADD COLUMN forgiven INTEGER NOT NULL DEFAULT 0;
-- A JSON array of words.
ALTER TABLE campaign ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';

ALTER TABLE campaign_cluster ADD COLUMN prologue TEXT NOT NULL DEFAULT 'none'
  CHECK (prologue IN ('none', 'waiting', 'in_flight', 'done', 'failed'));
ALTER TABLE campaign_cluster ADD COLUMN epilogue TEXT NOT NULL DEFAULT 'none'
  CHECK (epilogue IN ('none', 'waiting', 'in_flight', 'done', 'failed'));
-- 1: its task of the test was handed out.
ALTER TABLE campaign_cluster ADD COLUMN tested INTEGER NOT NULL DEFAULT 0 CHECK (tested IN (0, 1));

ALTER TABLE job ADD COLUMN kind TEXT NOT NULL DEFAULT 'tasks'
  CHECK (kind IN ('tasks', 'prologue', 'epilogue'));

-- How often tasks have failed that are to be tried again: those without a row never did.
CREATE TABLE retried (
  campaign_id INTEGER NOT NULL REFERENCES campaign (id) ON DELETE CASCADE,
  task INTEGER NOT NULL,
  failures INTEGER NOT NULL CHECK (failures > 0),
  PRIMARY KEY (campaign_id, task)
) STRICT, WITHOUT ROWID;

-- Bearer tokens of users.
CREATE TABLE access_token (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user TEXT NOT NULL,
  name TEXT NOT NULL,
  -- A JSON array of 'read', 'submit' and 'admin'.
  scopes TEXT NOT NULL,
  -- SHA-256 of the token, which is shown once and kept nowhere.
  digest BLOB NOT NULL UNIQUE,
  -- Its first characters, by which its owner knows it again.
  prefix TEXT NOT NULL,
  created_at REAL NOT NULL,
  expires_at REAL,
  used_at REAL,
  revoked_at REAL
) STRICT;
CREATE INDEX access_token_by_user ON access_token (user, id);

-- Answers that are given again to a request that is sent again.
CREATE TABLE idempotency_key (
  user TEXT NOT NULL,
  key TEXT NOT NULL,
  -- SHA-256 of method, path and body.
  request BLOB NOT NULL,
  at REAL NOT NULL,
  -- The answer, which is written with what it tells of.
  status INTEGER,
  headers TEXT,
  body BLOB,
  PRIMARY KEY (user, key)
) STRICT;
CREATE INDEX idempotency_key_by_age ON idempotency_key (at);
