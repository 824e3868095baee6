@tool
extends RefCounted
## Words of the message tables. A row is [name, kind, presence, default, limits ...]: of a text its
## least and greatest length and its form, of a list the same and the row of its items, of a number
## the least and the greatest, of an enum its names, of a part the name of its table.

enum Kind { TEXT, INTEGER, REAL, FLAG, ENUM, VECTOR, JSON, PART, LIST }
enum Form { ANY, ID, ID_OR_EMPTY, IDENTIFIER, VERSION }
enum { REQUIRED, OPTIONAL, DEFAULT }

const NO_END := 9223372036854775807
const LEAST := -9223372036854775807
## The least number of a field that is to be greater than 0.
const ABOVE_ZERO := 1e-300
