-- id:       trouble-in-provisioning
-- name:     What did provisioning fail to do, or take away?
-- summary:  Accounts and groups that provisioning could not write, disabled or deleted in the last
--           30 days, by application and reason
-- severity: overview
-- scans:    nine columns of 30 days of provisioning records; none where Provisioning is off
--
-- Answers which applications Entra ID cannot keep in step, why, and which accounts it took away
-- there. Older records have their action and status in the members of beta's older twins.
SELECT
  application,
  action,
  outcome,
  reason,
  count(*) AS changes,
  count(DISTINCT account_id) AS accounts,
  max(account) AS one_account,
  min(happened_at) AS first_at,
  max(happened_at) AS last_at
FROM (
  SELECT
    coalesce(nullif(service_principal.display_name, ''), target_system.display_name, '') AS application,
    lower(coalesce(nullif(provisioning_action, ''), action, '')) AS action,
    lower(coalesce(nullif(provisioning_status_info.status, ''), status_info.status, '')) AS outcome,
    coalesce(
      nullif(provisioning_status_info.error_information.reason, ''),
      provisioning_status_info.error_information.error_code,
      ''
    ) AS reason,
    coalesce(nullif(source_identity.id, ''), target_identity.id) AS account_id,
    coalesce(nullif(source_identity.display_name, ''), target_identity.display_name) AS account,
    activity_date_time AS happened_at
  FROM provisioning_latest
  WHERE day >= current_date - INTERVAL '30' DAY
) AS changes
WHERE outcome = 'failure' OR (outcome = 'success' AND action IN ('delete', 'stageddelete', 'disable'))
GROUP BY application, action, outcome, reason
ORDER BY changes DESC, application, action, outcome, reason
LIMIT 100
