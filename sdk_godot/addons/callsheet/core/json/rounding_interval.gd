@tool
extends RefCounted
## The numbers that read as one double.

const Decimal := preload("decimal.gd")

const FRACTION_BITS := 52
const HIDDEN_BIT := 1 << FRACTION_BITS
const LEAST_POWER := -1074

var _whole: int
var _power: int
var _low: Decimal
var _high: Decimal
var _is_closed: bool


## The bits of a double that is not negative.
func _init(bits: int) -> void:
	var fraction := bits & (HIDDEN_BIT - 1)
	var exponent := bits >> FRACTION_BITS
	_whole = fraction + HIDDEN_BIT if exponent > 0 else fraction
	_power = maxi(exponent, 1) - 1 + LEAST_POWER
	_high = Decimal.exact(2 * _whole + 1, _power - 1)
	if fraction == 0 and exponent > 1:
		# Below a power of two the doubles lie twice as close.
		_low = Decimal.exact(4 * _whole - 1, _power - 2)
	else:
		_low = Decimal.exact(maxi(2 * _whole - 1, 0), _power - 1)
	_is_closed = fraction & 1 == 0


## The double itself.
func centre() -> Decimal:
	return Decimal.exact(_whole, _power)


func has(number: Decimal) -> bool:
	return not is_below(number) and not is_above(number)


func is_below(number: Decimal) -> bool:
	return number.is_above(_high) or (not _is_closed and number.is_equal(_high))


func is_above(number: Decimal) -> bool:
	return _low.is_above(number) or (not _is_closed and number.is_equal(_low))
