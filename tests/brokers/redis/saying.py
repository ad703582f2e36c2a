"""Random requests, for conversations that two brokers are compared by.

In a template, K is a key, L M H Z S X T a key that mostly holds a list, another list, a hash, a
sorted set, a set, a stream, a string; V a value, N a small number, C a count, F a score, I a
stream id, E a time to live in seconds, P half of a place on the map, Q a radius.
"""

from __future__ import annotations

from random import Random

_VALUES = ("a", "b", "1", "-5", "3.5", "")
_KEYS = ("list1", "list2", "hash1", "zset1", "set1", "set2", "stream1", "text1", "text2")
CHOICES = {
    "K": _KEYS,
    "L": ("list1", "list1", "list1", "list2", "text1"),
    "M": ("list2", "list2", "list1"),
    "H": ("hash1", "hash1", "hash1", "hash2", "list1"),
    "Z": ("zset1", "zset1", "zset2", "zset2", "set1"),
    "S": ("set1", "set1", "set2", "set2", "zset1"),
    "X": ("stream1", "stream1", "stream1", "stream2", "text1"),
    "T": ("text1", "text1", "text2", "text2", "list1"),
    "V": _VALUES,
    "N": ("0", "1", "2", "-1", "-2", "5"),
    "C": ("1", "2", "5"),
    "F": ("1", "2.5", "-1", "inf", "0.1"),
    "I": ("1-1", "2-0", "2-1", "5"),
    "E": ("1", "2", "10"),
    "P": ("13.361389", "15.087269", "41.43379", "-73.9", "0"),
    "Q": ("10", "500", "20000"),
}


def templates(text: str) -> list[list[str]]:
    """Templates as they are written below: separated by bars and lines."""
    return [line.split() for line in text.replace("\n", "|").split("|") if line.strip()]


def pick(random: Random, among: list[list[str]]) -> list[str]:
    """One request."""
    return [random.choice(CHOICES.get(word, (word,))) for word in random.choice(among)]


