-- What the order path needs beyond the strike itself.

ALTER TABLE strike
  ADD COLUMN max_age_ms INT UNSIGNED NOT NULL DEFAULT 3000 COMMENT '발동 체결의 최대 나이 (P7)' AFTER deadline,
  ADD COLUMN absent_since DATETIME(6) NULL COMMENT '결과 불명 주문이 증권사 목록에 없던 첫 조회' AFTER answered_at,
  ADD COLUMN broker_filled INT UNSIGNED NULL COMMENT '마지막 조회의 누적 체결수량' AFTER filled_amount,
  ADD COLUMN broker_amount BIGINT NULL COMMENT '마지막 조회의 누적 체결금액' AFTER broker_filled,
  ADD COLUMN over_since DATETIME(6) NULL COMMENT '체결 합이 조회보다 많아진 때' AFTER broker_amount,
  ADD COLUMN cancel_at DATETIME(6) NULL COMMENT '취소 호출을 쥔 때' AFTER over_since;

-- one row: the last event's hash. Its lock puts the events of all processes in one order, and a
-- chain whose tail was cut off no longer ends here.
CREATE TABLE event_head (
  one  TINYINT UNSIGNED NOT NULL,
  hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (one), CONSTRAINT ck_event_head CHECK (one = 1)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='주문 사건 사슬의 끝';

INSERT INTO event_head (one, hash) VALUES (1, REPEAT('0', 64));
