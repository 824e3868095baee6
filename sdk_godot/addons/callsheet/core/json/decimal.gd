@tool
extends RefCounted
## A positive number in decimal: 0.DIGITS times ten to the power of `point`.

const Decimal := preload("decimal.gd")
const LIMB := 1000000000

var digits: String
var point: int


func _init(all_digits: String, at: int) -> void:
	var trimmed := all_digits.lstrip("0")
	point = at - (all_digits.length() - trimmed.length())
	digits = trimmed.rstrip("0")


func is_above(other: Decimal) -> bool:
	return point > other.point or (point == other.point and digits > other.digits)


func is_equal(other: Decimal) -> bool:
	return point == other.point and digits == other.digits


## The nearest number of so many digits.
func rounded(count: int) -> Decimal:
	if digits.length() <= count:
		return self
	var rest := digits.substr(count)
	var is_odd := digits.unicode_at(count - 1) & 1 == 1
	var is_down := rest < "5" or (rest == "5" and not is_odd)
	return Decimal.new(digits.left(count), point) if is_down else rounded_up(count)


## The next greater number of so many digits, at most 17.
func rounded_up(count: int) -> Decimal:
	var up := str(digits.left(count).to_int() + 1)
	return Decimal.new(up, point + up.length() - mini(count, digits.length()))


## The decimal expansion of a whole number times a power of two.
static func exact(whole: int, power: int) -> Decimal:
	var limbs := PackedInt64Array([whole % LIMB, whole / LIMB % LIMB, whole / LIMB / LIMB])
	var left := absi(power)
	var base := 2 if power > 0 else 5
	var most := 29 if power > 0 else 12
	while left > 0:
		var step := mini(left, most)
		_multiply(limbs, int(pow(base, step)))
		left -= step
	var digits := ""
	for limb in limbs:
		digits = "%09d" % limb + digits
	return Decimal.new(digits, digits.length() + mini(power, 0))


static func _multiply(limbs: PackedInt64Array, factor: int) -> void:
	var carry := 0
	for i in limbs.size():
		var product := limbs[i] * factor + carry
		limbs[i] = product % LIMB
		carry = product / LIMB
	if carry > 0:
		limbs.append(carry)
