-- 매매 조건이 있는 종목의 그날: 상·하한가와 지정 (runtime/stock_days.py). 웹소켓 체결에는 없는 값
CREATE TABLE stock_day (
  symbol       VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  day          DATE NOT NULL COMMENT '이 값들의 날 (KST)',
  base_price   BIGINT NOT NULL COMMENT '기준가',
  upper_limit  BIGINT NOT NULL COMMENT '상한가',
  lower_limit  BIGINT NOT NULL COMMENT '하한가',
  designations VARCHAR(100) NULL COMMENT '지정, 쉼표로; 빈 값은 KIS의 코드를 모름',
  no_buy       VARCHAR(100) NOT NULL DEFAULT '' COMMENT '그중 사지 않는 것 (trade.no_buy)',
  received_at  DATETIME(6) NOT NULL,
  PRIMARY KEY (symbol)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='종목의 그날';
