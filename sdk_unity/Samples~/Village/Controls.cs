using UnityEngine;
#if ENABLE_INPUT_SYSTEM && CALLSHEET_INPUT_SYSTEM
using UnityEngine.InputSystem;
#endif

namespace Callsheet.Samples
{
    /// <summary>Keys and sticks, by whichever input system the project has (Project Settings > Player > Active Input Handling).</summary>
    internal static class Controls
    {
        /// <summary>Where the player wants to walk: x = to the right, y = ahead.</summary>
        internal static Vector2 Walk()
        {
#if ENABLE_INPUT_SYSTEM && CALLSHEET_INPUT_SYSTEM
            Vector2 walk = Gamepad.current == null ? Vector2.zero : Gamepad.current.leftStick.ReadValue();
            Keyboard keys = Keyboard.current;
            if (keys != null)
            {
                walk.x += Axis(keys.aKey.isPressed || keys.leftArrowKey.isPressed, keys.dKey.isPressed || keys.rightArrowKey.isPressed);
                walk.y += Axis(keys.sKey.isPressed || keys.downArrowKey.isPressed, keys.wKey.isPressed || keys.upArrowKey.isPressed);
            }
            return walk;
#elif ENABLE_LEGACY_INPUT_MANAGER
            return new Vector2(Input.GetAxisRaw("Horizontal"), Input.GetAxisRaw("Vertical"));
#else
            return Vector2.zero;
#endif
        }

#if ENABLE_INPUT_SYSTEM && CALLSHEET_INPUT_SYSTEM
        private static float Axis(bool back, bool ahead) => (ahead ? 1f : 0f) - (back ? 1f : 0f);
#endif
    }
}
