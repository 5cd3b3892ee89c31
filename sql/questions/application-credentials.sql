-- id:        application-credentials
-- name:      Which applications received new credentials?
-- summary:   Secrets, certificates and federated credentials that were added to applications
--           within the last 30 days
-- severity:  medium
-- technique: T1098.001
-- scans:     the targets and eight other columns of 30 days of directory audits
--
-- Answers to which applications somebody added a way to sign in, and who it was. A change that
-- only removes credentials makes the value shorter, and is left out.
SELECT
  activity_date_time AS happened_at,
  target_name AS application,
  target_type AS kind,
  actor AS added_by,
  actor_ip_address AS ip_address,
  old_value AS credentials_before,
  new_value AS credentials_after,
  result
FROM directory_changes
WHERE day >= current_date - INTERVAL '30' DAY
  AND property_name IN ('KeyDescription', 'FederatedIdentityCredentials')
  AND length(coalesce(new_value, '')) > length(coalesce(old_value, ''))
ORDER BY happened_at DESC, application, id
LIMIT 200
