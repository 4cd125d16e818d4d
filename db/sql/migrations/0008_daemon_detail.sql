-- 무엇이 거부되었고 무엇이 새로 생겼는지까지 적을 자리 (db/heartbeat.py)
ALTER TABLE daemon
  MODIFY COLUMN detail VARCHAR(600) NOT NULL DEFAULT '' COMMENT '짧은 JSON';
