-- What the site and people's SQL clients read. No account number and no secret stands in these tables.
CREATE OR REPLACE DEFINER={DEFINER} SQL SECURITY DEFINER VIEW v_market AS
  SELECT m.symbol, COALESCE(l.name, '') AS name, m.section, m.seq, m.price, m.price_change,
         m.day_open, m.day_high, m.day_low, m.ask, m.bid, m.last_volume, m.day_volume, m.day_turnover,
         m.halted, m.hour_class, m.vi_price, m.drift, m.traded_at, m.received_at, m.notice_at, m.notice
    FROM market m LEFT JOIN listing l ON l.symbol = m.symbol;

CREATE OR REPLACE DEFINER={DEFINER} SQL SECURITY DEFINER VIEW v_asset_balance AS SELECT * FROM asset_balance;

-- between two polls value and profit follow the ticks; a row of the market that is a minute older than
-- the poll (the feed stood still) does not
CREATE OR REPLACE DEFINER={DEFINER} SQL SECURITY DEFINER VIEW v_asset_position AS
  SELECT p.account, p.symbol, p.name, p.quantity, p.sellable, p.average_price, p.cost,
         COALESCE(NULLIF(m.price, 0), p.price) AS price,
         p.quantity * COALESCE(NULLIF(m.price, 0), p.price) AS value,
         p.quantity * COALESCE(NULLIF(m.price, 0), p.price) - p.cost AS profit,
         p.received_at, m.received_at AS price_received_at
    FROM asset_position p LEFT JOIN market m
      ON m.symbol = p.symbol AND m.received_at > p.received_at - INTERVAL 60 SECOND
   WHERE p.quantity > 0;

CREATE OR REPLACE DEFINER={DEFINER} SQL SECURITY DEFINER VIEW v_bar AS
  SELECT symbol, minutes, at, open, high, low, close, volume, turnover, ticks, gap FROM bar;

CREATE OR REPLACE DEFINER={DEFINER} SQL SECURITY DEFINER VIEW v_strike AS
  SELECT id, condition_id, arm_no, condition_rev, account, symbol, side, order_kind, venue, quantity,
         price, trigger_op, strike_price, tick_price, tick_at, fired_at, deadline, state, reason_code,
         reason, claimed_at, answered_at, order_no, order_day, filled, filled_amount, updated_at
    FROM strike;

CREATE OR REPLACE DEFINER={DEFINER} SQL SECURITY DEFINER VIEW v_fill AS
  SELECT id, account, order_day, order_no, symbol, side, quantity, price, at, source FROM fill;

CREATE OR REPLACE DEFINER={DEFINER} SQL SECURITY DEFINER VIEW v_condition_state AS SELECT * FROM condition_state;
CREATE OR REPLACE DEFINER={DEFINER} SQL SECURITY DEFINER VIEW v_daemon AS
  SELECT name, started_at, progress_at, state, detail FROM daemon;
CREATE OR REPLACE DEFINER={DEFINER} SQL SECURITY DEFINER VIEW v_listing AS
  SELECT l.symbol, l.name, l.market, d.close AS last_close, l.last_day
    FROM listing l LEFT JOIN daily_price d ON d.symbol = l.symbol AND d.day = l.last_day;
CREATE OR REPLACE DEFINER={DEFINER} SQL SECURITY DEFINER VIEW v_sweep_quote AS SELECT * FROM sweep_quote;
CREATE OR REPLACE DEFINER={DEFINER} SQL SECURITY DEFINER VIEW v_stock_day AS SELECT * FROM stock_day;
CREATE OR REPLACE DEFINER={DEFINER} SQL SECURITY DEFINER VIEW v_guard_trip AS SELECT guard, at, drill, strike_id, detail FROM guard_trip;
-- a section that was taken out of the settings is no longer written: it drops out after a minute
CREATE OR REPLACE DEFINER={DEFINER} SQL SECURITY DEFINER VIEW v_lane AS
  SELECT label, lane, places, used, waiting, granted, refused, opens_in_ms, updated_at
    FROM lane WHERE updated_at > (SELECT MAX(updated_at) FROM lane) - INTERVAL 1 MINUTE;
