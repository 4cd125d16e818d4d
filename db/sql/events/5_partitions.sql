-- History by month: partitions are made three months ahead and dropped after their retention
-- (setting retention_months_<table>, 0 = keep for ever). Hourly and not daily, because a run
-- missed while the server was down is not made up.
DELIMITER //

CREATE OR REPLACE DEFINER={DEFINER} PROCEDURE roll_partitions
  (IN v_table VARCHAR(64), IN v_today DATE, OUT v_changed INT)
  SQL SECURITY DEFINER MODIFIES SQL DATA
BEGIN
  DECLARE v_keep INT DEFAULT 0;
  DECLARE v_month DATE;
  DECLARE v_name VARCHAR(64);
  DECLARE v_first DATE DEFAULT DATE_FORMAT(v_today, '%Y-%m-01');
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET v_keep = 0;
  SET v_changed = 0;

  SELECT MAX(PARTITION_NAME) INTO v_name FROM information_schema.PARTITIONS
   WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = v_table AND PARTITION_NAME RLIKE '^p[0-9]{6}$';
  SET v_month = IF(v_name IS NULL, v_first,
                   STR_TO_DATE(CONCAT(SUBSTR(v_name, 2), '01'), '%Y%m%d') + INTERVAL 1 MONTH);
  WHILE v_month <= v_first + INTERVAL 3 MONTH DO
    EXECUTE IMMEDIATE CONCAT(
      'ALTER TABLE `', v_table, '` REORGANIZE PARTITION p_future INTO (PARTITION p',
      DATE_FORMAT(v_month, '%Y%m'), ' VALUES LESS THAN (''', v_month + INTERVAL 1 MONTH,
      '''), PARTITION p_future VALUES LESS THAN (MAXVALUE))');
    SET v_month = v_month + INTERVAL 1 MONTH, v_changed = v_changed + 1;
  END WHILE;

  SELECT CAST(value AS UNSIGNED) INTO v_keep FROM setting
   WHERE name = CONCAT('retention_months_', v_table);
  IF v_keep > 0 THEN
    dropping: LOOP
      SELECT MIN(PARTITION_NAME) INTO v_name FROM information_schema.PARTITIONS
       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = v_table
         AND PARTITION_NAME RLIKE '^p[0-9]{6}$'
         AND PARTITION_NAME < CONCAT('p', DATE_FORMAT(v_first - INTERVAL v_keep MONTH, '%Y%m'));
      IF v_name IS NULL THEN LEAVE dropping; END IF;
      EXECUTE IMMEDIATE CONCAT('ALTER TABLE `', v_table, '` DROP PARTITION ', v_name);
      SET v_changed = v_changed + 1;
    END LOOP;
  END IF;
END//

CREATE OR REPLACE DEFINER={DEFINER} EVENT ev_partitions
  ON SCHEDULE EVERY 1 HOUR STARTS '2026-01-01 00:05:00' ON COMPLETION PRESERVE ENABLE
  COMMENT '이력 파티션: 다음 달 만들기, 오래된 것 지우기'
DO BEGIN
  DECLARE v_lock VARCHAR(64) DEFAULT CONCAT('partition:', DATABASE());
  DECLARE v_now DATETIME(6);
  DECLARE v_bars, v_assets INT DEFAULT 0;
  DECLARE v_error TEXT;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    GET DIAGNOSTICS CONDITION 1 v_error = MESSAGE_TEXT;
    CALL event_failed('ev_partitions', v_now, v_error);
    DO RELEASE_LOCK(v_lock);
  END;
  -- whoever reads a table for long must not make everybody else wait behind this ALTER
  SET SESSION time_zone = '+09:00', lock_wait_timeout = 5;
  SET v_now = SYSDATE(6);
  IF COALESCE(GET_LOCK(v_lock, 0), 0) THEN
    CALL roll_partitions('bar', DATE(v_now), v_bars);
    CALL roll_partitions('asset_history', DATE(v_now), v_assets);
    CALL event_ended('ev_partitions', v_now, v_bars + v_assets);
    DO RELEASE_LOCK(v_lock);
  END IF;
END//
