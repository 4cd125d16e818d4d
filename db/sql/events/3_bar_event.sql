-- Every second: each minute bar in `market` whose minute is over goes into `bar`, again and again
-- until the row moves on. Sub-second schedules do not exist; runs that overlap are kept out by the
-- lock; a run missed while the server was down is caught up by the next one.
DELIMITER //

-- One run as of v_now; v_changed is NULL when another run holds the lock.
CREATE OR REPLACE DEFINER={DEFINER} PROCEDURE bar_copy (IN v_now DATETIME(6), OUT v_changed INT)
  SQL SECURITY DEFINER MODIFIES SQL DATA
BEGIN
  DECLARE v_lock VARCHAR(64) DEFAULT CONCAT('bar:', DATABASE());
  DECLARE v_flagged INT DEFAULT 0;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    DO RELEASE_LOCK(v_lock);
    RESIGNAL;
  END;
  SET v_changed = NULL;
  IF COALESCE(GET_LOCK(v_lock, 0), 0) THEN
    START TRANSACTION;
    CREATE OR REPLACE TEMPORARY TABLE bar_in ENGINE=MEMORY AS
      SELECT symbol, prev_at AS at, prev_open AS open, prev_high AS high, prev_low AS low,
             prev_close AS close, prev_volume AS volume, prev_turnover AS turnover,
             prev_ticks AS ticks, prev_gap AS gap
        FROM market WHERE prev_ticks > 0 AND prev_at <= v_now - INTERVAL 1 MINUTE
      UNION ALL
      SELECT symbol, bar_at, bar_open, bar_high, bar_low, bar_close, bar_volume, bar_turnover,
             bar_ticks, bar_gap
        FROM market WHERE bar_ticks > 0 AND bar_at <= v_now - INTERVAL 1 MINUTE;
    CALL bar_roll('EVENT', v_now, v_changed);
    IF MOD(SECOND(v_now), 5) = 0 THEN
      CALL bar_flag_gaps(v_now, v_flagged);
    END IF;
    COMMIT;
    SET v_changed = v_changed + v_flagged;
    DO RELEASE_LOCK(v_lock);
  END IF;
END//

CREATE OR REPLACE DEFINER={DEFINER} EVENT ev_bar_minute
  ON SCHEDULE EVERY 1 SECOND ON COMPLETION PRESERVE ENABLE
  COMMENT '봉: market 의 끝난 봉을 bar 로'
DO BEGIN
  DECLARE v_now DATETIME(6);
  DECLARE v_changed INT;
  DECLARE v_error TEXT;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    GET DIAGNOSTICS CONDITION 1 v_error = MESSAGE_TEXT;
    CALL event_failed('ev_bar_minute', v_now, v_error);
  END;
  SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
  SET SESSION time_zone = '+09:00', innodb_lock_wait_timeout = 5;
  SET v_now = SYSDATE(6);
  CALL bar_copy(v_now, v_changed);
  IF v_changed IS NOT NULL THEN
    CALL event_ended('ev_bar_minute', v_now, v_changed);
  END IF;
END//
