-- id:        conditional-access-failures
-- name:      Which conditional access policies stop whom?
-- summary:   Sign-ins of the last 30 days that a conditional access policy refused, by policy
-- severity:  overview
-- scans:     the applied policies and seven other columns of 30 days of all sign-ins
--
-- Answers which policies refused sign-ins, how many, and of how many users and applications.
SELECT
  policy_name,
  event_type,
  count(DISTINCT id) AS sign_ins,
  count(DISTINCT user_id) AS users,
  count(DISTINCT app_id) AS applications,
  max(user_principal_name) AS one_user,
  max(created_date_time) AS last_at
FROM applied_policies
WHERE day >= current_date - INTERVAL '30' DAY
  AND conditional_access_status = 'failure'
  AND policy_result = 'failure'
GROUP BY policy_name, event_type
ORDER BY sign_ins DESC, policy_name, event_type
LIMIT 100
