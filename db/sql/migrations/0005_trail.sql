-- A trailing stop follows on after a restart of the trader.
ALTER TABLE condition_state
  ADD COLUMN trail_best BIGINT NULL COMMENT '추적손절: 장전 뒤 가장 좋은 가격' AFTER strike_id,
  ADD COLUMN trail_at DATETIME(6) NULL COMMENT '그 가격을 본 때' AFTER trail_best;
