"""Places on the map: a sorted set whose scores are places, as Redis keeps them.

A score is a geohash of 52 bits: 26 of the latitude and 26 of the longitude, in turn. fakeredis
keeps text instead, less exactly, which ZSCORE and DUMP cannot know about.
[https://redis.io/docs/latest/commands/geosearch/; geohash.c, geohash_helper.c, geo.c]
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fakeredis import _msgs as msgs
from fakeredis._command_args_parsing import Int
from fakeredis._core import CommandItem
from fakeredis._helpers import SimpleError
from fakeredis.model import ZSet

from sandbox.brokers.redis.commands import command
from sandbox.brokers.redis.replies import NULL_ARRAY, Written

if TYPE_CHECKING:
    from sandbox.brokers.redis.session import Session

_EARTH_M: Final = 6372797.560856
_STEPS: Final = 26
_LATITUDE: Final = 85.05112878
_UNITS: Final = {b"m": 1.0, b"km": 1000.0, b"ft": 0.3048, b"mi": 1609.34}
_ALPHABET: Final = "0123456789bcdefghjkmnpqrstuvwxyz"


class Place(NamedTuple):
    """Where something is, in degrees."""

    longitude: float
    latitude: float


# -- geohashes -------------------------------------------------------------------------------------


def encode(place: Place, most: float = _LATITUDE) -> int:
    """A place as 52 bits; latitudes go from -most to most."""
    up = int((place.latitude + most) / (2 * most) * (1 << _STEPS))
    right = int((place.longitude + 180.0) / 360.0 * (1 << _STEPS))
    bits = 0
    for step in range(_STEPS):
        bits |= (up >> step & 1) << (2 * step) | (right >> step & 1) << (2 * step + 1)
    return bits


def decode(bits: int) -> Place:
    """The middle of what 52 bits stand for."""
    up = right = 0
    for step in range(_STEPS):
        up |= (bits >> (2 * step) & 1) << step
        right |= (bits >> (2 * step + 1) & 1) << step
    size = 1 << _STEPS
    low, high = (-_LATITUDE + n / size * (2 * _LATITUDE) for n in (up, up + 1))
    west, east = (-180.0 + n / size * 360.0 for n in (right, right + 1))
    longitude = min(max((west + east) / 2, -180.0), 180.0)
    return Place(longitude, min(max((low + high) / 2, -_LATITUDE), _LATITUDE))


def distance_m(one: Place, other: Place) -> float:
    """How far two places are apart, on a ball."""
    lat1, lat2 = math.radians(one.latitude), math.radians(other.latitude)
    v = math.sin((math.radians(other.longitude) - math.radians(one.longitude)) / 2)
    if v == 0.0:
        return _EARTH_M * abs(lat2 - lat1)
    u = math.sin((lat2 - lat1) / 2)
    a = u * u + math.cos(lat1) * math.cos(lat2) * v * v
    return 2.0 * _EARTH_M * math.asin(math.sqrt(a))


# -- reading arguments -----------------------------------------------------------------------------


def _number(word: bytes, what: str = msgs.INVALID_FLOAT_MSG) -> float:
    try:
        value = float(word)
    except ValueError:
        raise SimpleError(what) from None
    if value != value or b"_" in word or word.strip() != word:
        raise SimpleError(what)
    return value


def _place(longitude: bytes, latitude: bytes) -> Place:
    place = Place(_number(longitude), _number(latitude))
    if not (abs(place.longitude) <= 180 and abs(place.latitude) <= _LATITUDE):
        raise SimpleError(
            f"ERR invalid longitude,latitude pair {place.longitude:.6f},{place.latitude:.6f}"
        )
    return place


def _unit(word: bytes) -> float:
    unit = _UNITS.get(word.lower())
    if unit is None:
        raise SimpleError("ERR unsupported unit provided. please use M, KM, FT, MI")
    return unit


def _set_at(session: Session, key: bytes) -> ZSet | None:
    item = session._db.get(key)
    if item is None:
        return None
    if not isinstance(item.value, ZSet):
        raise SimpleError(msgs.WRONGTYPE_MSG)
    return item.value


def _coordinate(value: float) -> Written:
    return Written(f"{value:.17f}".rstrip("0").rstrip(".").encode())


def _told(place: Place) -> list[Written]:
    return [_coordinate(place.longitude), _coordinate(place.latitude)]


# -- GEOADD, GEOPOS, GEOHASH, GEODIST --------------------------------------------------------------


@command("geoadd", 4, -1)
def geoadd(session: Session, key: bytes, *words: bytes) -> Any:
    """GEOADD key [NX|XX] [CH] longitude latitude member ...: ZADD with places as scores."""
    rest, options = list(words), []
    while rest and rest[0].upper() in (b"NX", b"XX", b"CH"):
        options.append(rest.pop(0))
    if len(rest) % 3 or not rest:
        raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    if {b"NX", b"XX"} <= {option.upper() for option in options}:
        raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    pairs: list[bytes] = []
    for at in range(0, len(rest), 3):
        pairs += [b"%d" % encode(_place(rest[at], rest[at + 1])), rest[at + 2]]
    _set_at(session, key)
    item = CommandItem(key, session._db, item=session._db.get(key), default=ZSet())
    result = session.zadd(item, *options, *pairs)
    item.writeback()
    session._keyspace_notifications([item], b"geoadd")
    return result


@command("geopos", 1, -1)
def geopos(session: Session, key: bytes, *members: bytes) -> list[Any]:
    """GEOPOS key [member ...]."""
    found = _set_at(session, key)
    scores = [None if found is None else found.get(member) for member in members]
    return [NULL_ARRAY if score is None else _told(decode(int(score))) for score in scores]


@command("geohash", 1, -1)
def geohash(session: Session, key: bytes, *members: bytes) -> list[bytes | None]:
    """GEOHASH key [member ...]: as everybody else writes geohashes."""
    found = _set_at(session, key)
    told: list[bytes | None] = []
    for member in members:
        score = None if found is None else found.get(member)
        if score is None:
            told.append(None)
            continue
        bits = encode(decode(int(score)), 90.0)
        letters = [_ALPHABET[bits >> (52 - 5 * (at + 1)) & 31] for at in range(10)]
        told.append("".join([*letters, "0"]).encode())
    return told


@command("geodist", 3, 4)
def geodist(session: Session, key: bytes, one: bytes, other: bytes, *unit: bytes) -> bytes | None:
    """GEODIST key member member [M|KM|FT|MI]."""
    scale, found = _unit(unit[0]) if unit else 1.0, _set_at(session, key)
    scores = [None if found is None else found.get(member) for member in (one, other)]
    if scores[0] is None or scores[1] is None:
        return None
    places = [decode(int(score)) for score in scores if score is not None]
    return b"%.4f" % (distance_m(*places) / scale)


# -- searching -------------------------------------------------------------------------------------


class Search:
    """What is looked for, and how it is told."""

    def __init__(self) -> None:
        self.centre: Place | None = None
        self.radius: float | None = None
        self.box: tuple[float, float] | None = None
        self.scale = 1.0
        self.order = 0
        self.count = 0
        self.any = False
        self.with_coord = self.with_dist = self.with_hash = False
        self.store: bytes | None = None
        self.store_dist = False

    def distance(self, place: Place) -> float | None:
        """How far a place is from the centre, m; None if it is outside."""
        assert self.centre is not None
        far = distance_m(self.centre, place)
        if self.radius is not None:
            return far if far <= self.radius * self.scale else None
        assert self.box is not None
        width, height = self.box
        same_latitude = Place(self.centre.longitude, place.latitude)
        if distance_m(self.centre, same_latitude) > height * self.scale / 2:
            return None
        return far if distance_m(place, same_latitude) <= width * self.scale / 2 else None

    def run(self, session: Session, key: bytes) -> Any:
        """Search, and tell or store what was found."""
        found = _set_at(session, key)
        hits: list[tuple[float, bytes, float, Place]] = []
        for member, score in found.items() if found is not None else ():
            place = decode(int(score))
            far = self.distance(place)
            if far is not None:
                hits.append((far, member, score, place))
        hits.sort(key=lambda hit: (hit[2], hit[1]))
        order = self.order or (1 if self.count and not self.any else 0)
        if self.any and self.count:
            hits = hits[: self.count]
        if order:
            hits.sort(key=lambda hit: hit[0], reverse=order < 0)
        if self.count:
            hits = hits[: self.count]
        if self.store is not None:
            return self._store(session, hits)
        return [self._shown(*hit) for hit in hits]

    def _shown(self, far: float, member: bytes, score: float, place: Place) -> Any:
        told: list[Any] = [member]
        if self.with_dist:
            told.append(b"%.4f" % (far / self.scale))
        if self.with_hash:
            told.append(int(score))
        if self.with_coord:
            told.append(_told(place))
        return told if len(told) > 1 else member

    def _store(self, session: Session, hits: list[tuple[float, bytes, float, Place]]) -> int:
        assert self.store is not None
        made = ZSet()
        for far, member, score, _ in hits:
            made.add(member, far / self.scale if self.store_dist else score)
        item = CommandItem(self.store, session._db, item=session._db.get(self.store))
        item.value = made
        item.writeback()
        session._keyspace_notifications([item], b"geosearchstore")
        return len(hits)

    def options(self, words: list[bytes], *, radius: bool, stores: bool) -> None:
        """Read what follows the place; `radius` for the older commands."""
        while words:
            word = words.pop(0).lower()
            if word in (b"withcoord", b"withdist", b"withhash"):
                setattr(self, f"with_{word[4:].decode()}", True)
            elif word in (b"asc", b"desc"):
                self.order = 1 if word == b"asc" else -1
            elif word == b"count" and words:
                self.count = Int.decode(words.pop(0))
                if self.count <= 0:
                    raise SimpleError("ERR COUNT must be > 0")
                if words and words[0].lower() == b"any":
                    words.pop(0)
                    self.any = True
            elif word == b"any":
                raise SimpleError("ERR the ANY argument requires COUNT argument")
            elif radius and stores and word in (b"store", b"storedist") and words:
                self.store, self.store_dist = words.pop(0), word == b"storedist"
            elif not radius and stores and word == b"storedist":
                self.store_dist = True
            else:
                raise SimpleError(msgs.SYNTAX_ERROR_MSG)
        if self.store is not None and (self.with_coord or self.with_dist or self.with_hash):
            name = "GEORADIUS" if radius else "GEOSEARCHSTORE"
            raise SimpleError(
                f"ERR STORE option in {name} is not compatible with WITHDIST, WITHHASH and"
                " WITHCOORD options"
            )


def _member(session: Session, key: bytes, member: bytes) -> Place:
    found = _set_at(session, key)
    score = None if found is None else found.get(member)
    if score is None:
        raise SimpleError("ERR could not decode requested zset member")
    return decode(int(score))


def _search(session: Session, key: bytes, words: list[bytes], store: bytes | None) -> Any:
    """Read GEOSEARCH's arguments, in any order, and search."""
    search, rest = Search(), []
    search.store = store
    wanted: bytes | None = None
    while words:
        word = words.pop(0).lower()
        if word == b"frommember" and words and wanted is None and search.centre is None:
            wanted = words.pop(0)
            if _set_at(session, key) is not None:
                search.centre = _member(session, key, wanted)
        elif word == b"fromlonlat" and len(words) > 1 and wanted is None:
            search.centre = _place(words.pop(0), words.pop(0))
        elif word == b"byradius" and len(words) > 1 and search.box is None:
            search.radius = _length(words.pop(0), "radius")
            search.scale = _unit(words.pop(0))
        elif word == b"bybox" and len(words) > 2 and search.radius is None:
            search.box = _length(words.pop(0), "width"), _length(words.pop(0), "height")
            search.scale = _unit(words.pop(0))
        else:
            rest.append(word)
            if word == b"count" and words:
                rest.append(words.pop(0))
    name = "GEOSEARCH" if store is None else "GEOSEARCHSTORE"
    lower = name.lower()
    search.options(rest, radius=False, stores=store is not None)
    if wanted is None and search.centre is None:
        raise SimpleError(
            f"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {lower}"
        )
    if search.radius is None and search.box is None:
        raise SimpleError(f"ERR exactly one of BYRADIUS and BYBOX can be specified for {lower}")
    return search.run(session, key)


