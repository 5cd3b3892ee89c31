-- id:      administrators
-- rows:    changes to the directory by day, administrator and category
-- column:  day date
-- column:  administrator string
-- column:  category string
-- column:  changes bigint
SELECT day, actor AS administrator, category, count(DISTINCT id) AS changes
FROM directory_changes
WHERE day >= current_date - INTERVAL '90' DAY
  AND actor_is_user
  AND lower(coalesce(logged_by_service, '')) NOT LIKE 'self-service%'
GROUP BY 1, 2, 3
