-- name: failures
SELECT task, failures FROM retried
WHERE campaign_id = :campaign AND task IN (SELECT value FROM json_each(:tasks));

-- name: count
INSERT INTO retried (campaign_id, task, failures) VALUES (?, ?, 1)
ON CONFLICT (campaign_id, task) DO UPDATE SET failures = failures + 1;

-- name: forget
DELETE FROM retried WHERE campaign_id = :campaign;