def _length(word: bytes, what: str) -> float:
    value = _number(word, f"ERR need numeric {what}")
    if value < 0:
        raise SimpleError(f"ERR {what} cannot be negative")
    return value


@command("geosearch", 6, -1)
def geosearch(session: Session, key: bytes, *words: bytes) -> Any:
    """GEOSEARCH key FROMMEMBER|FROMLONLAT ... BYRADIUS|BYBOX ... [options]."""
    return _search(session, key, list(words), None)


@command("geosearchstore", 7, -1)
def geosearchstore(session: Session, target: bytes, key: bytes, *words: bytes) -> Any:
    """GEOSEARCHSTORE destination source ..., as GEOSEARCH, and [STOREDIST]."""
    return _search(session, key, list(words), target)


def _older(name: str, by_member: bool, stores: bool) -> None:
    def handler(session: Session, key: bytes, *words: bytes) -> Any:
        rest, search = list(words), Search()
        if by_member:
            member = rest.pop(0)
        else:
            search.centre = _place(rest.pop(0), rest.pop(0))
        search.radius = _length(rest.pop(0), "radius")
        search.scale = _unit(rest.pop(0))
        search.options(rest, radius=True, stores=stores)
        if by_member:
            if _set_at(session, key) is None:
                return search.run(session, key) if search.store is not None else []
            search.centre = _member(session, key, member)
        return search.run(session, key)

    command(name, 4 if by_member else 5, -1)(handler)


_older("georadius", False, True)
_older("georadius_ro", False, False)
_older("georadiusbymember", True, True)
_older("georadiusbymember_ro", True, False)
