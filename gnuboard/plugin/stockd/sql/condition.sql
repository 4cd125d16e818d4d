-- What a person sets: conditions, their history, the stop switch. These three stand in the Gnuboard
-- database when there is one ({P} is its table prefix), else in stockd itself ({P} is empty).
-- The plugin carries the same text; a test compares the two. Times are KST.

CREATE TABLE IF NOT EXISTS `{P}stockd_condition` (
  id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  owner        VARCHAR(20)  NOT NULL COMMENT '회원 아이디; CLI 는 cli',
  symbol       VARCHAR(9)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  side         VARCHAR(4)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'BUY, SELL',
  trigger_op   CHAR(2)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'LE: 이하, GE: 이상',
  strike_price BIGINT UNSIGNED NOT NULL COMMENT '타격 가격, 원',
  order_kind   VARCHAR(12)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'LIMIT',
  limit_price  BIGINT UNSIGNED NULL COMMENT 'NULL: 타격 가격으로 지정가',
  venue        VARCHAR(3)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'KRX',
  quantity     INT UNSIGNED NULL COMMENT '수량, 또는',
  amount       BIGINT UNSIGNED NULL COMMENT '금액(원): 둘 중 하나',
  enabled      TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '1: 장전',
  arm_no       INT UNSIGNED NOT NULL DEFAULT 0 COMMENT '장전할 때마다 1 증가; 한 번의 장전은 많아야 한 주문',
  valid_from   DATETIME(6)  NULL,
  valid_until  DATETIME(6)  NULL,
  window_from  TIME         NULL COMMENT '하루 중 시작',
  window_until TIME         NULL COMMENT '하루 중 끝',
  max_age_ms   INT UNSIGNED NOT NULL DEFAULT 3000 COMMENT '발동 체결의 최대 나이 (P7)',
  day_amount_cap BIGINT UNSIGNED NULL COMMENT '하루 주문 금액 한도, 원',
  day_strike_cap INT UNSIGNED NULL COMMENT '하루 타격 횟수 한도',
  trail_percent DECIMAL(6,3) NULL COMMENT '트레일링 스톱: 고점(저점) 대비 %',
  arms_after   BIGINT UNSIGNED NULL COMMENT '이 조건의 체결 뒤에만 유효 (익절/손절)',
  oco_group    BIGINT UNSIGNED NULL COMMENT '같은 묶음에서 하나가 발동하면 나머지는 무효',
  memo         VARCHAR(200) NOT NULL DEFAULT '',
  rev          INT UNSIGNED NOT NULL DEFAULT 1 COMMENT '바뀔 때마다 1 증가',
  created_by   VARCHAR(20)  NOT NULL,
  updated_by   VARCHAR(20)  NOT NULL,
  created_at   DATETIME(6)  NOT NULL,
  updated_at   DATETIME(6)  NOT NULL,
  deleted_at   DATETIME(6)  NULL COMMENT '지운 표시 (행은 남는다)',
  PRIMARY KEY (id),
  KEY k_armed (enabled, deleted_at, symbol),
  KEY k_owner (owner, deleted_at),
  CONSTRAINT `{P}stockd_ck_symbol`  CHECK (symbol RLIKE '^[A-Z0-9]{6,9}$'),
  CONSTRAINT `{P}stockd_ck_side`    CHECK (side IN ('BUY','SELL')),
  CONSTRAINT `{P}stockd_ck_op`      CHECK (trigger_op IN ('LE','GE')),
  CONSTRAINT `{P}stockd_ck_strike`  CHECK (strike_price BETWEEN 1 AND 100000000),
  CONSTRAINT `{P}stockd_ck_kind`    CHECK (order_kind IN ('LIMIT','MARKET','BEST','FIRST','LIMIT_IOC','LIMIT_FOK','MARKET_IOC','MARKET_FOK','BEST_IOC','BEST_FOK')),
  CONSTRAINT `{P}stockd_ck_limit`   CHECK (limit_price IS NULL OR limit_price BETWEEN 1 AND 100000000),
  CONSTRAINT `{P}stockd_ck_venue`   CHECK (venue IN ('KRX','NXT','SOR')),
  CONSTRAINT `{P}stockd_ck_size`    CHECK ((quantity IS NULL) <> (amount IS NULL)),
  CONSTRAINT `{P}stockd_ck_qty`     CHECK (quantity IS NULL OR quantity BETWEEN 1 AND 1000000),
  CONSTRAINT `{P}stockd_ck_amount`  CHECK (amount IS NULL OR amount BETWEEN 1 AND 100000000000),
  CONSTRAINT `{P}stockd_ck_enabled` CHECK (enabled IN (0,1)),
  CONSTRAINT `{P}stockd_ck_age`     CHECK (max_age_ms BETWEEN 100 AND 60000),
  CONSTRAINT `{P}stockd_ck_trail`   CHECK (trail_percent IS NULL OR trail_percent BETWEEN 0.1 AND 30)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='매매 조건';

-- history of each change, written in the same transaction as the change
CREATE TABLE IF NOT EXISTS `{P}stockd_condition_log` (
  id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  condition_id BIGINT UNSIGNED NOT NULL,
  rev          INT UNSIGNED NOT NULL,
  action       VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'ADD EDIT ARM DISARM REMOVE',
  actor        VARCHAR(20) NOT NULL,
  actor_ip     VARCHAR(45) NOT NULL DEFAULT '',
  row_json     TEXT NOT NULL,
  at           DATETIME(6) NOT NULL,
  PRIMARY KEY (id), KEY k_condition (condition_id, rev)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='매매 조건 이력 (추가만)';

-- the stop switch (P10), append-only: the last row counts
CREATE TABLE IF NOT EXISTS `{P}stockd_halt` (
  id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  action      VARCHAR(6)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'HALT, RESUME',
  reason      VARCHAR(200) NOT NULL,
  actor       VARCHAR(20) NOT NULL COMMENT '사람, 또는 가드 이름',
  source      VARCHAR(8)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'CLI PLUGIN GUARD FILE',
  cancel_open TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '1: 미체결 주문도 모두 취소',
  at          DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  CONSTRAINT `{P}stockd_ck_halt` CHECK (action IN ('HALT','RESUME') AND reason <> '' AND NOT (action = 'RESUME' AND source IN ('GUARD','FILE')))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='정지 스위치 (추가만)';
