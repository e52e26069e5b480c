-- What domain/rate.rs does with several buckets at once, for all pods, by the clock of Redis.
-- KEYS: the buckets, in one slot. ARGV: look, take, count or refund; then each bucket's interval, burst, and how many were
-- taken of it before without asking.
-- Kept: when a bucket will be full again, in microseconds. Given: the time, and what was kept of each by then, 0 for nothing.
local function keep(key, full, now)
    if full > now then
        -- All digits: as a number it would be rounded
        redis.call('SET', key, string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
    else
        redis.call('DEL', key)
    end
end
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local answer = { now }
local full_at = {}
local limits = {}
local empty = false
for i, key in ipairs(KEYS) do
    local at = 3 * i - 1
    local interval, burst, owed = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    full_at[i] = tonumber(redis.call('GET', key) or 0)
    if owed > 0 then
        full_at[i] = math.min(math.max(full_at[i], now) + interval * owed, now + interval * burst)
        keep(key, full_at[i], now)
    end
    answer[i + 1] = full_at[i]
    limits[i] = { interval = interval, is_empty = math.max(full_at[i] - now, 0) + interval > interval * burst }
    empty = empty or limits[i].is_empty
end
if ARGV[1] == 'count' or (ARGV[1] == 'take' and not empty) then
    for i, key in ipairs(KEYS) do
        if not limits[i].is_empty then
            keep(key, math.max(full_at[i], now) + limits[i].interval, now)
        end
    end
elseif ARGV[1] == 'refund' then
    for i, key in ipairs(KEYS) do
        keep(key, full_at[i] - limits[i].interval, now)
    end
end
return answer
