-- Permits of one app key, on Redis's own clock. One atomic script, so that no two processes can
-- both see the last free place. A place is a member of a ZSET whose score is the time it is free
-- again, in microseconds: granted = now + hold, answered = now + gap. The receiver sees a call
-- somewhere between its grant and its answer, so freeing a place one window after the answer makes
-- one arrival too many impossible, whatever the network does (docs/adr/0006-own-call-lanes.md).
--
-- KEYS[1]  prefix of the app key's key space
-- ARGV     operation, then what it needs; every time in microseconds
local prefix, op = KEYS[1], ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local at = 1
local function arg()
  at = at + 1
  return ARGV[at]
end
local function number()
  return tonumber(arg())
end

-- how many places of a set are taken, after dropping those that are free again
local function taken(set)
  redis.call('ZREMRANGEBYSCORE', set, '-inf', now)
  return redis.call('ZCARD', set)
end

-- no place of a full set is free before this: its first known end, or one window from now for a
-- call still on its way
local function soonest(set, window)
  local first = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')
  return math.min(tonumber(first[2] or now + window) - now, window)
end

if op == 'acquire' or op == 'cold' then
  local id, lane, hold, window = arg(), arg(), number(), number()
  local ready_key = prefix .. 'ready'
  local ready = tonumber(redis.call('GET', ready_key) or '')
  if op == 'cold' or not ready then
    -- Redis has just started or lost its memory: calls it knows nothing of may be on their way
    ready = now + hold + window
    redis.call('SET', ready_key, string.format('%.0f', ready))
  end
  if ready > now then
    return {'cold', ready - now}
  end

  local wait, pool = math.huge, nil
  for _ = 1, number() do -- places to try, the first one free is taken
    local name, limit = arg(), number()
    local set = prefix .. 'set:' .. name
    if redis.call('ZSCORE', set, id) then
      return {'granted', name} -- asked twice because the answer was lost on its way
    end
    if not pool then
      if taken(set) < limit then
        pool, wait = name, 0
      else
        wait = math.min(wait, soonest(set, window))
      end
    end
  end
  local musts = {}
  for _ = 1, number() do -- sets that must all have a place as well
    local name, limit = arg(), number()
    local set = prefix .. 'set:' .. name
    musts[#musts + 1] = set
    if taken(set) >= limit then
      wait = math.max(wait, soonest(set, window))
    end
  end
  for _ = 1, number() do -- lanes whose waiting calls go first (small ceilings only)
    local queue = prefix .. 'wait:' .. arg()
    redis.call('ZREMRANGEBYSCORE', queue, '-inf', now)
    if wait == 0 and redis.call('ZCARD', queue) > 0 then
      wait = 20000
    end
  end

  local queue = prefix .. 'wait:' .. lane
  if wait > 0 then
    -- kept a little longer than the caller sleeps; a killed caller drops out by itself
    redis.call('ZADD', queue, now + wait + 250000, id)
    redis.call('PEXPIRE', queue, 60000)
    return {'wait', math.ceil(wait)}
  end
  redis.call('ZREM', queue, id)
  redis.call('ZADD', prefix .. 'set:' .. pool, now + hold, id)
  for _, set in ipairs(musts) do
    redis.call('ZADD', set, now + hold, id)
  end
  redis.call('HINCRBY', prefix .. 'stats', 'granted:' .. lane, 1)
  return {'granted', pool}
end

if op == 'done' then -- answered: id, then pairs of set and gap
  local id = arg()
  for _ = 1, number() do
    local name, gap = arg(), number()
    redis.call('ZADD', prefix .. 'set:' .. name, 'XX', now + gap, id)
  end
  return {'done', 0}
end

if op == 'leave' then -- gave up waiting: id, lane
  local id, lane = arg(), arg()
  redis.call('ZREM', prefix .. 'wait:' .. lane, id)
  redis.call('HINCRBY', prefix .. 'stats', 'refused:' .. lane, 1)
  return {'left', 0}
end

if op == 'vouch' then -- the caller knows that no call is on its way
  redis.call('SET', prefix .. 'ready', string.format('%.0f', now))
  return {'ready', 0}
end

if op == 'look' then -- number of names, then names: places taken and calls waiting, per name
  local answer = {}
  for _ = 1, number() do
    local name = arg()
    answer[#answer + 1] = redis.call('ZCOUNT', prefix .. 'set:' .. name, '(' .. now, '+inf')
    answer[#answer + 1] = redis.call('ZCOUNT', prefix .. 'wait:' .. name, '(' .. now, '+inf')
  end
  local ready = tonumber(redis.call('GET', prefix .. 'ready') or '')
  answer[#answer + 1] = ready and math.max(0, ready - now) or -1
  return answer
end

return redis.error_reply('lanes.lua: unknown operation ' .. tostring(op))
