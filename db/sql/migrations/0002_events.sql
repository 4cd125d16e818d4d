-- What the EVENTs need: settings they can read, and a row each that shows when they last ran (P12).

CREATE TABLE setting (
  name       VARCHAR(40)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'retention_months_bar …',
  value      VARCHAR(200) NOT NULL,
  updated_at DATETIME(6)  NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='EVENT 가 읽는 설정';

CREATE TABLE event_run (
  name       VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  runs       BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '끝까지 간 횟수',
  changed    INT UNSIGNED NOT NULL DEFAULT 0 COMMENT '마지막 실행이 바꾼 행',
  started_at DATETIME(6) NULL,
  ended_at   DATETIME(6) NULL COMMENT '멈추면 침묵 경보 (P12)',
  error      VARCHAR(200) NOT NULL DEFAULT '' COMMENT '마지막 오류',
  error_at   DATETIME(6) NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='EVENT 실행 기록';
