@tool
extends RefCounted
## Writes binary ticks (docs/wire-protocol.md, "Binary layout") into bytes that are used again and again:
## 32 of header, 36 for each NPC, then 32 for each player, all little-endian.

enum Kind { KEYFRAME = 1, DELTA = 2 }

const HEADER_BYTES := 32
const NPC_BYTES := 36
const PLAYER_BYTES := 32
const MAGIC := 0x5343
const LAYOUT := 1
const ACK := 1
const REWIND := 2
const QUIET_NAN := 0x7FC00000

var npcs := 0
var players := 0

var _bytes := PackedByteArray()
var _at := 0


## Begin a frame.
func begin(kind: Kind, ack: bool) -> void:
	_reserve(HEADER_BYTES)
	npcs = 0
	players = 0
	_bytes.encode_u16(0, MAGIC)
	_bytes.encode_u8(2, LAYOUT)
	_bytes.encode_u8(3, kind)
	_bytes.encode_u16(4, ACK if ack else 0)
	_bytes.encode_u16(6, 0)
	_bytes.encode_u32(28, 0)
	_at = HEADER_BYTES


## Add an NPC. All NPCs come before all players. `next_call_s`: seconds to the next scheduled call; NAN says
## nothing.
func add_npc(
	handle: int, position: Vector3, velocity: Vector3, next_call_s: float, flags: int
) -> void:
	_reserve(_at + NPC_BYTES)
	_add_motion(handle, position, velocity)
	if is_nan(next_call_s):
		_bytes.encode_u32(_at + 28, QUIET_NAN)
	else:
		_bytes.encode_float(_at + 28, next_call_s)
	_bytes.encode_u32(_at + 32, flags)
	_at += NPC_BYTES
	npcs += 1


## Add a player.
func add_player(handle: int, position: Vector3, velocity: Vector3) -> void:
	_reserve(_at + PLAYER_BYTES)
	_add_motion(handle, position, velocity)
	_bytes.encode_u32(_at + 28, 0)
	_at += PLAYER_BYTES
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
	return _at


## The frame written so far.
func frame() -> PackedByteArray:
	return _bytes.slice(0, _at)


func _add_motion(handle: int, position: Vector3, velocity: Vector3) -> void:
	_bytes.encode_u32(_at, handle)
	_bytes.encode_float(_at + 4, position.x)
	_bytes.encode_float(_at + 8, position.y)
	_bytes.encode_float(_at + 12, position.z)
	_bytes.encode_float(_at + 16, velocity.x)
	_bytes.encode_float(_at + 20, velocity.y)
	_bytes.encode_float(_at + 24, velocity.z)


func _reserve(count: int) -> void:
	if count > _bytes.size():
		_bytes.resize(maxi(count, 2 * _bytes.size()))
