"""The few steps that Redis must do as one, in Lua.

An entry's ticket is `<epoch>.<generation>`: the epoch is one random number for all entries; the generation is a random
number per region and organisation, replaced by every change. A missing one is made up anew, so that nothing handed out
before a flush, an eviction or a restart ever fits again.

`leases` holds every process that uses this cache, by the moment until which it has promised to tell of its changes. The
epoch expires with the first of them, and there is none while a lease has run out: a process that is cut off may be
changing what others have stored. After `GONE_MS` it is taken for dead.

Why a minute: whole containers and machines are killed every now and then, which costs everybody the cache for so long.
To be cut off from Redis alone, and still be sent requests and reach Supabase, is rare: who loses the network is taken
off the load balancer within a minute. Should it last longer, what that process changes is seen by the others as what
is changed past the cache is: when the value ends, or when the process is back.
"""

GONE_MS = 60_000

# KEYS begin with: epoch index leases; ARGV with: random
_EPOCH = f"""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function present_epoch()
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - {GONE_MS})
  local ends = tonumber(redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2] or now + 3000)
  if ends <= now then
    redis.call('DEL', KEYS[1])
    return false
  end
  local epoch = redis.call('GET', KEYS[1])
  if not epoch then
    epoch = ARGV[1]
    redis.call('SET', KEYS[1], epoch)
    redis.call('DEL', KEYS[2])
  end
  redis.call('PEXPIREAT', KEYS[1], ends)
  return epoch
end
"""

# the epoch, made up if there is none; nothing while a process is missing
EPOCH = _EPOCH + "return present_epoch()"

# KEYS epoch index leases; ARGV random lease ends replace ('1' or '0'); 1 if a process is missing
BEAT = (
    _EPOCH
    + f"""
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[2])
redis.call('PEXPIRE', KEYS[3], {2 * GONE_MS})
if ARGV[4] == '1' then redis.call('DEL', KEYS[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
return present_epoch() and 0 or 1
"""
)

# KEYS leases; ARGV lease
HAND_IN = "redis.call('ZREM', KEYS[1], ARGV[1])"

# A process is dead, and what it wrote last may still be on its way: nobody stores anything for `settle_ms`.
# KEYS epoch leases; ARGV start of the lease's name, settle_ms
BURY = f"""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, lease in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  if string.sub(lease, 1, #ARGV[1]) == ARGV[1] then
    redis.call('ZADD', KEYS[2], now - {GONE_MS} + ARGV[2], lease)
    redis.call('DEL', KEYS[1])
  end
end
"""

# KEYS epoch index leases generation busy value lock; ARGV random generation_ms token lock_ms
# a lock that was taken before the last change holds nobody up: what its holder loads is outdated
CLAIM = (
    _EPOCH
    + """
local epoch = present_epoch()
if not epoch then return {'busy', '', false} end
local generation = redis.call('GET', KEYS[4])
if not generation then
  generation = ARGV[1]
  redis.call('SET', KEYS[4], generation, 'PX', ARGV[2])
end
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', now)
local ticket, turn = epoch .. '.' .. generation, 'mine'
local lock = redis.call('GET', KEYS[7])
if redis.call('ZCARD', KEYS[5]) > 0 then
  turn = 'busy'
elseif lock and string.sub(lock, 1, #ticket + 1) == ticket .. ' ' then
  turn = 'others'
else
  redis.call('SET', KEYS[7], ticket .. ' ' .. ARGV[3], 'PX', ARGV[4])
end
return {turn, ticket, redis.call('GET', KEYS[6])}
"""
)

# KEYS lock; ARGV ticket and token
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"

# KEYS epoch index leases generation value lock, generation and busy of whose value it turned out to be
# ARGV random ticket token entry keep_ms generation_ms; the entry is JSON without its first part, the ticket
PUT = (
    _EPOCH
    + """
if redis.call('GET', KEYS[6]) == ARGV[2] .. ' ' .. ARGV[3] then redis.call('DEL', KEYS[6]) end
local epoch, generation = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[4])
if not epoch or not generation or epoch .. '.' .. generation ~= ARGV[2] then return end
redis.call('ZREMRANGEBYSCORE', KEYS[8], '-inf', now)
if redis.call('ZCARD', KEYS[8]) > 0 then return end
local own = redis.call('GET', KEYS[7])
if not own then
  own = ARGV[1]
  redis.call('SET', KEYS[7], own)
end
redis.call('SET', KEYS[5], '["' .. epoch .. '.' .. own .. '",' .. ARGV[4], 'PX', ARGV[5])
redis.call('PEXPIRE', KEYS[4], ARGV[6])
redis.call('PEXPIRE', KEYS[7], ARGV[6])
redis.call('ZADD', KEYS[2], now + ARGV[5], KEYS[5])
"""
)

# KEYS epoch index, then per key: generation, generation of the loads under way (often the same), busy, value
# ARGV random generation_ms token busy_ms mark_ms ('0': take the mark away) begun (the random from before the write, '')
# the epoch, if `begun` is given and no other change of any of the keys has begun or ended since
CHANGE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local alone = true
for i = 3, #KEYS, 4 do
  if redis.call('GET', KEYS[i]) ~= ARGV[6] then alone = false end
  redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2])
  redis.call('SET', KEYS[i + 1], ARGV[1], 'PX', ARGV[2])
  if ARGV[5] == '0' then
    redis.call('ZREM', KEYS[i + 2], ARGV[3])
  else
    redis.call('ZADD', KEYS[i + 2], now + ARGV[5], ARGV[3])
    redis.call('PEXPIRE', KEYS[i + 2], ARGV[4])
  end
  redis.call('DEL', KEYS[i + 3])
  redis.call('ZREM', KEYS[2], KEYS[i + 3])
end
return alone and redis.call('GET', KEYS[1])
"""

# KEYS counts seen; ARGV batch seen_ms, then field, number, ...
TALLY = """
if redis.call('GET', KEYS[2]) == ARGV[1] then return end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
for i = 3, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
"""
