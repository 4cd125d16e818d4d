-- Every minute: the asset tables as they stand, once for each snapshot. One statement reads both
-- tables, so a snapshot being written meanwhile is seen whole or not at all.
DELIMITER //

CREATE OR REPLACE DEFINER={DEFINER} EVENT ev_asset_history
  ON SCHEDULE EVERY 1 MINUTE STARTS '2026-01-01 00:00:00' ON COMPLETION PRESERVE ENABLE
  COMMENT '자산 이력: 분마다 스냅샷'
DO BEGIN
  DECLARE v_lock VARCHAR(64) DEFAULT CONCAT('asset:', DATABASE());
  DECLARE v_now DATETIME(6);
  DECLARE v_changed INT DEFAULT 0;
  DECLARE v_error TEXT;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    GET DIAGNOSTICS CONDITION 1 v_error = MESSAGE_TEXT;
    ROLLBACK;
    CALL event_failed('ev_asset_history', v_now, v_error);
    DO RELEASE_LOCK(v_lock);
  END;
  SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
  SET SESSION time_zone = '+09:00', innodb_lock_wait_timeout = 5;
  SET v_now = SYSDATE(6);
  IF COALESCE(GET_LOCK(v_lock, 0), 0) THEN
    CALL asset_history_copy(v_now, v_changed);
    CALL event_ended('ev_asset_history', v_now, v_changed);
    DO RELEASE_LOCK(v_lock);
  END IF;
END//

CREATE OR REPLACE DEFINER={DEFINER} PROCEDURE asset_history_copy
  (IN v_now DATETIME(6), OUT v_changed INT)
  SQL SECURITY DEFINER MODIFIES SQL DATA
BEGIN
  DECLARE v_at DATETIME DEFAULT DATE_FORMAT(v_now, '%Y-%m-%d %H:%i:00');
  INSERT INTO asset_history
    (account, symbol, at, quantity, average_price, price, value, profit, cash, snapshot_no)
  SELECT rows_now.*
    FROM (SELECT account, '' AS symbol, v_at, 0 AS quantity, 0 AS average_price, 0 AS price,
                 total_value, profit, deposit_d2, snapshot_no
            FROM asset_balance
           UNION ALL
          SELECT account, symbol, v_at, quantity, average_price, price, value, profit, 0,
                 snapshot_no
            FROM asset_position) rows_now
   WHERE rows_now.snapshot_no > COALESCE(
           (SELECT h.snapshot_no FROM asset_history h
             WHERE h.account = rows_now.account AND h.symbol = ''
             ORDER BY h.at DESC LIMIT 1), 0)
  -- the event can run twice within one minute only with a newer snapshot
  ON DUPLICATE KEY UPDATE quantity = VALUES(quantity), average_price = VALUES(average_price),
    price = VALUES(price), value = VALUES(value), profit = VALUES(profit), cash = VALUES(cash),
    snapshot_no = VALUES(snapshot_no);
  SET v_changed = ROW_COUNT();
END//
