using System;
using System.Collections.Generic;

namespace UnityEngine
{
    public enum KeyCode
    {
        None = 0,
        Return = 13,
        KeypadEnter = 271,
    }

    [Flags]
    public enum EventModifiers
    {
        None = 0,
    }

    /// <summary>The legacy input manager.</summary>
    public class Input
    {
        /// <summary>What <see cref="GetAxisRaw"/> reads. Not part of Unity's API.</summary>
        public static readonly Dictionary<string, float> Axes = new Dictionary<string, float>();

        public static float GetAxisRaw(string axisName) => Axes.TryGetValue(axisName, out float value) ? value : 0f;
    }
}
