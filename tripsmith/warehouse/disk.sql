-- Where the database lies.

-- name: data_directory
SELECT current_setting('data_directory')
