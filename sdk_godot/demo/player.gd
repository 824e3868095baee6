extends Figure
## The player's figure: walks with the arrow keys.

const SPEED_PX_PER_S := 180.0
const AREA := Rect2(30.0, 60.0, 900.0, 500.0)

## False while the player types.
var can_walk := true


func _process(delta: float) -> void:
	if can_walk:
		var step := Input.get_vector("ui_left", "ui_right", "ui_up", "ui_down") * SPEED_PX_PER_S * delta
		position = (position + step).clamp(AREA.position, AREA.end)
