-- What only Redis knows, for those who may read tables alone (the site's page): written each second
-- by the watchdog. Labels are the settings' own names, never an app key (P13).
CREATE TABLE lane (
  label       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT '섹션(앱키)의 이름',
  lane        VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'all order confirm assets spare sweep',
  places      SMALLINT UNSIGNED NOT NULL COMMENT '초당 자리',
  used        SMALLINT UNSIGNED NOT NULL COMMENT '지금 찬 자리',
  waiting     INT UNSIGNED NOT NULL COMMENT '지금 기다리는 호출',
  granted     BIGINT UNSIGNED NOT NULL COMMENT '들어간 호출, 누계',
  refused     BIGINT UNSIGNED NOT NULL COMMENT '자리를 못 얻은 호출, 누계',
  opens_in_ms INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'Redis가 새로 시작되어 열릴 때까지, 밀리초',
  updated_at  DATETIME(6) NOT NULL,
  PRIMARY KEY (label, lane)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='호출 차선';
