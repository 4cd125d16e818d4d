-- Bars (봉): one upsert for the EVENT and for the market daemon's repair (docs/adr, "Bars").
-- Both hold the lock bar:<database> around it, so the larger bars are never built from half a change.
DELIMITER //

-- One larger length out of the next smaller one, for every window that bar_new touches.
CREATE OR REPLACE DEFINER={DEFINER} PROCEDURE bar_roll_length
  (IN v_minutes SMALLINT UNSIGNED, IN v_child SMALLINT UNSIGNED, IN v_low DATETIME,
   IN v_high DATETIME, IN v_now DATETIME(6))
  SQL SECURITY DEFINER MODIFIES SQL DATA
BEGIN
  INSERT INTO bar (symbol, minutes, at, open, high, low, close, volume, turnover, ticks, gap,
                   source, updated_at)
  SELECT w.symbol, v_minutes, w.at, first.open, w.high, w.low, last.close, w.volume, w.turnover,
         w.ticks,
         w.gap OR EXISTS (
           SELECT 1 FROM market m JOIN feed_gap g ON g.section = m.section
            WHERE m.symbol = w.symbol AND g.from_at > w.at - INTERVAL 10 DAY
              AND g.from_at < w.at + INTERVAL v_minutes MINUTE
              AND COALESCE(g.until_at, v_now) > w.at),
         IF(w.repaired, 'REPAIR', 'EVENT'), v_now
    FROM (SELECT t.symbol, t.at, MIN(b.at) AS first_at, MAX(b.at) AS last_at, MAX(b.high) AS high,
                 MIN(b.low) AS low, SUM(b.volume) AS volume, SUM(b.turnover) AS turnover,
                 SUM(b.ticks) AS ticks, MAX(b.gap) AS gap, MAX(b.source = 'REPAIR') AS repaired
            FROM (SELECT DISTINCT symbol, TIMESTAMP(DATE(at)) + INTERVAL
                         (HOUR(at) * 60 + MINUTE(at)) DIV v_minutes * v_minutes MINUTE AS at
                    FROM bar_new) t
            JOIN bar b ON b.symbol = t.symbol AND b.minutes = v_child AND b.at >= t.at
                      AND b.at < t.at + INTERVAL v_minutes MINUTE AND b.at BETWEEN v_low AND v_high
           GROUP BY t.symbol, t.at) w
    JOIN bar first ON first.symbol = w.symbol AND first.minutes = v_child
                  AND first.at = w.first_at AND first.at BETWEEN v_low AND v_high
    JOIN bar last ON last.symbol = w.symbol AND last.minutes = v_child
                 AND last.at = w.last_at AND last.at BETWEEN v_low AND v_high
  ON DUPLICATE KEY UPDATE
    -- assignments run from left to right: the two that compare come before what they compare
    updated_at = IF(bar.open = VALUES(open) AND bar.high = VALUES(high) AND bar.low = VALUES(low)
                    AND bar.close = VALUES(close) AND bar.volume = VALUES(volume)
                    AND bar.turnover = VALUES(turnover) AND bar.ticks = VALUES(ticks)
                    AND bar.gap = VALUES(gap), bar.updated_at, VALUES(updated_at)),
    source = VALUES(source), open = VALUES(open), high = VALUES(high), low = VALUES(low),
    close = VALUES(close), volume = VALUES(volume), turnover = VALUES(turnover),
    ticks = VALUES(ticks), gap = VALUES(gap);
END//

-- Take the minute bars of the temporary table bar_in where they say more than `bar` does, then
-- rebuild every larger bar they touch. More ticks win: a daemon restarted within a minute must not
-- overwrite the whole with its part. At equal ticks a repair wins over the EVENT, and a gap flag
-- once set stays.
CREATE OR REPLACE DEFINER={DEFINER} PROCEDURE bar_roll
  (IN v_source VARCHAR(8), IN v_now DATETIME(6), OUT v_changed INT)
  SQL SECURITY DEFINER MODIFIES SQL DATA
