@tool
extends RefCounted
## Decimal text of doubles: the shortest that reads back, and the nearest double of a text.
##
## Godot's own `str` and `to_float` keep 15 digits. Those are the fast way here; the last two digits
## are settled by exact arithmetic: every double is a whole number times a power of two, so its
## decimal expansion ends.

const Decimal := preload("decimal.gd")
const Interval := preload("rounding_interval.gd")

## So many digits, with such a power of ten, `to_float` reads exactly.
const SURE_DIGITS := 15
const SURE_POWER := 22
## So many digits tell every double apart.
const ALL_DIGITS := 17
const MAX_DECIMALS := 32
## So far `to_float` is off at most, counted in doubles, unless the power of ten is great.
const NEAR := 16
const FAR_POWER := 290
## Beyond these a number is infinite, or 0.
const GREATEST_POWER := 309
const LEAST_POWER := -324
const POWER_DIGITS := 6
const GREATEST_BITS := 0x7FEFFFFFFFFFFFFF


## Write a finite number, with a point or an exponent.
static func shortest(number: float) -> String:
	var size := absf(number)
	if size < 1e15 and (size >= 1e-5 or size == 0.0):
		var power := 0 if size < 1.0 else floori(log(size) / log(10.0)) + 1
		var text := String.num(size, clampi(SURE_DIGITS - power, 1, MAX_DECIMALS))
		if text.to_float() == size and _digits_of(text) <= SURE_DIGITS:
			return _sign(number) + (text if text.contains(".") else text + ".0")
	return _sign(number) + _layout(_exact_shortest(size))


## Read a JSON number; infinite if it is too great.
static func nearest(literal: String) -> float:
	if literal.length() <= SURE_DIGITS and not literal.to_lower().contains("e"):
		return literal.to_float()
	var number := _decimal(literal)
	var sign := -1.0 if literal.begins_with("-") else 1.0
	if number.digits.is_empty() or number.point < LEAST_POWER:
		return sign * 0.0
	if number.point > GREATEST_POWER:
		return sign * INF
	var about := literal.to_float()
	if number.digits.length() <= SURE_DIGITS and absi(number.point) + SURE_DIGITS <= SURE_POWER:
		return about
	var bits := _bits(absf(about))
	var is_near := absi(number.point) < FAR_POWER
	var low := maxi(bits - NEAR, 0) if is_near else 0
	var high := bits + NEAR if is_near else GREATEST_BITS
	while low < high:
		var around := Interval.new(bits)
		if around.is_below(number):
			low = bits + 1
		elif around.is_above(number):
			high = bits - 1
		else:
			break
		bits = low + ((high - low) >> 1)
	return sign * _float(bits)


static func _exact_shortest(size: float) -> Decimal:
	if size == 0.0:
		return Decimal.new("", 1)
	var bits := _bits(size)
	var around := Interval.new(bits)
	var all := around.centre()
	# Only numbers below the normal ones may do with fewer than 15 digits that are not zeros.
	for count in range(SURE_DIGITS if bits >> Interval.FRACTION_BITS > 0 else 1, ALL_DIGITS):
		# Beside a power of two the nearest may lie outside, and the one above it inside.
		for shorter: Decimal in [all.rounded(count), all.rounded_up(count)]:
			if around.has(shorter):
				return shorter
	return all.rounded(ALL_DIGITS)


static func _layout(number: Decimal) -> String:
	var digits := number.digits if number.digits else "0"
	var point := number.point
	if point > 16 or point < -4:
		var fraction := "." + digits.substr(1) if digits.length() > 1 else ""
		return "%s%se%s%d" % [digits[0], fraction, "+" if point > 0 else "-", absi(point - 1)]
	if point <= 0:
		return "0." + "0".repeat(-point) + digits
	if digits.length() <= point:
		return digits + "0".repeat(point - digits.length()) + ".0"
	return digits.left(point) + "." + digits.substr(point)


static func _decimal(literal: String) -> Decimal:
	var parts := literal.lstrip("-").to_lower().split("e")
	var halves := parts[0].split(".")
	var fraction := halves[1] if halves.size() > 1 else ""
	var power := parts[1].left(POWER_DIGITS).to_int() if parts.size() > 1 else 0
	return Decimal.new(halves[0] + fraction, halves[0].length() + power)


static func _digits_of(text: String) -> int:
	return text.replace(".", "").lstrip("0").length()


static func _sign(number: float) -> String:
	return "-" if number < 0.0 or (number == 0.0 and 1.0 / number < 0.0) else ""


static func _bits(number: float) -> int:
	return PackedFloat64Array([number]).to_byte_array().decode_s64(0)


static func _float(bits: int) -> float:
	return PackedInt64Array([bits]).to_byte_array().decode_double(0)
