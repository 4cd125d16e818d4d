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

-- A line: whoever waits for the one place of a set is served first come, first served, else two
-- callers that wake at once would draw lots, and a poll of several calls could lose for ten seconds.
-- A place in it may be booked ahead; it stands before all who came by themselves.
local function ends_of(line)
  return prefix .. 'line-ends:' .. line
end
local function stand(line, who, came, ends)
  redis.call('ZADD', prefix .. 'line:' .. line, 'NX', came, who)
  redis.call('ZADD', ends_of(line), ends, who)
  redis.call('PEXPIRE', prefix .. 'line:' .. line, 60000)
  redis.call('PEXPIRE', ends_of(line), 60000)
end
local function step_out(line, who)
  redis.call('ZREM', prefix .. 'line:' .. line, who)
  redis.call('ZREM', ends_of(line), who)
end
-- how long somebody else stands before `who`: 0 when nobody does
local function behind(line, who)
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', ends_of(line), '-inf', now)) do
    step_out(line, gone) -- killed in its sleep
  end
  local first = redis.call('ZRANGE', prefix .. 'line:' .. line, 0, 0)[1]
  if not first or first == who then
    return 0
  end
  if string.sub(first, 1, 7) == 'booked:' then
    return math.max(1000, tonumber(redis.call('ZSCORE', ends_of(line), first)) - now)
  end
  return 20000
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
  local line = arg() -- the set that has a line, '' for none
  local musts, held_up = {}, wait > 0
  for _ = 1, number() do -- sets that must all have a place as well
    local name, limit = arg(), number()
    local set = prefix .. 'set:' .. name
    musts[#musts + 1] = set
    if taken(set) >= limit then
      wait = math.max(wait, soonest(set, window))
      held_up = held_up or name ~= line
    end
  end
  if line ~= '' then
    local booked = 'booked:' .. lane
    local came = redis.call('ZSCORE', prefix .. 'line:' .. line, booked) or now
    step_out(line, booked) -- whoever booked is here now
    if held_up then
      step_out(line, id) -- who could not go anyway holds nobody up
    else
      stand(line, id, came, now + wait + 500000)
      wait = math.max(wait, behind(line, id))
      stand(line, id, came, now + wait + 500000)
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
  if line ~= '' then
    step_out(line, id)
  end
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

if op == 'book' then -- a place in a line ahead of time: lane, line, how long it is kept
  local lane, line, keep = arg(), arg(), number()
  local who = 'booked:' .. lane
  step_out(line, who)
  stand(line, who, 0, now + keep)
  return {'booked', 0}
end

if op == 'leave' then -- gave up waiting: id, lane, line or ''
  local id, lane, line = arg(), arg(), arg()
  redis.call('ZREM', prefix .. 'wait:' .. lane, id)
  if line ~= '' then
    step_out(line, id)
  end
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