BEGIN
  DECLARE v_low, v_high DATETIME;
  SET v_changed = 0;
  SELECT MIN(at), MAX(at) INTO v_low, v_high FROM bar_in;
  IF v_low IS NOT NULL THEN
    -- v_low and v_high are constants to the optimizer: only their partitions are looked into
    CREATE OR REPLACE TEMPORARY TABLE bar_new ENGINE=MEMORY AS
      SELECT i.symbol, i.at, i.open, i.high, i.low, i.close, i.volume, i.turnover, i.ticks,
             i.gap OR EXISTS (
               SELECT 1 FROM market m JOIN feed_gap g ON g.section = m.section
                WHERE m.symbol = i.symbol AND g.from_at > i.at - INTERVAL 10 DAY
                  AND g.from_at < i.at + INTERVAL 1 MINUTE
                  AND COALESCE(g.until_at, v_now) > i.at) AS gap
        FROM bar_in i
        LEFT JOIN bar b ON b.symbol = i.symbol AND b.minutes = 1 AND b.at = i.at
                       AND b.at BETWEEN v_low AND v_high
       WHERE b.symbol IS NULL OR i.ticks > b.ticks
          OR (i.ticks = b.ticks AND (v_source = 'REPAIR' OR b.source <> 'REPAIR') AND NOT (
               i.open = b.open AND i.high = b.high AND i.low = b.low AND i.close = b.close
               AND i.volume = b.volume AND i.turnover = b.turnover
               AND i.gap <= b.gap));
    SELECT COUNT(*), MIN(at), MAX(at) INTO v_changed, v_low, v_high FROM bar_new;
    IF v_changed > 0 THEN
      INSERT INTO bar (symbol, minutes, at, open, high, low, close, volume, turnover, ticks, gap,
                       source, updated_at)
      SELECT symbol, 1, at, open, high, low, close, volume, turnover, ticks, gap, v_source, v_now
        FROM bar_new
      ON DUPLICATE KEY UPDATE
        gap = IF(VALUES(ticks) > bar.ticks, VALUES(gap), GREATEST(bar.gap, VALUES(gap))),
        open = VALUES(open), high = VALUES(high), low = VALUES(low), close = VALUES(close),
        volume = VALUES(volume), turnover = VALUES(turnover), ticks = VALUES(ticks),
        source = VALUES(source), updated_at = VALUES(updated_at);
      SET v_low = TIMESTAMP(DATE(v_low)), v_high = TIMESTAMP(DATE(v_high)) + INTERVAL 1 DAY;
      CALL bar_roll_length(3, 1, v_low, v_high, v_now);
      CALL bar_roll_length(5, 1, v_low, v_high, v_now);
      CALL bar_roll_length(10, 5, v_low, v_high, v_now);
      CALL bar_roll_length(15, 5, v_low, v_high, v_now);
      CALL bar_roll_length(30, 15, v_low, v_high, v_now);
      CALL bar_roll_length(60, 30, v_low, v_high, v_now);
      CALL bar_roll_length(1440, 60, v_low, v_high, v_now);
    END IF;
    DROP TEMPORARY TABLE bar_new;
  END IF;
  DROP TEMPORARY TABLE bar_in;
END//

-- Bars that were stored before their gap was noticed get the flag afterwards.
CREATE OR REPLACE DEFINER={DEFINER} PROCEDURE bar_flag_gaps (IN v_now DATETIME(6), OUT v_changed INT)
  SQL SECURITY DEFINER MODIFIES SQL DATA