LISTS = """
RPUSH L V V|LPUSH L V|LPOP L|RPOP L C|LRANGE L N N|LLEN L|LINDEX L N|LINSERT L BEFORE V V|LSET L N V
LREM L N V|LTRIM L N N|LMOVE L M LEFT RIGHT|LMOVE L M RIGHT LEFT|RPOPLPUSH L M|LPUSHX L V|RPUSHX L V
LMPOP 2 L M LEFT COUNT C|LPOS L V|LPOS L V COUNT 0|RPOP L|LPUSH L V V|RPUSH L V
"""
SORTED_SETS = """
ZADD Z F V|ZADD Z GT CH F V|ZADD Z NX F V|ZADD Z F V F V|ZRANGE Z N N WITHSCORES|ZINCRBY Z F V
ZRANGEBYSCORE Z F F WITHSCORES|ZREVRANGE Z N N|ZREM Z V|ZSCORE Z V|ZPOPMIN Z|ZPOPMAX Z C|ZCARD Z
ZCOUNT Z F F|ZRANK Z V|ZREVRANK Z V|ZREMRANGEBYRANK Z N N|ZREMRANGEBYSCORE Z F F|ZMSCORE Z V V
ZUNIONSTORE Z 2 Z Z|ZINTERSTORE Z 2 Z Z|ZDIFF 2 Z Z|ZMPOP 2 Z Z MIN COUNT C|ZRANGESTORE Z Z N N
ZRANGE Z F F BYSCORE LIMIT 0 C
"""
STREAMS = """
XADD X I f V|XADD X MAXLEN C I f V|XADD X 9-* f V|XLEN X|XRANGE X - +|XRANGE X I I|XRANGE X (I +
XREVRANGE X + - COUNT C|XDEL X I|XTRIM X MAXLEN C|XTRIM X MINID I|XGROUP CREATE X g I MKSTREAM
XGROUP CREATE X h $|XGROUP DESTROY X g|XGROUP SETID X g I|XGROUP CREATECONSUMER X g c
XGROUP DELCONSUMER X g c|XREADGROUP GROUP g c STREAMS X >|XREADGROUP GROUP g d COUNT C STREAMS X >
XREADGROUP GROUP g c STREAMS X 0|XREADGROUP GROUP g c NOACK STREAMS X >|XACK X g I|XPENDING X g
XREAD COUNT C STREAMS X I|XAUTOCLAIM X g d 0 I COUNT C|XCLAIM X g d 0 I|XCLAIM X g c 0 I FORCE
XCLAIM X g d 0 I JUSTID|XINFO GROUPS X|XINFO STREAM X|XACK X g I I
"""
STRINGS = """
SET T V|SET T V NX|SET T V XX GET|GET T|INCR T|DECRBY T N|INCRBY T C|INCRBYFLOAT T F|APPEND T V
STRLEN T|GETDEL T|GETSET T V|SETRANGE T C V|GETRANGE T N N|MSET T V T V|MSETNX T V T V|MGET T T
SETBIT T C 1|GETBIT T C|BITCOUNT T|SETEX T 100 V|SETNX T V
"""
HASHES = """
HSET H V V|HSET H V V V V|HGET H V|HGETALL H|HDEL H V|HSETNX H V V|HINCRBY H V N|HEXISTS H V
HKEYS H|HVALS H|HLEN H|HMGET H V V|HSTRLEN H V|HINCRBYFLOAT H V F
"""
SETS = """
SADD S V V|SREM S V|SISMEMBER S V|SMISMEMBER S V V|SCARD S|SREM S V V|SMOVE S S V|SINTERCARD 2 S S
SUNIONSTORE S S S|SINTERSTORE S S S|SDIFFSTORE S S S|SMEMBERS S|SINTER S S|SUNION S S
"""
PLACES = """
GEOADD places P P V|GEOADD places CH P P V P P V|GEOADD places NX P P V|GEOPOS places V V
GEODIST places V V km|GEOHASH places V|GEOSEARCH places FROMLONLAT P P BYRADIUS Q km ASC WITHDIST
GEOSEARCH places FROMMEMBER V BYBOX Q Q km DESC WITHCOORD WITHHASH|ZRANGE places 0 -1 WITHSCORES
GEOSEARCHSTORE Z places FROMLONLAT P P BYRADIUS Q mi ASC STOREDIST|ZREM places V
GEORADIUSBYMEMBER places V Q km ASC COUNT C WITHDIST|GEORADIUS places P P Q km STORE Z
"""
KEYS = """
DEL K|DEL K K K|UNLINK K|TYPE K|EXPIRE K 100|EXPIRE K 0|TTL K|PERSIST K|COPY K K REPLACE|EXISTS K K
RENAMENX K K|PEXPIREAT K 1|EXPIRE K 100 NX|EXPIRE K 200 GT|TOUCH K|DBSIZE
"""
TRANSACTIONS = "MULTI|EXEC|EXEC|DISCARD|WATCH K|UNWATCH"
EVERYTHING = "|".join(
    (
        LISTS,
        SORTED_SETS,
        STREAMS,
        STRINGS,
        HASHES,
        SETS,
        PLACES,
        KEYS,
        LISTS,
        STREAMS,
        TRANSACTIONS,
    )
)
#: For several clients: what waits, what ends waits, and what others are told of.
WAITING = """
BLPOP L 0|BRPOP L 0|BLPOP L M 0|BLMOVE L M LEFT RIGHT 0|BRPOPLPUSH L M 0|BLMPOP 0 2 L M LEFT
BZPOPMIN Z 0|BZPOPMAX Z Z 0|BZMPOP 0 1 Z MIN|XREAD BLOCK 0 STREAMS X $
XREADGROUP GROUP g c BLOCK 0 STREAMS X >|XGROUP CREATE X g 0 MKSTREAM|XGROUP CREATE X g $ MKSTREAM
RPUSH L V V|LPUSH L V|RPUSH L V|LPUSH M V V V|ZADD Z F V|ZADD Z F V F V|XADD X I f V
DEL L|DEL Z|DEL X|XGROUP DESTROY X g|SET T V|SET L V|RENAME L M|COPY L M|EXPIRE L 100|PERSIST L
MULTI|EXEC|EXEC|DISCARD|WATCH L|PUBLISH ch V|HSET H V V|HDEL H V|SADD S V|SREM S V|INCR T|APPEND T V
LPOP L|RPOP L C|LMOVE L M LEFT LEFT|ZPOPMIN Z|ZREM Z V|XACK X g 1-1|XTRIM X MAXLEN 1|GETDEL T
EVAL redis.call('rpush',KEYS[1],'a','b')return(1) 1 L|SETRANGE T 1 V|SMOVE S S V|LSET L 0 V
LTRIM L 0 1|LREM L 0 V|LINSERT L BEFORE V V|INCRBYFLOAT T 1|MSET T V T V|SETEX T 100 V|LPUSHX L V
HINCRBY H n 1|HSETNX H V V|SDIFFSTORE S S S
ZREMRANGEBYRANK Z 0 0|SETBIT T 3 1|BITOP NOT T T|SORT L ALPHA STORE M
EXPIRE K -1|GETEX T EX 100|UNLINK K|MOVE K 1
"""
