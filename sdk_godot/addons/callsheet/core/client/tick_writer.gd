@tool
extends RefCounted
## Puts binary ticks together (docs/wire-protocol.md, "Binary layout"), in bytes that are used again and
## again: a header of 32, then the records of NPCs and those of players, all little-endian.

enum Kind { KEYFRAME = 1, DELTA = 2 }

const HEADER_BYTES := 32
const MAGIC := 0x5343
const LAYOUT := 1
const ACK := 1
const REWIND := 2

var npcs := 0
var players := 0

var _bytes := PackedByteArray()


## Begin a frame.
func begin(kind: Kind, ack: bool) -> void:
	_bytes.resize(HEADER_BYTES)
	_bytes.fill(0)
	npcs = 0
	players = 0
	_bytes.encode_u16(0, MAGIC)
	_bytes.encode_u8(2, LAYOUT)
	_bytes.encode_u8(3, kind)
	_bytes.encode_u16(4, ACK if ack else 0)


## Add the record of an NPC. All NPCs come before all players.
func add_npc(record: PackedByteArray) -> void:
	_bytes.append_array(record)
	npcs += 1


## Add the record of a player.
func add_player(record: PackedByteArray) -> void:
	_bytes.append_array(record)
	players += 1


## Number the frame and tell its time: it may have taken several frames of the game to write.
func finish(number: int, game_time_s: float, rewinds: bool) -> void:
	_bytes.encode_u32(8, number)
	_bytes.encode_u32(12, npcs)
	_bytes.encode_double(16, game_time_s)
	_bytes.encode_u32(24, players)
	if rewinds:
		_bytes.encode_u16(4, _bytes.decode_u16(4) | REWIND)


## Bytes written so far.
func size() -> int:
	return _bytes.size()


## A copy of the frame written so far.
func frame() -> PackedByteArray:
	return _bytes.duplicate()
