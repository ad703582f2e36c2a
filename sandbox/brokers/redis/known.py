"""What Redis says about its commands: COMMAND INFO of 7.0.15, and what came until 7.4.

One line a command: name | arity | flags | first key, last key, step | categories | how it uses its
first key. A blank in a name separates a subcommand.
"""

# ruff: noqa: E501  # lines of a table

from __future__ import annotations

from typing import Final, NamedTuple


class Known(NamedTuple):
    """What is known about a command; arity counts its name, and a minus means "at least"."""

    arity: int
    flags: frozenset[str]
    first: int
    last: int
    step: int
    categories: tuple[str, ...]
    use: tuple[str, ...]


_TABLE: Final = """
acl|-2||0 0 0|slow|
acl cat|-2|loading noscript stale|0 0 0|slow|
acl deluser|-3|admin loading noscript stale|0 0 0|admin slow dangerous|
acl dryrun|-4|admin loading noscript stale|0 0 0|admin slow dangerous|
acl genpass|-2|loading noscript stale|0 0 0|slow|
acl getuser|3|admin loading noscript stale|0 0 0|admin slow dangerous|
acl help|2|loading stale|0 0 0|slow|
acl list|2|admin loading noscript stale|0 0 0|admin slow dangerous|
acl load|2|admin loading noscript stale|0 0 0|admin slow dangerous|
acl log|-2|admin loading noscript stale|0 0 0|admin slow dangerous|
acl save|2|admin loading noscript stale|0 0 0|admin slow dangerous|
acl setuser|-3|admin loading noscript stale|0 0 0|admin slow dangerous|
acl users|2|admin loading noscript stale|0 0 0|admin slow dangerous|
acl whoami|2|loading noscript stale|0 0 0|slow|
append|3|denyoom fast write|1 1 1|write string fast|RW insert
asking|1|fast|0 0 0|fast connection|
auth|-2|allow_busy fast loading no_auth noscript stale|0 0 0|fast connection|
bgrewriteaof|1|admin no_async_loading noscript|0 0 0|admin slow dangerous|
bgsave|-1|admin no_async_loading noscript|0 0 0|admin slow dangerous|
bitcount|-2|readonly|1 1 1|read bitmap slow|RO access
bitfield|-2|denyoom write|1 1 1|write bitmap slow|RW access update variable_flags
bitfield_ro|-2|fast readonly|1 1 1|read bitmap fast|RO access
bitop|-4|denyoom write|2 -1 1|write bitmap slow|OW update
bitpos|-3|readonly|1 1 1|read bitmap slow|RO access
blmove|6|blocking denyoom noscript write|1 2 1|write list slow blocking|RW access delete
blmpop|-5|blocking movablekeys write|0 0 0|write list slow blocking|RW access delete
blpop|-3|blocking noscript write|1 -2 1|write list slow blocking|RW access delete
brpop|-3|blocking noscript write|1 -2 1|write list slow blocking|RW access delete
brpoplpush|4|blocking denyoom noscript write|1 2 1|write list slow blocking|RW access delete
bzmpop|-5|blocking movablekeys write|0 0 0|write sortedset slow blocking|RW access delete
bzpopmax|-3|blocking fast noscript write|1 -2 1|write sortedset fast blocking|RW access delete
bzpopmin|-3|blocking fast noscript write|1 -2 1|write sortedset fast blocking|RW access delete
client|-2||0 0 0|slow|
client caching|3|loading noscript stale|0 0 0|slow connection|
client getname|2|loading noscript stale|0 0 0|slow connection|
client getredir|2|loading noscript stale|0 0 0|slow connection|
client help|2|loading stale|0 0 0|slow connection|
client id|2|loading noscript stale|0 0 0|slow connection|
client info|2|loading noscript stale|0 0 0|slow connection|
client kill|-3|admin loading noscript stale|0 0 0|admin slow dangerous connection|
client list|-2|admin loading noscript stale|0 0 0|admin slow dangerous connection|
client no-evict|3|admin loading noscript stale|0 0 0|admin slow dangerous connection|
client no-touch|3|noscript loading stale|0 0 0|slow connection|
client pause|-3|admin loading noscript stale|0 0 0|admin slow dangerous connection|
client reply|3|loading noscript stale|0 0 0|slow connection|
client setinfo|4|noscript loading stale|0 0 0|slow connection|
client setname|3|loading noscript stale|0 0 0|slow connection|
client tracking|-3|loading noscript stale|0 0 0|slow connection|
client trackinginfo|2|loading noscript stale|0 0 0|slow connection|
client unblock|-3|admin loading noscript stale|0 0 0|admin slow dangerous connection|
client unpause|2|admin loading noscript stale|0 0 0|admin slow dangerous connection|
cluster|-2||0 0 0|slow|
cluster addslots|-3|admin no_async_loading stale|0 0 0|admin slow dangerous|
cluster addslotsrange|-4|admin no_async_loading stale|0 0 0|admin slow dangerous|
cluster bumpepoch|2|admin no_async_loading stale|0 0 0|admin slow dangerous|
cluster count-failure-reports|3|admin stale|0 0 0|admin slow dangerous|
cluster countkeysinslot|3|stale|0 0 0|slow|
cluster delslots|-3|admin no_async_loading stale|0 0 0|admin slow dangerous|
cluster delslotsrange|-4|admin no_async_loading stale|0 0 0|admin slow dangerous|
cluster failover|-2|admin no_async_loading stale|0 0 0|admin slow dangerous|
cluster flushslots|2|admin no_async_loading stale|0 0 0|admin slow dangerous|
cluster forget|3|admin no_async_loading stale|0 0 0|admin slow dangerous|
cluster getkeysinslot|4|stale|0 0 0|slow|
cluster help|2|loading stale|0 0 0|slow|
cluster info|2|stale|0 0 0|slow|
cluster keyslot|3|stale|0 0 0|slow|
cluster links|2|stale|0 0 0|slow|
cluster meet|-4|admin no_async_loading stale|0 0 0|admin slow dangerous|
cluster myid|2|stale|0 0 0|slow|
cluster nodes|2|stale|0 0 0|slow|
cluster replicas|3|admin stale|0 0 0|admin slow dangerous|
cluster replicate|3|admin no_async_loading stale|0 0 0|admin slow dangerous|
cluster reset|-2|admin noscript stale|0 0 0|admin slow dangerous|
cluster saveconfig|2|admin no_async_loading stale|0 0 0|admin slow dangerous|
cluster set-config-epoch|3|admin no_async_loading stale|0 0 0|admin slow dangerous|
cluster setslot|-4|admin no_async_loading stale|0 0 0|admin slow dangerous|
cluster shards|2|stale|0 0 0|slow|
cluster slaves|3|admin stale|0 0 0|admin slow dangerous|
cluster slots|2|stale|0 0 0|slow|
command|-1|loading stale|0 0 0|slow connection|
command count|2|loading stale|0 0 0|slow connection|
command docs|-2|loading stale|0 0 0|slow connection|
command getkeys|-4|loading stale|0 0 0|slow connection|
command getkeysandflags|-4|loading stale|0 0 0|slow connection|
command help|2|loading stale|0 0 0|slow connection|
command info|-2|loading stale|0 0 0|slow connection|
command list|-2|loading stale|0 0 0|slow connection|
config|-2||0 0 0|slow|
config get|-3|admin loading noscript stale|0 0 0|admin slow dangerous|
config help|2|loading stale|0 0 0|slow|
config resetstat|2|admin loading noscript stale|0 0 0|admin slow dangerous|
config rewrite|2|admin loading noscript stale|0 0 0|admin slow dangerous|
config set|-4|admin loading noscript stale|0 0 0|admin slow dangerous|
copy|-3|denyoom write|1 2 1|keyspace write slow|RO access
dbsize|1|fast readonly|0 0 0|keyspace read fast|
debug|-2|admin loading noscript stale|0 0 0|admin slow dangerous|
decr|2|denyoom fast write|1 1 1|write string fast|RW access update
decrby|3|denyoom fast write|1 1 1|write string fast|RW access update
del|-2|write|1 -1 1|keyspace write slow|RM delete
discard|1|allow_busy fast loading noscript stale|0 0 0|fast transaction|
dump|2|readonly|1 1 1|keyspace read slow|RO access
echo|2|fast loading stale|0 0 0|fast connection|
eval|-3|movablekeys no_mandatory_keys noscript skip_monitor stale|0 0 0|slow scripting|RW access update
eval_ro|-3|movablekeys no_mandatory_keys noscript readonly skip_monitor stale|0 0 0|slow scripting|RO access
evalsha|-3|movablekeys no_mandatory_keys noscript skip_monitor stale|0 0 0|slow scripting|RW access update
evalsha_ro|-3|movablekeys no_mandatory_keys noscript readonly skip_monitor stale|0 0 0|slow scripting|RO access
exec|1|loading noscript skip_slowlog stale|0 0 0|slow transaction|
exists|-2|fast readonly|1 -1 1|keyspace read fast|RO
expire|-3|fast write|1 1 1|keyspace write fast|RW update
expireat|-3|fast write|1 1 1|keyspace write fast|RW update
expiretime|2|fast readonly|1 1 1|keyspace read fast|RO access
failover|-1|admin noscript stale|0 0 0|admin slow dangerous|
fcall|-3|movablekeys no_mandatory_keys noscript skip_monitor stale|0 0 0|slow scripting|RW access update
fcall_ro|-3|movablekeys no_mandatory_keys noscript readonly skip_monitor stale|0 0 0|slow scripting|RO access
flushall|-1|write|0 0 0|keyspace write slow dangerous|
flushdb|-1|write|0 0 0|keyspace write slow dangerous|
function|-2||0 0 0|slow|
function delete|3|noscript write|0 0 0|write slow scripting|
function dump|2|noscript|0 0 0|slow scripting|
function flush|-2|noscript write|0 0 0|write slow scripting|
function help|2|loading stale|0 0 0|slow scripting|
function kill|2|allow_busy noscript|0 0 0|slow scripting|
function list|-2|noscript|0 0 0|slow scripting|
function load|-3|denyoom noscript write|0 0 0|write slow scripting|
function restore|-3|denyoom noscript write|0 0 0|write slow scripting|
function stats|2|allow_busy noscript|0 0 0|slow scripting|
geoadd|-5|denyoom write|1 1 1|write geo slow|RW update
geodist|-4|readonly|1 1 1|read geo slow|RO access
geohash|-2|readonly|1 1 1|read geo slow|RO access
geopos|-2|readonly|1 1 1|read geo slow|RO access
georadius|-6|denyoom movablekeys write|1 1 1|write geo slow|RO access
georadius_ro|-6|readonly|1 1 1|read geo slow|RO access
georadiusbymember|-5|denyoom movablekeys write|1 1 1|write geo slow|RO access
georadiusbymember_ro|-5|readonly|1 1 1|read geo slow|RO access
geosearch|-7|readonly|1 1 1|read geo slow|RO access
geosearchstore|-8|denyoom write|1 2 1|write geo slow|OW update
get|2|fast readonly|1 1 1|read string fast|RO access
getbit|3|fast readonly|1 1 1|read bitmap fast|RO access
getdel|2|fast write|1 1 1|write string fast|RW access delete
getex|-2|fast write|1 1 1|write string fast|RW access update
getrange|4|readonly|1 1 1|read string slow|RO access
getset|3|denyoom fast write|1 1 1|write string fast|RW access update
hdel|-3|fast write|1 1 1|write hash fast|RW delete
hello|-1|allow_busy fast loading no_auth noscript stale|0 0 0|fast connection|
hexists|3|fast readonly|1 1 1|read hash fast|RO
hexpire|-6|denyoom fast write|1 1 1|write hash fast|RW update
hexpireat|-6|denyoom fast write|1 1 1|write hash fast|RW update
hexpiretime|-5|fast readonly|1 1 1|read hash fast|RO access
hget|3|fast readonly|1 1 1|read hash fast|RO access
hgetall|2|readonly|1 1 1|read hash slow|RO access
hincrby|4|denyoom fast write|1 1 1|write hash fast|RW access update
hincrbyfloat|4|denyoom fast write|1 1 1|write hash fast|RW access update
hkeys|2|readonly|1 1 1|read hash slow|RO access
hlen|2|fast readonly|1 1 1|read hash fast|RO
hmget|-3|fast readonly|1 1 1|read hash fast|RO access
hmset|-4|denyoom fast write|1 1 1|write hash fast|RW update
hpersist|-5|fast write|1 1 1|write hash fast|RW update
hpexpire|-6|denyoom fast write|1 1 1|write hash fast|RW update
hpexpireat|-6|denyoom fast write|1 1 1|write hash fast|RW update
hpexpiretime|-5|fast readonly|1 1 1|read hash fast|RO access
hpttl|-5|fast readonly|1 1 1|read hash fast|RO access
hrandfield|-2|readonly|1 1 1|read hash slow|RO access
hscan|-3|readonly|1 1 1|read hash slow|RO access
hset|-4|denyoom fast write|1 1 1|write hash fast|RW update
hsetnx|4|denyoom fast write|1 1 1|write hash fast|RW insert
hstrlen|3|fast readonly|1 1 1|read hash fast|RO
httl|-5|fast readonly|1 1 1|read hash fast|RO access
hvals|2|readonly|1 1 1|read hash slow|RO access
incr|2|denyoom fast write|1 1 1|write string fast|RW access update
incrby|3|denyoom fast write|1 1 1|write string fast|RW access update
incrbyfloat|3|denyoom fast write|1 1 1|write string fast|RW access update
info|-1|loading stale|0 0 0|slow dangerous|
keys|2|readonly|0 0 0|keyspace read slow dangerous|
lastsave|1|fast loading stale|0 0 0|admin fast dangerous|
latency|-2||0 0 0|slow|
latency doctor|2|admin loading noscript stale|0 0 0|admin slow dangerous|
latency graph|3|admin loading noscript stale|0 0 0|admin slow dangerous|
latency help|2|loading stale|0 0 0|slow|
latency histogram|-2|admin loading noscript stale|0 0 0|admin slow dangerous|
latency history|3|admin loading noscript stale|0 0 0|admin slow dangerous|
latency latest|2|admin loading noscript stale|0 0 0|admin slow dangerous|
latency reset|-2|admin loading noscript stale|0 0 0|admin slow dangerous|
lcs|-3|readonly|1 2 1|read string slow|RO access
lindex|3|readonly|1 1 1|read list slow|RO access
linsert|5|denyoom write|1 1 1|write list slow|RW insert
llen|2|fast readonly|1 1 1|read list fast|RO
lmove|5|denyoom write|1 2 1|write list slow|RW access delete
lmpop|-4|movablekeys write|0 0 0|write list slow|RW access delete
lolwut|-1|fast readonly|0 0 0|read fast|
lpop|-2|fast write|1 1 1|write list fast|RW access delete
lpos|-3|readonly|1 1 1|read list slow|RO access
lpush|-3|denyoom fast write|1 1 1|write list fast|RW insert
lpushx|-3|denyoom fast write|1 1 1|write list fast|RW insert
lrange|4|readonly|1 1 1|read list slow|RO access
lrem|4|write|1 1 1|write list slow|RW delete
lset|4|denyoom write|1 1 1|write list slow|RW update
ltrim|4|write|1 1 1|write list slow|RW delete
memory|-2||0 0 0|slow|
memory doctor|2||0 0 0|slow|
memory help|2|loading stale|0 0 0|slow|
memory malloc-stats|2||0 0 0|slow|
memory purge|2||0 0 0|slow|
memory stats|2||0 0 0|slow|
memory usage|-3|readonly|2 2 1|read slow|RO
mget|-2|fast readonly|1 -1 1|read string fast|RO access
migrate|-6|movablekeys write|3 3 1|keyspace write slow dangerous|RW access delete
module|-2||0 0 0|slow|
module help|2|loading stale|0 0 0|slow|
module list|2|admin noscript|0 0 0|admin slow dangerous|
module load|-3|admin no_async_loading noscript|0 0 0|admin slow dangerous|
module loadex|-3|admin no_async_loading noscript|0 0 0|admin slow dangerous|
module unload|3|admin no_async_loading noscript|0 0 0|admin slow dangerous|
monitor|1|admin loading noscript stale|0 0 0|admin slow dangerous|
move|3|fast write|1 1 1|keyspace write fast|RW access update
mset|-3|denyoom write|1 -1 2|write string slow|OW update
msetnx|-3|denyoom write|1 -1 2|write string slow|OW insert
multi|1|allow_busy fast loading noscript stale|0 0 0|fast transaction|
object|-2||0 0 0|slow|
object encoding|3|readonly|2 2 1|keyspace read slow|RO
object freq|3|readonly|2 2 1|keyspace read slow|RO
object help|2|loading stale|0 0 0|keyspace slow|
object idletime|3|readonly|2 2 1|keyspace read slow|RO
object refcount|3|readonly|2 2 1|keyspace read slow|RO
persist|2|fast write|1 1 1|keyspace write fast|RW update
pexpire|-3|fast write|1 1 1|keyspace write fast|RW update
pexpireat|-3|fast write|1 1 1|keyspace write fast|RW update
pexpiretime|2|fast readonly|1 1 1|keyspace read fast|RO access
pfadd|-2|denyoom fast write|1 1 1|write hyperloglog fast|RW insert
pfcount|-2|readonly|1 -1 1|read hyperloglog slow|RW access
pfdebug|3|admin denyoom write|2 2 1|write hyperloglog admin slow dangerous|RW access
pfmerge|-2|denyoom write|1 -1 1|write hyperloglog slow|RW access insert
pfselftest|1|admin|0 0 0|hyperloglog admin slow dangerous|
ping|-1|fast|0 0 0|fast connection|
psetex|4|denyoom write|1 1 1|write string slow|OW update
psubscribe|-2|loading noscript pubsub stale|0 0 0|pubsub slow|
psync|-3|admin no_async_loading no_multi noscript|0 0 0|admin slow dangerous|
pttl|2|fast readonly|1 1 1|keyspace read fast|RO access
publish|3|fast loading pubsub stale|0 0 0|pubsub fast|
pubsub|-2||0 0 0|slow|
pubsub channels|-2|loading pubsub stale|0 0 0|pubsub slow|
pubsub help|2|loading stale|0 0 0|slow|
pubsub numpat|2|loading pubsub stale|0 0 0|pubsub slow|
pubsub numsub|-2|loading pubsub stale|0 0 0|pubsub slow|
pubsub shardchannels|-2|loading pubsub stale|0 0 0|pubsub slow|
pubsub shardnumsub|-2|loading pubsub stale|0 0 0|pubsub slow|
punsubscribe|-1|loading noscript pubsub stale|0 0 0|pubsub slow|
quit|-1|allow_busy fast loading no_auth noscript stale|0 0 0|fast connection|
randomkey|1|readonly|0 0 0|keyspace read slow|
readonly|1|fast loading stale|0 0 0|fast connection|
readwrite|1|fast loading stale|0 0 0|fast connection|
rename|3|write|1 2 1|keyspace write slow|RW access delete
renamenx|3|fast write|1 2 1|keyspace write fast|RW access delete
replconf|-1|admin allow_busy loading noscript stale|0 0 0|admin slow dangerous|
replicaof|3|admin no_async_loading noscript stale|0 0 0|admin slow dangerous|
reset|1|allow_busy fast loading no_auth noscript stale|0 0 0|fast connection|
restore|-4|denyoom write|1 1 1|keyspace write slow dangerous|OW update
restore-asking|-4|asking denyoom write|1 1 1|keyspace write slow dangerous|OW update
role|1|fast loading noscript stale|0 0 0|admin fast dangerous|
rpop|-2|fast write|1 1 1|write list fast|RW access delete
rpoplpush|3|denyoom write|1 2 1|write list slow|RW access delete
rpush|-3|denyoom fast write|1 1 1|write list fast|RW insert
rpushx|-3|denyoom fast write|1 1 1|write list fast|RW insert
sadd|-3|denyoom fast write|1 1 1|write set fast|RW insert
save|1|admin no_async_loading no_multi noscript|0 0 0|admin slow dangerous|
scan|-2|readonly|0 0 0|keyspace read slow|
scard|2|fast readonly|1 1 1|read set fast|RO
script|-2||0 0 0|slow|
script debug|3|noscript|0 0 0|slow scripting|
script exists|-3|noscript|0 0 0|slow scripting|
script flush|-2|noscript|0 0 0|slow scripting|
script help|2|loading stale|0 0 0|slow scripting|
script kill|2|allow_busy noscript|0 0 0|slow scripting|
script load|3|noscript stale|0 0 0|slow scripting|
sdiff|-2|readonly|1 -1 1|read set slow|RO access
sdiffstore|-3|denyoom write|1 -1 1|write set slow|OW update
select|2|fast loading stale|0 0 0|fast connection|
set|-3|denyoom write|1 1 1|write string slow|RW access update variable_flags
setbit|4|denyoom write|1 1 1|write bitmap slow|RW access update
setex|4|denyoom write|1 1 1|write string slow|OW update
setnx|3|denyoom fast write|1 1 1|write string fast|OW insert
setrange|4|denyoom write|1 1 1|write string slow|RW update
shutdown|-1|admin allow_busy loading no_multi noscript stale|0 0 0|admin slow dangerous|
sinter|-2|readonly|1 -1 1|read set slow|RO access
sintercard|-3|movablekeys readonly|0 0 0|read set slow|RO access
sinterstore|-3|denyoom write|1 -1 1|write set slow|RW update
sismember|3|fast readonly|1 1 1|read set fast|RO
slaveof|3|admin no_async_loading noscript stale|0 0 0|admin slow dangerous|
slowlog|-2||0 0 0|slow|
slowlog get|-2|admin loading stale|0 0 0|admin slow dangerous|
slowlog help|2|loading stale|0 0 0|slow|
slowlog len|2|admin loading stale|0 0 0|admin slow dangerous|
slowlog reset|2|admin loading stale|0 0 0|admin slow dangerous|
smembers|2|readonly|1 1 1|read set slow|RO access
smismember|-3|fast readonly|1 1 1|read set fast|RO access
smove|4|fast write|1 2 1|write set fast|RW access delete
sort|-2|denyoom movablekeys write|1 1 1|write set sortedset list slow dangerous|RO access
sort_ro|-2|movablekeys readonly|1 1 1|read set sortedset list slow dangerous|RO access
spop|-2|fast write|1 1 1|write set fast|RW access delete
spublish|3|fast loading pubsub stale|1 1 1|pubsub fast|not_key
srandmember|-2|readonly|1 1 1|read set slow|RO access
srem|-3|fast write|1 1 1|write set fast|RW delete
sscan|-3|readonly|1 1 1|read set slow|RO access
ssubscribe|-2|loading noscript pubsub stale|1 -1 1|pubsub slow|not_key
strlen|2|fast readonly|1 1 1|read string fast|RO
subscribe|-2|loading noscript pubsub stale|0 0 0|pubsub slow|
substr|4|readonly|1 1 1|read string slow|RO access
sunion|-2|readonly|1 -1 1|read set slow|RO access
sunionstore|-3|denyoom write|1 -1 1|write set slow|OW update
sunsubscribe|-1|loading noscript pubsub stale|1 -1 1|pubsub slow|not_key
swapdb|3|fast write|0 0 0|keyspace write fast dangerous|
sync|1|admin no_async_loading no_multi noscript|0 0 0|admin slow dangerous|
time|1|fast loading stale|0 0 0|fast|
touch|-2|fast readonly|1 -1 1|keyspace read fast|RO
ttl|2|fast readonly|1 1 1|keyspace read fast|RO access
type|2|fast readonly|1 1 1|keyspace read fast|RO
unlink|-2|fast write|1 -1 1|keyspace write fast|RM delete
unsubscribe|-1|loading noscript pubsub stale|0 0 0|pubsub slow|
unwatch|1|allow_busy fast loading noscript stale|0 0 0|fast transaction|
wait|3|noscript|0 0 0|slow connection|
waitaof|4|noscript|0 0 0|slow connection|
watch|-2|allow_busy fast loading noscript stale|1 -1 1|fast transaction|RO
xack|-4|fast write|1 1 1|write stream fast|RW update
xadd|-5|denyoom fast write|1 1 1|write stream fast|RW update
xautoclaim|-6|fast write|1 1 1|write stream fast|RW delete
xclaim|-6|fast write|1 1 1|write stream fast|RW update
xdel|-3|fast write|1 1 1|write stream fast|RW delete
xgroup|-2||0 0 0|slow|
xgroup create|-5|denyoom write|2 2 1|write stream slow|RW insert
xgroup createconsumer|5|denyoom write|2 2 1|write stream slow|RW insert
xgroup delconsumer|5|write|2 2 1|write stream slow|RW delete
xgroup destroy|4|write|2 2 1|write stream slow|RW delete
xgroup help|2|loading stale|0 0 0|stream slow|
xgroup setid|-5|write|2 2 1|write stream slow|RW update
xinfo|-2||0 0 0|slow|
xinfo consumers|4|readonly|2 2 1|read stream slow|RO access
xinfo groups|3|readonly|2 2 1|read stream slow|RO access
xinfo help|2|loading stale|0 0 0|stream slow|
xinfo stream|-3|readonly|2 2 1|read stream slow|RO access
xlen|2|fast readonly|1 1 1|read stream fast|RO
xpending|-3|readonly|1 1 1|read stream slow|RO access
xrange|-4|readonly|1 1 1|read stream slow|RO access
xread|-4|blocking movablekeys readonly|0 0 0|read stream slow blocking|RO access
xreadgroup|-7|blocking movablekeys write|0 0 0|write stream slow blocking|RO access
xrevrange|-4|readonly|1 1 1|read stream slow|RO access
xsetid|-3|denyoom fast write|1 1 1|write stream fast|RW update
xtrim|-4|write|1 1 1|write stream slow|RW delete
zadd|-4|denyoom fast write|1 1 1|write sortedset fast|RW update
zcard|2|fast readonly|1 1 1|read sortedset fast|RO
zcount|4|fast readonly|1 1 1|read sortedset fast|RO access
zdiff|-3|movablekeys readonly|0 0 0|read sortedset slow|RO access
zdiffstore|-4|denyoom movablekeys write|1 1 1|write sortedset slow|OW update
zincrby|4|denyoom fast write|1 1 1|write sortedset fast|RW access update
zinter|-3|movablekeys readonly|0 0 0|read sortedset slow|RO access
zintercard|-3|movablekeys readonly|0 0 0|read sortedset slow|RO access
zinterstore|-4|denyoom movablekeys write|1 1 1|write sortedset slow|OW update
zlexcount|4|fast readonly|1 1 1|read sortedset fast|RO access
zmpop|-4|movablekeys write|0 0 0|write sortedset slow|RW access delete
zmscore|-3|fast readonly|1 1 1|read sortedset fast|RO access
zpopmax|-2|fast write|1 1 1|write sortedset fast|RW access delete
zpopmin|-2|fast write|1 1 1|write sortedset fast|RW access delete
zrandmember|-2|readonly|1 1 1|read sortedset slow|RO access
zrange|-4|readonly|1 1 1|read sortedset slow|RO access
zrangebylex|-4|readonly|1 1 1|read sortedset slow|RO access
zrangebyscore|-4|readonly|1 1 1|read sortedset slow|RO access
zrangestore|-5|denyoom write|1 2 1|write sortedset slow|OW update
zrank|-3|fast readonly|1 1 1|read sortedset fast|RO access
zrem|-3|fast write|1 1 1|write sortedset fast|RW delete
zremrangebylex|4|write|1 1 1|write sortedset slow|RW delete
zremrangebyrank|4|write|1 1 1|write sortedset slow|RW delete
zremrangebyscore|4|write|1 1 1|write sortedset slow|RW delete
zrevrange|-4|readonly|1 1 1|read sortedset slow|RO access
zrevrangebylex|-4|readonly|1 1 1|read sortedset slow|RO access
zrevrangebyscore|-4|readonly|1 1 1|read sortedset slow|RO access
zrevrank|-3|fast readonly|1 1 1|read sortedset fast|RO access
zscan|-3|readonly|1 1 1|read sortedset slow|RO access
zscore|3|fast readonly|1 1 1|read sortedset fast|RO access
zunion|-3|movablekeys readonly|0 0 0|read sortedset slow|RO access
zunionstore|-4|denyoom movablekeys write|1 1 1|write sortedset slow|OW update
"""


def _read(line: str) -> tuple[str, Known]:
    name, arity, flags, keys, categories, use = line.split("|")
    first, last, step = (int(word) for word in keys.split())
    known = Known(
        int(arity),
        frozenset(flags.split()),
        first,
        last,
        step,
        tuple(categories.split()),
        tuple(use.split()),
    )
    return name, known


#: By name, lower case.
KNOWN: Final = dict(_read(line) for line in _TABLE.strip().splitlines())