BEGIN
  SET v_changed = 0;
  IF EXISTS (SELECT 1 FROM feed_gap WHERE from_at > v_now - INTERVAL 10 DAY
                AND (until_at IS NULL OR until_at > v_now - INTERVAL 10 MINUTE)) THEN
    -- looked up first and updated after: an UPDATE that joins `market` would lock its rows and
    -- hold up the writer. The day bars apart, so that nobody reads a day of minutes for them.
    CREATE OR REPLACE TEMPORARY TABLE bar_dark ENGINE=MEMORY AS
      SELECT DISTINCT b.symbol, b.minutes, b.at
        FROM feed_gap g
        JOIN market m ON m.section = g.section
        JOIN bar b ON b.symbol = m.symbol
                  AND ((b.minutes IN (1, 3, 5, 10, 15, 30, 60) AND b.at > g.from_at - INTERVAL 1 HOUR)
                       OR (b.minutes = 1440 AND b.at > g.from_at - INTERVAL 1 DAY))
                  AND b.at < COALESCE(g.until_at, v_now)
       WHERE g.from_at > v_now - INTERVAL 10 DAY
         AND (g.until_at IS NULL OR g.until_at > v_now - INTERVAL 10 MINUTE)
         AND b.at > v_now - INTERVAL 11 DAY
         AND b.gap = 0 AND b.at + INTERVAL b.minutes MINUTE > g.from_at;
    UPDATE bar b JOIN bar_dark d USING (symbol, minutes, at) SET b.gap = 1, b.updated_at = v_now;
    SET v_changed = ROW_COUNT();
    DROP TEMPORARY TABLE bar_dark;
  END IF;
END//

-- The market daemon's repair: a JSON array of minute bars. Gives back one row: changed.
-- SQLSTATE 45000 when the lock is not to be had within 10 s.
CREATE OR REPLACE DEFINER={DEFINER} PROCEDURE bar_repair (IN v_rows LONGTEXT CHARACTER SET utf8mb4)
  SQL SECURITY DEFINER MODIFIES SQL DATA
BEGIN
  DECLARE v_changed INT DEFAULT 0;
  DECLARE v_lock VARCHAR(64) DEFAULT CONCAT('bar:', DATABASE());
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    DO RELEASE_LOCK(v_lock);
    RESIGNAL;
  END;
  SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
  SET SESSION time_zone = '+09:00';
  IF NOT COALESCE(GET_LOCK(v_lock, 10), 0) THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1205, MESSAGE_TEXT = 'bars are being written';
  END IF;
  CREATE OR REPLACE TEMPORARY TABLE bar_in ENGINE=MEMORY AS
    SELECT CAST(j.symbol AS CHAR(9) CHARACTER SET ascii) COLLATE ascii_bin AS symbol, j.at, j.open,
           j.high, j.low, j.close, j.volume, j.turnover, j.ticks, j.gap
      FROM JSON_TABLE(v_rows, '$[*]' COLUMNS (
             symbol VARCHAR(9) PATH '$.symbol' ERROR ON EMPTY ERROR ON ERROR,
             at DATETIME PATH '$.at' ERROR ON EMPTY ERROR ON ERROR,
             open BIGINT PATH '$.open' ERROR ON EMPTY ERROR ON ERROR,
             high BIGINT PATH '$.high' ERROR ON EMPTY ERROR ON ERROR,
             low BIGINT PATH '$.low' ERROR ON EMPTY ERROR ON ERROR,
             close BIGINT PATH '$.close' ERROR ON EMPTY ERROR ON ERROR,
             volume BIGINT PATH '$.volume' ERROR ON EMPTY ERROR ON ERROR,
             turnover BIGINT PATH '$.turnover' ERROR ON EMPTY ERROR ON ERROR,
             ticks INT UNSIGNED PATH '$.ticks' ERROR ON EMPTY ERROR ON ERROR,
             gap TINYINT UNSIGNED PATH '$.gap' ERROR ON EMPTY ERROR ON ERROR)) j;
  START TRANSACTION;
  CALL bar_roll('REPAIR', SYSDATE(6), v_changed);
  COMMIT;
  DO RELEASE_LOCK(v_lock);
  SELECT v_changed AS changed;
END//
