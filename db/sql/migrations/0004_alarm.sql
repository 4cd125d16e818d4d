-- What the watchdog said, and when it was over (P12). Append-only but for whether it was delivered.
CREATE TABLE alarm (
  id      BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  fault   VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'tick, beat, queue:orders … docs/runbook.md',
  level   VARCHAR(8)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'INFO WARNING CRITICAL',
  what    VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'RAISED REPEATED RECOVERED REPORT',
  text    VARCHAR(1000) NOT NULL,
  at      DATETIME(6) NOT NULL,
  sent_at DATETIME(6) NULL COMMENT 'NULL: 아직 못 보냄, 또는 보낼 곳이 없음',
  PRIMARY KEY (id), KEY k_fault (fault, id), KEY k_at (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='경보 (추가만)';
