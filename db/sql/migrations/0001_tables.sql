-- The platform tables (overwritten), the history, the ledger. Times are KST DATETIME(6), money is
-- whole won in BIGINT, symbols and codes are ASCII strings. Accounts stand here by their label
-- from the settings, never by number (P13).

-- one row a stock, overwritten by the market daemon alone
CREATE TABLE market (
  symbol        VARCHAR(9)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT '종목코드',
  section       TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '섹션 번호',
  seq           BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '이 종목에서 받은 체결 수 (데몬 시작부터, 시작값은 시각)',
  price         BIGINT NOT NULL DEFAULT 0 COMMENT '현재가',
  price_change  BIGINT NOT NULL DEFAULT 0 COMMENT '전일 대비',
  day_open      BIGINT NOT NULL DEFAULT 0 COMMENT '시가',
  day_high      BIGINT NOT NULL DEFAULT 0 COMMENT '고가',
  day_low       BIGINT NOT NULL DEFAULT 0 COMMENT '저가',
  ask           BIGINT NOT NULL DEFAULT 0 COMMENT '매도호가1',
  bid           BIGINT NOT NULL DEFAULT 0 COMMENT '매수호가1',
  last_volume   BIGINT NOT NULL DEFAULT 0 COMMENT '체결 거래량',
  day_volume    BIGINT NOT NULL DEFAULT 0 COMMENT '누적 거래량',
  day_turnover  BIGINT NOT NULL DEFAULT 0 COMMENT '누적 거래대금',
  halted        TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '거래정지',
  hour_class    VARCHAR(2)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '' COMMENT '시간 구분 (C: VI)',
  market_class  VARCHAR(2)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '' COMMENT '장 구분',
  vi_price      BIGINT NOT NULL DEFAULT 0 COMMENT '정적VI 기준가',
  drift         TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '1: 전문 필드 부족, 이 종목 매매 중지',
  traded_at     DATETIME(6) NULL COMMENT '거래소 체결 시각',
  received_at   DATETIME(6) NULL COMMENT '수신 시각',
  recent        VARCHAR(400) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''
                COMMENT '최근 체결 seq:price 를 오래된 것부터 빈칸으로, 트레이더가 두 번 보는 사이의 가격을 놓치지 않게',
  -- the running minute bar
  bar_at        DATETIME NULL COMMENT '진행 봉 시작',
  bar_open      BIGINT NOT NULL DEFAULT 0,
  bar_high      BIGINT NOT NULL DEFAULT 0,
  bar_low       BIGINT NOT NULL DEFAULT 0,
  bar_close     BIGINT NOT NULL DEFAULT 0,
  bar_volume    BIGINT NOT NULL DEFAULT 0,
  bar_turnover  BIGINT NOT NULL DEFAULT 0,
  bar_ticks     INT UNSIGNED NOT NULL DEFAULT 0,
  bar_gap       TINYINT UNSIGNED NOT NULL DEFAULT 0,
  -- the minute bar closed last
  prev_at       DATETIME NULL COMMENT '직전 봉 시작',
  prev_open     BIGINT NOT NULL DEFAULT 0,
  prev_high     BIGINT NOT NULL DEFAULT 0,
  prev_low      BIGINT NOT NULL DEFAULT 0,
  prev_close    BIGINT NOT NULL DEFAULT 0,
  prev_volume   BIGINT NOT NULL DEFAULT 0,
  prev_turnover BIGINT NOT NULL DEFAULT 0,
  prev_ticks    INT UNSIGNED NOT NULL DEFAULT 0,
  prev_gap      TINYINT UNSIGNED NOT NULL DEFAULT 0,
  -- the last fill notice of this stock (체결통보)
  notice_at     DATETIME(6) NULL,
  notice        VARCHAR(120) NOT NULL DEFAULT '' COMMENT '예: 체결 매수 10주 71,500원 주문 1234',
  PRIMARY KEY (symbol)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='시장 플랫폼 테이블 (덮어쓰기)';

-- which stocks the sections watch; armed conditions come first by themselves
CREATE TABLE watch (
  symbol   VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  added_by VARCHAR(20) NOT NULL,
  added_at DATETIME(6) NOT NULL,
  PRIMARY KEY (symbol)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='관심 종목';

CREATE TABLE bar (
  symbol     VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  minutes    SMALLINT UNSIGNED NOT NULL COMMENT '1 3 5 10 15 30 60 1440',
  at         DATETIME NOT NULL COMMENT '봉 시작 (KST)',
  open       BIGINT NOT NULL,
  high       BIGINT NOT NULL,
  low        BIGINT NOT NULL,
  close      BIGINT NOT NULL,
  volume     BIGINT NOT NULL COMMENT '주',
  turnover   BIGINT NOT NULL COMMENT '원',
  ticks      INT UNSIGNED NOT NULL,
  gap        TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '1: 수신이 끊긴 구간이 있음',
  source     VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'EVENT, REPAIR',
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (symbol, minutes, at),
  KEY k_at (minutes, at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='봉'
  PARTITION BY RANGE COLUMNS (at) (PARTITION p_future VALUES LESS THAN (MAXVALUE));

-- when a section was not delivering: minutes inside are marked gap
CREATE TABLE feed_gap (
  id       BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  section  TINYINT UNSIGNED NOT NULL,
  from_at  DATETIME(6) NOT NULL,
  until_at DATETIME(6) NULL,
  reason   VARCHAR(120) NOT NULL,
  PRIMARY KEY (id), KEY k_section (section, from_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='수신 공백';

-- money, one row an account, overwritten as one snapshot
CREATE TABLE asset_balance (
  account          VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT '설정의 계좌 이름 (번호 아님)',
  deposit          BIGINT NOT NULL COMMENT '예수금 D+0',
  deposit_d1       BIGINT NOT NULL COMMENT 'D+1',
  deposit_d2       BIGINT NOT NULL COMMENT 'D+2',
  orderable_cash   BIGINT NULL COMMENT '주문가능현금 (미수 없는 매수금액)',
  securities_value BIGINT NOT NULL COMMENT '유가평가금액',
  total_value      BIGINT NOT NULL COMMENT '총평가금액',
  net_assets       BIGINT NOT NULL COMMENT '순자산',
  cost             BIGINT NOT NULL COMMENT '매입금액 합계',
  profit           BIGINT NOT NULL COMMENT '평가손익 합계',
  realized_profit  BIGINT NULL COMMENT '오늘 실현손익',
  bought_today     BIGINT NOT NULL,
  sold_today       BIGINT NOT NULL,
  fees_today       BIGINT NOT NULL,
  snapshot_no      BIGINT UNSIGNED NOT NULL COMMENT '한 번의 조회가 쓴 행은 모두 같은 번호',
  received_at      DATETIME(6) NOT NULL,
  PRIMARY KEY (account)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='자산: 잔고 (덮어쓰기)';

CREATE TABLE asset_position (
  account       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  symbol        VARCHAR(9)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name          VARCHAR(60) NOT NULL DEFAULT '',
  quantity      BIGINT NOT NULL COMMENT '보유수량',
  sellable      BIGINT NOT NULL COMMENT '주문가능수량',
  average_price DECIMAL(18,4) NOT NULL COMMENT '매입평균가',
  cost          BIGINT NOT NULL,
  price         BIGINT NOT NULL,
  value         BIGINT NOT NULL,
  profit        BIGINT NOT NULL,
  snapshot_no   BIGINT UNSIGNED NOT NULL,
  received_at   DATETIME(6) NOT NULL,
  PRIMARY KEY (account, symbol)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='자산: 보유종목 (덮어쓰기)';

-- the asset tables as they were at each bar end; symbol '' is the balance
CREATE TABLE asset_history (
  account    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  symbol     VARCHAR(9)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  at         DATETIME NOT NULL,
  quantity   BIGINT NOT NULL DEFAULT 0,
  average_price DECIMAL(18,4) NOT NULL DEFAULT 0,
  price      BIGINT NOT NULL DEFAULT 0,
  value      BIGINT NOT NULL COMMENT '평가금액; 잔고 행에서는 총평가금액',
  profit     BIGINT NOT NULL,
  cash       BIGINT NOT NULL DEFAULT 0 COMMENT '잔고 행: D+2',
  snapshot_no BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (account, symbol, at), KEY k_at (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='자산 이력'
  PARTITION BY RANGE COLUMNS (at) (PARTITION p_future VALUES LESS THAN (MAXVALUE));

-- the ledger: one row is one firing of one arming, and at most one order (P4)
CREATE TABLE strike (
  id            BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  condition_id  BIGINT UNSIGNED NOT NULL,
  arm_no        INT UNSIGNED NOT NULL,
  condition_rev INT UNSIGNED NOT NULL,
  account       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  symbol        VARCHAR(9)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  side          VARCHAR(4)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  order_kind    VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  venue         VARCHAR(3)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  quantity      INT UNSIGNED NOT NULL,
  price         BIGINT NOT NULL COMMENT '주문 가격, 시장가는 0',
  trigger_op    CHAR(2)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  strike_price  BIGINT NOT NULL,
  -- the tick that fired it
  tick_price    BIGINT NOT NULL,
  tick_seq      BIGINT UNSIGNED NOT NULL,
  tick_at       DATETIME(6) NULL,
  tick_received_at DATETIME(6) NOT NULL,
  fired_at      DATETIME(6) NOT NULL,
  deadline      DATETIME(6) NOT NULL COMMENT '이 시각 뒤에는 보내지 않음 (P7)',
  assets        TEXT NOT NULL COMMENT '발동 순간의 계좌 (JSON)',
  -- its life: trading/lifecycle.py has the table of allowed steps
  state         VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reason_code   VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  reason        VARCHAR(200) NOT NULL DEFAULT '',
  claim         CHAR(36)    CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT '보낼 권리를 쥔 표식',
  fence         BIGINT UNSIGNED NULL,
  claimed_at    DATETIME(6) NULL,
  answered_at   DATETIME(6) NULL,
  order_no      VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'ODNO, 앞의 0 없이',
  order_day     DATE NULL,
  branch        VARCHAR(8)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  filled        INT UNSIGNED NOT NULL DEFAULT 0,
  filled_amount BIGINT NOT NULL DEFAULT 0,
  updated_at    DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY u_arming (condition_id, arm_no),
  UNIQUE KEY u_order (account, order_day, order_no),
  KEY k_state (state, fired_at),
  KEY k_symbol (symbol, state)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='타격 원장';

-- append-only; each row carries the hash of the one before
CREATE TABLE order_event (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  strike_id  BIGINT UNSIGNED NOT NULL,
  at         DATETIME(6) NOT NULL,
  from_state VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  to_state   VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  detail     TEXT NOT NULL COMMENT 'JSON, 비밀 없음',
  prev_hash  CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  hash       CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (id), KEY k_strike (strike_id), UNIQUE KEY u_prev (prev_hash)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='주문 사건 (추가만)';

-- every notice record as it came: hints, not truth
CREATE TABLE notice (
  id             BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  account        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  order_day      DATE NOT NULL,
  order_no       VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  original_order_no VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  kind           VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  symbol         VARCHAR(9)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  side           VARCHAR(4)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  quantity       INT UNSIGNED NOT NULL,
  price          BIGINT NOT NULL,
  order_quantity INT UNSIGNED NOT NULL,
  at             DATETIME(6) NOT NULL,
  occurrence     SMALLINT UNSIGNED NOT NULL COMMENT '같은 내용의 몇 번째인가: 여러 섹션의 사본은 같은 번호',
  received_at    DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY u_same (account, order_day, order_no, kind, at, price, quantity, occurrence),
  KEY k_order (account, order_day, order_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='체결통보 원문 (추가만)';

-- append-only: shares that changed hands on our account. NOTICE rows come from the feed, BROKER rows
-- make up the difference to the broker's cumulative figure (negative where a notice was doubled).
CREATE TABLE fill (
  id        BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  account   VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  order_day DATE NOT NULL,
  order_no  VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  symbol    VARCHAR(9)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  side      VARCHAR(4)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  quantity  INT NOT NULL,
  price     BIGINT NOT NULL,
  at        DATETIME(6) NOT NULL,
  source    VARCHAR(8)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'NOTICE, BROKER',
  notice_id BIGINT UNSIGNED NULL,
  recorded_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id), UNIQUE KEY u_notice (notice_id), KEY k_order (account, order_day, order_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='체결 (추가만)';

-- what the trader makes of each condition, for the page
CREATE TABLE condition_state (
  condition_id BIGINT UNSIGNED NOT NULL,
  seen_rev     INT UNSIGNED NOT NULL,
  arm_no       INT UNSIGNED NOT NULL,
  state        VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'OFF ARMED WAITING STRUCK BAD',
  reason       VARCHAR(200) NOT NULL DEFAULT '',
  strike_id    BIGINT UNSIGNED NULL,
  updated_at   DATETIME(6) NOT NULL,
  PRIMARY KEY (condition_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='조건을 기계가 본 상태';

-- the pace of order calls of an account, on this server's clock (P5)
CREATE TABLE order_gate (
  account VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  next_at DATETIME(6) NOT NULL COMMENT '이 시각 전에는 주문 호출 없음',
  token   CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  PRIMARY KEY (account)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='주문 간격';

-- who may run what there must be one of; the fencing number only grows
CREATE TABLE lease (
  name       VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  holder     VARCHAR(80) NOT NULL,
  fence      BIGINT UNSIGNED NOT NULL,
  expires_at DATETIME(6) NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='단독 실행권';

CREATE TABLE guard_trip (
  id        BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  guard     VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  at        DATETIME(6) NOT NULL,
  drill     TINYINT UNSIGNED NOT NULL DEFAULT 0,
  strike_id BIGINT UNSIGNED NULL,
  detail    VARCHAR(200) NOT NULL,
  PRIMARY KEY (id), KEY k_guard (guard, at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='가드 작동 기록 (추가만)';

-- who runs, since when, last progress
CREATE TABLE daemon (
  name        VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'market trader orders assets sweep beat …',
  host        VARCHAR(64) NOT NULL,
  pid         INT UNSIGNED NOT NULL,
  started_at  DATETIME(6) NOT NULL,
  progress_at DATETIME(6) NOT NULL COMMENT '살아 있음이 아니라 일이 나아간 시각',
  state       VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'STARTING RUNNING WAITING STOPPED FAILED',
  detail      VARCHAR(400) NOT NULL DEFAULT '' COMMENT '짧은 JSON',
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='데몬';

-- tier 2: further stocks over the surplus calls, overwritten
CREATE TABLE sweep_quote (
  symbol       VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name         VARCHAR(60) NOT NULL DEFAULT '',
  price        BIGINT NOT NULL,
  price_change BIGINT NOT NULL,
  day_open     BIGINT NOT NULL,
  day_high     BIGINT NOT NULL,
  day_low      BIGINT NOT NULL,
  upper_limit  BIGINT NOT NULL COMMENT '상한가',
  lower_limit  BIGINT NOT NULL COMMENT '하한가',
  base_price   BIGINT NOT NULL COMMENT '기준가',
  ask          BIGINT NOT NULL,
  bid          BIGINT NOT NULL,
  day_volume   BIGINT NOT NULL,
  day_turnover BIGINT NOT NULL,
  received_at  DATETIME(6) NOT NULL,
  missing_since DATETIME(6) NULL COMMENT '응답에 없던 때부터; 값은 그 전 것',
  PRIMARY KEY (symbol)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='2계층 시세 (덮어쓰기)';

-- tier 3: the whole market, daily, from data.go.kr
CREATE TABLE daily_price (
  day           DATE NOT NULL,
  symbol        VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  open          BIGINT NOT NULL,
  high          BIGINT NOT NULL,
  low           BIGINT NOT NULL,
  close         BIGINT NOT NULL,
  price_change  BIGINT NOT NULL,
  change_rate   DECIMAL(8,2) NOT NULL COMMENT '%',
  volume        BIGINT NOT NULL,
  turnover      BIGINT NOT NULL,
  listed_shares BIGINT NOT NULL,
  market_cap    BIGINT NOT NULL,
  PRIMARY KEY (day, symbol), KEY k_symbol (symbol, day)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='3계층 일별 시세';

CREATE TABLE listing (
  symbol   VARCHAR(9)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  isin     VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  name     VARCHAR(60) NOT NULL,
  market   VARCHAR(8)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'KOSPI KOSDAQ KONEX',
  last_day DATE NOT NULL COMMENT '마지막으로 본 날',
  PRIMARY KEY (symbol), KEY k_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='상장 종목';
