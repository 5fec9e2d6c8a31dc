"""The few steps that Redis must do as one, in Lua.

A key's ticket is `<epoch>.<generation>`: the epoch is one random number for all keys, which expires unless some process
renews it; the generation is a random number per key, replaced by every change. A missing one is made up anew, so that
nothing handed out before a flush, an eviction or a restart ever fits again.
"""

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# KEYS epoch generation busy value lock index; ARGV random epoch_ms generation_ms token lock_ms
CLAIM = (
    _NOW
    + """
local epoch = redis.call('GET', KEYS[1])
if not epoch then
  epoch = ARGV[1]
  redis.call('SET', KEYS[1], epoch, 'PX', ARGV[2])
  redis.call('DEL', KEYS[6])
end
local generation = redis.call('GET', KEYS[2])
if not generation then
  generation = ARGV[1]
  redis.call('SET', KEYS[2], generation, 'PX', ARGV[3])
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
local turn = 'others'
if redis.call('ZCARD', KEYS[3]) > 0 then
  turn = 'busy'
elseif redis.call('SET', KEYS[5], ARGV[4], 'NX', 'PX', ARGV[5]) then
  turn = 'mine'
end
return {turn, epoch .. '.' .. generation, redis.call('GET', KEYS[4])}
"""
)

# KEYS epoch generation busy value lock index; ARGV ticket token entry keep_ms generation_ms
PUT = (
    _NOW
    + """
if redis.call('GET', KEYS[5]) == ARGV[2] then redis.call('DEL', KEYS[5]) end
local epoch, generation = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
if not epoch or not generation or epoch .. '.' .. generation ~= ARGV[1] then return end
redis.call('SET', KEYS[4], ARGV[3], 'PX', ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.call('ZADD', KEYS[6], now + ARGV[4], KEYS[4])
"""
)

# KEYS lock; ARGV token
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"

# KEYS index, then generation, busy, value, lock of each key; the lock goes too, since what its holder loads is outdated
# ARGV random generation_ms token busy_ms mark_ms ('0': take the mark away)
CHANGE = (
    _NOW
    + """
for i = 2, #KEYS, 4 do
  redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2])
  if ARGV[5] == '0' then
    redis.call('ZREM', KEYS[i + 1], ARGV[3])
  else
    redis.call('ZADD', KEYS[i + 1], now + ARGV[5], ARGV[3])
    redis.call('PEXPIRE', KEYS[i + 1], ARGV[4])
  end
  redis.call('DEL', KEYS[i + 2], KEYS[i + 3])
  redis.call('ZREM', KEYS[1], KEYS[i + 2])
end
"""
)

# KEYS epoch index; ARGV random epoch_ms replace ('1' or '0')
BEAT = (
    _NOW
    + """
if ARGV[3] == '1' or redis.call('PEXPIRE', KEYS[1], ARGV[2]) == 0 then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  redis.call('DEL', KEYS[2])
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
"""
)

# KEYS counts seen; ARGV batch seen_ms, then field, number, ...
TALLY = """
if redis.call('GET', KEYS[2]) == ARGV[1] then return end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
for i = 3, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
"""
