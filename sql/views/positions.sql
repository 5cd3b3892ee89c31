-- name:      positions
-- rows:      place in a list of each size up to 100; `applied_policies` and `directory_changes`
--           are made with it, and see the first 100 entries of a list (the command `entratrail`
--           sees all policies)
-- small:     yes
-- column:    size int
-- column:    position int
WITH numbers AS (
SELECT 10 * tens.digit + ones.digit + 1 AS number
FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS tens (digit)
CROSS JOIN (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS ones (digit)
)
SELECT sizes.number AS size, positions.number AS position
FROM numbers AS sizes
JOIN numbers AS positions ON positions.number <= sizes.number
