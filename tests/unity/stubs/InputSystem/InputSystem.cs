using UnityEngine.InputSystem.Controls;

namespace UnityEngine.InputSystem
{
    public abstract class InputControl
    {
    }

    public abstract class InputControl<TValue> : InputControl
        where TValue : struct
    {
        /// <summary>What <see cref="ReadValue"/> returns. Not part of the package's API.</summary>
        public TValue Value;

        public TValue ReadValue() => Value;
    }

    public class InputDevice : InputControl
    {
    }

    public class Keyboard : InputDevice
    {
        /// <summary>Its setter is not part of the package's API.</summary>
        public static Keyboard current { get; set; }

        public KeyControl aKey { get; } = new KeyControl();

        public KeyControl dKey { get; } = new KeyControl();

        public KeyControl sKey { get; } = new KeyControl();

        public KeyControl wKey { get; } = new KeyControl();

        public KeyControl leftArrowKey { get; } = new KeyControl();

        public KeyControl rightArrowKey { get; } = new KeyControl();

        public KeyControl upArrowKey { get; } = new KeyControl();

        public KeyControl downArrowKey { get; } = new KeyControl();
    }

    public class Gamepad : InputDevice
    {
        /// <summary>Its setter is not part of the package's API.</summary>
        public static Gamepad current { get; set; }

        public StickControl leftStick { get; } = new StickControl();
    }
}

namespace UnityEngine.InputSystem.Controls
{
    public class AxisControl : InputControl<float>
    {
    }

    public class ButtonControl : AxisControl
    {
        public bool isPressed => Value > 0.5f;
    }

    public class KeyControl : ButtonControl
    {
    }

    public class Vector2Control : InputControl<Vector2>
    {
    }

    public class StickControl : Vector2Control
    {
    }
}

namespace UnityEngine.InputSystem.UI
{
    public class InputSystemUIInputModule : EventSystems.BaseInputModule
    {
        /// <summary>True once the default actions are assigned. Not part of the package's API.</summary>
        public bool HasActions { get; private set; }

        public void AssignDefaultActions() => HasActions = true;
    }
}
