-- How an EVENT signs in and out in `event_run`. Run again at every migrate; {DEFINER} owns them all.
DELIMITER //

CREATE OR REPLACE DEFINER={DEFINER} PROCEDURE event_ended
  (IN v_name VARCHAR(40), IN v_started DATETIME(6), IN v_changed INT)
  SQL SECURITY DEFINER MODIFIES SQL DATA
BEGIN
  INSERT INTO event_run (name, runs, changed, started_at, ended_at)
  VALUES (v_name, 1, v_changed, v_started, SYSDATE(6))
  ON DUPLICATE KEY UPDATE runs = runs + 1, changed = VALUES(changed),
    started_at = VALUES(started_at), ended_at = VALUES(ended_at);
END//

CREATE OR REPLACE DEFINER={DEFINER} PROCEDURE event_failed
  (IN v_name VARCHAR(40), IN v_started DATETIME(6), IN v_error TEXT)
  SQL SECURITY DEFINER MODIFIES SQL DATA
BEGIN
  INSERT INTO event_run (name, started_at, error, error_at)
  VALUES (v_name, v_started, LEFT(v_error, 200), SYSDATE(6))
  ON DUPLICATE KEY UPDATE started_at = VALUES(started_at), error = VALUES(error),
    error_at = VALUES(error_at);
END//
